"""On which databases is the audit tried?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audits import Office, new_sqlite

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(params=["sqlite", POSTGRESQL])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An empty ledger on each database."""
    url = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else new_sqlite(tmp_path)
    office = Office(url)
    yield office
    office.close()
