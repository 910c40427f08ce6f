"""Whoever edits the clearinghouse's file is found out, also with the triggers taken away."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite

from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.verify_register import RegisterCheck
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import encode_event, read_event
from calward.domain.merkle import Frontier, leaf_hash
from calward.domain.statements import Program
from tests.support.asking_server import AskingServer

C = RegisterCheck
RESIGNED = """
    UPDATE intents SET payload = CAST(replace(CAST(payload AS TEXT), '"generation":2', '"generation":3') AS BLOB)
    WHERE payload_type LIKE '%key-pack%'
"""


@pytest.fixture
def busy(desk: Clearinghouse, old: AskingServer, new: AskingServer) -> Clearinghouse:
    """A clearinghouse with a bit of everything, which passes."""
    desk.add_organization(AddOrganization("Example Ltd", "Jo, +41 00 000 00 00"))
    sale = AddPurchase(Program.OPEN, "windows-server", "2008", CalType.PER_DEVICE, 50, "Example Ltd")
    bought = desk.add_purchase(sale)
    (pack,) = old.ask(old.install(Program.OPEN, *bought.numbers, quantity=20))
    new.ask(new.move(old, pack.pack_id, proof=bought.proof))
    order = old.ask(old.contact())[-1]
    old.ask(*old.release(order))
    new.ask(new.contact())
    audit = desk.audit([desk.checkpoint()])
    assert audit.passed, audit.findings
    assert audit.size > 5
    return desk


@pytest.fixture
def edit(folder: Path) -> Callable[..., None]:
    def run(statement: str, *values: object) -> None:
        database = sqlite.connect(str(folder / "clearinghouse.db"))
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement, values)
        database.commit()
        database.close()

    return run


@pytest.mark.parametrize(
    ("statement", "checks"),
    [
        (
            "UPDATE events SET body = replace(body, 'Example', 'Another') WHERE kind = 'organization-added'",
            {C.TREE, C.RECORD},
        ),
        ("UPDATE events SET body = body || ' ' WHERE n = 2", {C.EVENT, C.TREE, C.RECORD}),
        ("UPDATE events SET body = 'nonsense' WHERE n = 3", {C.EVENT, C.TREE, C.RECORD}),
        ("DELETE FROM events WHERE n = (SELECT max(n) FROM events)", {C.TREE, C.RECORD, C.SIGNED}),
        ("DELETE FROM events WHERE n = 1", {C.EVENT, C.TREE, C.RECORD}),
        ("UPDATE tree SET frontier = x'00'", {C.TREE}),
        ("UPDATE packs SET total = 21", {C.RECORD}),
        ("UPDATE packs SET generation = 7", {C.RECORD}),
        ("UPDATE packs SET server_id = (SELECT server_id FROM servers WHERE name = 'old')", {C.RECORD}),
        ("UPDATE packs SET payload = x'00'", {C.RECORD}),
        ("UPDATE transfers SET outcome = 'nonsense'", {C.RECORD}),
        ("UPDATE intents SET payload = x'00' WHERE payload_type LIKE '%key-pack%'", {C.SIGNED}),
        ("UPDATE packs SET payload = CAST(replace(CAST(payload AS TEXT), '2008', '2016') AS BLOB)", {C.RECORD}),
        ("UPDATE purchases SET quantity = 5000", {C.RECORD}),
        ("UPDATE purchases SET convertible = 1", {C.RECORD}),
        ("UPDATE transfers SET outcome = 'cancelled'", {C.RECORD}),
        ("UPDATE servers SET issue_until = 4000000000 WHERE name = 'old'", {C.RECORD}),
        ("UPDATE servers SET public_key = zeroblob(32) WHERE name = 'old'", {C.RECORD}),
        ("UPDATE organizations SET name = 'Somebody'", {C.RECORD}),
        ("DELETE FROM organizations", {C.RECORD}),
        (RESIGNED, {C.SIGNED}),
    ],
)
def test_every_edit_is_found(
    busy: Clearinghouse, edit: Callable[..., None], statement: str, checks: set[RegisterCheck]
) -> None:
    edit(statement)
    found = {one.check for one in busy.audit().findings}
    assert found
    assert found <= checks


def test_a_ledger_rewritten_as_a_whole_does_not_fit_a_checkpoint_that_was_kept(
    busy: Clearinghouse, edit: Callable[..., None]
) -> None:
    kept = busy.checkpoint()
    edit("UPDATE events SET body = replace(body, 'Example', 'Another') WHERE kind = 'organization-added'")
    edit("UPDATE organizations SET name = 'Another Ltd'")
    bodies = busy.store.read(lambda book: [body for _, body in book.log.events()])
    frontier = Frontier().extend(leaf_hash(one.encode()) for one in bodies)
    edit("UPDATE tree SET frontier = ?", frontier.to_bytes())
    assert busy.audit().passed, "by itself it looks well"
    assert {one.check for one in busy.audit([kept]).findings} == {C.CHECKPOINT}


@pytest.mark.parametrize("field", ["generation", "total", "purchase_id"])
def test_a_history_that_no_rule_allows_is_found(busy: Clearinghouse, edit: Callable[..., None], field: str) -> None:
    bodies = busy.store.read(lambda book: [body for _, body in book.log.events()])
    number, event = next((n, read_event(one)) for n, one in enumerate(bodies, 1) if '"move-completed"' in one)
    event["packs"][0][field] = {"generation": 5, "total": 60, "purchase_id": "00" * 16}[field]
    edit("UPDATE events SET body = ? WHERE n = ?", encode_event(event), number)
    found = {one.check for one in busy.audit().findings}
    assert C.RULE in found


def test_a_checkpoint_of_somebody_else_is_none(busy: Clearinghouse, old: AskingServer) -> None:
    with pytest.raises(LicensingError) as caught:
        busy.audit([old.checkpoint(3)])
    assert caught.value.problem is Problem.MALFORMED


def test_neither_numbers_nor_people_stand_in_events(busy: Clearinghouse) -> None:
    text = "".join(busy.store.read(lambda book: [body for _, body in book.log.events()]))
    ((bought, _),) = busy.overview().purchases
    assert not [one for one in (*bought.numbers, "Jo,") if one in text]
