"""What the database itself refuses, whoever writes; and a file of the first release that becomes one of today."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2 as sqlite

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.clearinghouse.schema import SCHEMA, statements
from calward.adapters.signing import seal
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.cals import CalType
from calward.domain.pack_orders import PackRef
from calward.domain.statements import NO_END, KeyPackStatement, PayloadType, Program
from tests.support.asking_server import AskingServer
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.signed import ACTIVATION, DAY, NOW, PACK, a_pack, a_signer, an_activation


@pytest.fixture
def database(desk: Clearinghouse, folder: Path, old: AskingServer, new: AskingServer) -> Iterator[Any]:
    """A store with a pack on its way, opened past everything."""
    bought = desk.add_purchase(AddPurchase(Program.VOLUME, "windows-server", "2008", CalType.PER_DEVICE, 50))
    (pack,) = old.ask(old.install(Program.VOLUME, *bought.numbers, quantity=30))
    old.ask(old.contact(PackRef(pack.pack_id, 1)))
    new.ask(new.move(old, pack.pack_id, proof=bought.proof))
    new.ask(new.cancel(desk.overview().transfers[0].transfer_id))
    new.ask(new.move(old, pack.pack_id, proof=bought.proof))
    opened = sqlite.connect(str(folder / "clearinghouse.db"))
    opened.execute("PRAGMA foreign_keys = ON")
    yield opened
    opened.close()


COPY_PACK = (
    "INSERT INTO packs (pack_id, generation, server_id, purchase_id, total, payload)"
    " SELECT 'copy', 1, server_id, purchase_id, {total}, payload FROM packs"
)
COPY_TRANSFER = (
    "INSERT INTO transfers (transfer_id, pack_id, generation, source_id, target_id, target_name, source, reason, ordered_at, claimed)"
    " SELECT 'copy', pack_id, 1, source_id, target_id, 'x', source, reason, 0, 0 FROM transfers WHERE outcome IS NULL"
)


@pytest.mark.parametrize(
    "statement",
    [
        COPY_PACK.format(total=21),
        COPY_PACK.format(total=0),
        COPY_PACK.format(total=1).replace("'copy'", "pack_id"),
        COPY_PACK.format(total=1).replace("1, server_id", "1, 'nobody'"),
        "UPDATE packs SET total = 31, generation = 2",
        "UPDATE packs SET total = 29",
        "UPDATE packs SET generation = 0",
        "UPDATE packs SET server_id = (SELECT server_id FROM servers WHERE name = 'new')",
        "UPDATE packs SET payload = x'00'",
        "UPDATE packs SET purchase_id = 'other'",
        "DELETE FROM packs",
        COPY_TRANSFER,
        "UPDATE transfers SET outcome = 'completed' WHERE outcome = 'cancelled'",
        "UPDATE transfers SET target_id = source_id",
        "UPDATE transfers SET generation = 9",
        "DELETE FROM transfers",
        "UPDATE purchases SET quantity = 100",
        "DELETE FROM purchases",
        "DELETE FROM servers",
        "DELETE FROM outbox",
        "UPDATE outbox SET done_at = NULL WHERE done_at IS NOT NULL",
        "UPDATE answered SET parts = '[]'",
        "DELETE FROM answered",
        "UPDATE events SET body = ''",
        "DELETE FROM events",
        "INSERT INTO events VALUES (1000, 0, 'x', '{}')",
        "DELETE FROM tree",
    ],
)
def test_the_database_refuses(database: Any, statement: str) -> None:
    with pytest.raises(sqlite.IntegrityError):
        database.execute(statement)


REPLACING = [
    "INSERT OR REPLACE INTO servers (server_id, name, public_key, registered_at) SELECT server_id, name, x'00', 0 FROM servers",
    "INSERT OR REPLACE INTO intents SELECT n, payload_type, intent_order, asked, x'00', planned_at, envelope FROM intents",
    "INSERT OR REPLACE INTO intents SELECT n + 1000, payload_type, intent_order, asked, x'00', planned_at, envelope FROM intents",
    (
        "INSERT OR REPLACE INTO purchases SELECT n, purchase_id, organization_id, sale_order, program, numbers, proof, ladder,"
        " version, cal_type, 1000, expires_at, convertible, added_at FROM purchases"
    ),
    "INSERT OR REPLACE INTO packs SELECT n, pack_id, generation, server_id, purchase_id, 1, payload, transfer_id FROM packs",
    "INSERT OR REPLACE INTO answered SELECT digest, server_id, nonce, payload_type, answered_at, '[]' FROM answered",
    "INSERT OR REPLACE INTO events SELECT n, at, kind, '' FROM events",
    "INSERT OR REPLACE INTO outbox SELECT n, server_id, item, payload_type, intent_order, handover, posted_at, NULL FROM outbox",
    COPY_TRANSFER.replace("INSERT", "INSERT OR REPLACE"),
    COPY_TRANSFER.replace("INSERT", "INSERT OR REPLACE")
    .replace("'copy'", "transfer_id")
    .replace("1, source_id", "9, source_id"),
    "UPDATE OR REPLACE intents SET n = n + 1",
    "UPDATE OR REPLACE packs SET pack_id = 'other'",
]


@pytest.mark.parametrize("statement", REPLACING)
def test_the_database_replaces_nothing(database: Any, statement: str) -> None:
    """Foreign keys out of the way, as they are for whoever opens the file by hand."""
    database.commit()
    database.execute("PRAGMA foreign_keys = OFF")
    with pytest.raises(sqlite.IntegrityError, match=r"stay|keeps|order|more CALs|belongs"):
        database.execute(statement)


def test_the_database_lets_a_pack_be_split(database: Any) -> None:
    database.execute("UPDATE packs SET total = 29, generation = 2")
    database.execute(COPY_PACK.format(total=21))


def test_a_store_of_the_first_release_gets_a_register(
    desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path, root_key: bytes
) -> None:
    keyring = desk.store.read(lambda book: book.papers.intents(PayloadType.KEYRING))[0]
    path = folder / "clearinghouse.db"
    path.unlink()
    server = AskingServer(desk, root_key, "before")
    sold = a_pack(server_id=server.server_id, version="2016", bought_as="2016")
    rows = [(PayloadType.KEYRING, "1", keyring.payload, keyring.envelope), first_pack(sold)]
    for days in (180, 30):
        given = an_activation(server_id=server.server_id, issue_until=NOW + days * DAY)
        envelope = seal(PayloadType.ACTIVATION, given.to_payload(), ACTIVATION)
        rows.append((PayloadType.ACTIVATION, f"request/{days}", given.to_payload(), envelope))
    write_first_release(path, server, rows)

    after = wiring.open_clearinghouse(folder)
    found = after.overview()
    assert [(one.name, one.issue_until) for one in found.servers] == [("before", NOW + 180 * DAY)]
    assert [one.statement for one in found.register] == [sold]
    ((purchase, claimed),) = found.purchases
    assert (purchase.quantity, claimed, purchase.organization) == (10, 10, None)
    audit = after.audit()
    assert audit.passed, audit.findings

    asking, target = replace_desk(server, after), AskingServer(after, root_key, "after")
    target.activate()
    target.ask(target.move(asking, sold.pack_id, proof=purchase.proof))
    orders = asking.ask(asking.contact(PackRef(sold.pack_id, 1)))
    assert [one.pack for one in orders] == [PackRef(sold.pack_id, 1)]


def test_a_store_of_the_second_release_keeps_its_register(
    desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path, old: AskingServer
) -> None:
    desk.add_purchase(AddPurchase(Program.VOLUME, "windows-server", "2008", CalType.PER_DEVICE, 50))
    before = desk.overview()
    desk.store.close()
    database = sqlite.connect(str(folder / "clearinghouse.db"))
    ours = "SELECT name FROM sqlite_master WHERE name GLOB '*_are_new' OR name GLOB '*_not_replaced'"
    for (name,) in database.execute(ours).fetchall():
        database.execute(f"DROP TRIGGER {name}")
    database.execute("PRAGMA user_version = 2")
    database.commit()
    database.close()
    after = wiring.open_clearinghouse(folder)
    assert after.overview() == before
    assert after.audit().passed


def test_a_new_store_and_one_of_the_first_release_are_alike(tmp_path: Path) -> None:
    write_first_release(tmp_path / "old.db", None, [])
    for name in ("old.db", "new.db"):
        SqliteClearinghouseStore(tmp_path / name).close()
    schemas = []
    for name in ("old.db", "new.db"):
        database = sqlite.connect(str(tmp_path / name))
        schemas.append(
            sorted(database.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
        )
        assert database.execute("SELECT count(*) FROM events").fetchone() == (0,)
        database.close()
    assert schemas[0] == schemas[1]


def first_pack(sold: KeyPackStatement) -> tuple[PayloadType, str, bytes, bytes]:
    assert sold.expires_at == NO_END
    return PayloadType.KEY_PACK, "A-1", sold.to_payload(), seal(PayloadType.KEY_PACK, sold.to_payload(), PACK)


def replace_desk(server: AskingServer, desk: Clearinghouse) -> AskingServer:
    again = replace(server, desk=desk)
    again.signer, again.server_id = a_signer(server.name), server.server_id
    return again


def write_first_release(
    path: Path, server: AskingServer | None, intents: list[tuple[PayloadType, str, bytes, Any]]
) -> None:
    at = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())
    database = sqlite.connect(str(path))
    for one in statements(SCHEMA[0]):
        database.execute(one)
    if server is not None:
        values = (server.server_id, server.name, server.signer.public_key, at)
        database.execute("INSERT INTO servers VALUES (?, ?, ?, ?)", values)
    for kind, order, payload, envelope in intents:
        database.execute(
            "INSERT INTO intents (payload_type, intent_order, asked, payload, planned_at, envelope) VALUES (?, ?, '', ?, ?, ?)",
            (kind.value, order, payload, at, envelope),
        )
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()
