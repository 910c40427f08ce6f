"""What was the root of a real ledger's tree at an earlier size, wherever one begins to look?"""

import random

import pytest

from calward.adapters.store.standing import SqlTree
from calward.domain.merkle import Frontier, leaf_hash
from tests.support.audits import Office, new_sqlite

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(params=["sqlite", POSTGRESQL])
def office(request, tmp_path):
    url = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else new_sqlite(tmp_path)
    made = Office(url)
    made.open_for_business(per_user="enforce")
    made.install("P", 20)
    for number in range(20):
        made.ask(f"u{number}")
    made.log.fold()
    yield made
    made.close()


def roots(office) -> list[bytes]:
    with office.reader.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM event ORDER BY position").scalars().all()
    frontier, found = Frontier(), [Frontier().root()]
    for body in bodies:
        frontier = frontier.append(leaf_hash(body.encode()))
        found.append(frontier.root())
    return found


def test_every_earlier_root_is_found_in_any_order_and_in_any_company(office):
    expected, tree, chance = roots(office), SqlTree(office.reader), random.Random(7)
    standing = tree.standing()
    assert (standing.size, standing.root) == (len(expected) - 1, expected[-1])
    for _ in range(40):
        sizes = chance.sample(range(1, len(expected)), k=chance.randint(1, 5))
        assert tree.roots_at(sizes) == {size: expected[size] for size in sizes}
