"""Is every change that goes round the use cases found, and is it named?

Each test goes to the database itself, with the triggers out of the way, as somebody would who has the file or the password.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from calward.adapters.signing import Ed25519Signer
from calward.adapters.store.audit_desk import SqlAuditDesk
from calward.adapters.store.engines import open_writer
from calward.adapters.store.records import SqlRecords
from calward.app.licensing.findings import MOST_FINDINGS, Audit
from calward.app.licensing.verify_ledger import verify_ledger
from calward.domain.events import encode_event
from calward.domain.licenses import NEVER
from calward.domain.merkle import Frontier, leaf_hash
from calward.domain.notes import checkpoint_text, sign_note
from calward.domain.replay_state import Check, Finding
from tests.support.audits import LOG, ORIGIN, Office, a_long_history
from tests.support.builders import ladder
from tests.support.signed import SERVER, STRANGER


@pytest.fixture
def lived(office):
    a_long_history(office)
    office.log.store_checkpoint()
    office.ask("the last one")
    office.log.fold()
    assert office.verify().holds
    return office


ON_EVENTS = ("event_stays", "event_is_fixed", "event_is_new")
ON_CHECKPOINTS = ("checkpoint_stays", "checkpoint_is_fixed", "checkpoint_is_new")
WITHOUT_TRIGGERS = {
    "sqlite": [f"DROP TRIGGER {one}" for one in (*ON_EVENTS, *ON_CHECKPOINTS)],
    "postgresql": ["DROP TRIGGER event_stays ON event", "DROP TRIGGER checkpoint_stays ON checkpoint"],
}


def tamper(office: Office, change: Callable[[Connection], object] | str) -> None:
    engine = open_writer(office.url)
    try:
        with engine.begin() as connection:
            for statement in WITHOUT_TRIGGERS[engine.dialect.name]:
                connection.exec_driver_sql(statement)
            if isinstance(change, str):
                assert connection.exec_driver_sql(change).rowcount
            else:
                change(connection)
    finally:
        engine.dispose()


def found(office: Office, *kept: str) -> set[Check]:
    return {finding.what for finding in office.verify(kept).findings}


def where(office: Office) -> str:
    return " | ".join(finding.where for finding in office.verify().findings)


# --- events ---


def change_event(number: int, **changes: Any) -> Callable[[Connection], None]:
    """Change an event and keep it canonical."""

    def change(connection: Connection) -> None:
        [body] = connection.exec_driver_sql(f"SELECT body FROM event WHERE id = {number}").scalars()
        put_event(connection, number, encode_event(json.loads(body) | changes))

    return change


def put_event(connection: Connection, number: int, body: str) -> None:
    quoted = body.replace("'", "''").replace("%", "%%")
    assert connection.exec_driver_sql(f"UPDATE event SET body = '{quoted}' WHERE id = {number}").rowcount == 1


def event_of_kind(office: Office, kind: str) -> int:
    with office.reader.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, body FROM event ORDER BY id").all()
    return next(number for number, body in rows if json.loads(body)["kind"] == kind)


@pytest.mark.parametrize("kind", ["license", "proven", "expired", "revoked", "act-refused", "pack-removed", "settings"])
def test_a_changed_event_of_any_kind_is_found(lived, kind):
    number = event_of_kind(lived, kind)
    tamper(lived, change_event(number, by="somebody else"))
    assert found(lived) == {Check.TREE, Check.CHECKPOINT}


def test_a_changed_event_that_tells_another_story_is_also_found_in_the_tables(lived):
    number = event_of_kind(lived, "license")
    tamper(lived, change_event(number, holder="u:AAAAAAAAAAAAAAAAAAAAAA"))
    assert {Check.TREE, Check.LICENSE, Check.HOLDER} <= found(lived)
    assert f"license L{number}" in where(lived)


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("no json", Check.EVENT),
        ("[]", Check.EVENT),
        ('{"at":1,"id":%d}', Check.EVENT),
        ('{"at":1,"id":%d,"kind":"never heard of"}', Check.EVENT),
        ('{"at": 1,"id":%d,"kind":"refusal"}', Check.EVENT),
        ('{"at":1,"id":%d,"kind":"license"}', Check.EVENT),
        ('{"at":1,"id":999999,"kind":"refusal"}', Check.EVENT),
        ("[" * 5000, Check.EVENT),
    ],
)
def test_an_event_that_cannot_be_one_is_named(lived, body, check):
    number = event_of_kind(lived, "proven")
    tamper(lived, lambda connection: put_event(connection, number, body.replace("%d", str(number))))
    assert check in found(lived)
    assert f"event {number}" in where(lived)


def test_a_deleted_event_leaves_a_gap(lived):
    number = event_of_kind(lived, "act-refused")
    tamper(lived, f"DELETE FROM event WHERE id = {number}")
    assert {Check.ORDER, Check.TREE} <= found(lived)


def test_a_deleted_event_is_found_though_the_gap_was_closed(lived):
    number = event_of_kind(lived, "act-refused")

    def change(connection: Connection) -> None:
        [place] = connection.exec_driver_sql(f"SELECT position FROM event WHERE id = {number}").scalars()
        connection.exec_driver_sql(f"DELETE FROM event WHERE id = {number}")
        connection.exec_driver_sql(f"UPDATE event SET position = -position WHERE position > {place}")
        connection.exec_driver_sql("UPDATE event SET position = -position - 1 WHERE position < 0")

    tamper(lived, change)
    assert {Check.TREE, Check.CHECKPOINT} <= found(lived)


def test_events_cut_off_at_the_end_are_missed(lived):
    tamper(lived, "DELETE FROM event WHERE position > (SELECT max(position) - 2 FROM event)")
    assert {Check.TREE, Check.LICENSE} <= found(lived)


def test_an_event_put_in_at_the_end_has_changed_no_table(lived):
    number = event_of_kind(lived, "license")

    def change(connection: Connection) -> None:
        [last] = connection.exec_driver_sql("SELECT max(id) FROM event").scalars()
        body = encode_event({"id": last + 1, "at": 1, "kind": "revoked", "license": number})
        connection.exec_driver_sql(f"INSERT INTO event (id, position, body) VALUES ({last + 1}, NULL, '{body}')")

    tamper(lived, change)
    assert found(lived) & {Check.LICENSE, Check.EVENT}


def test_events_that_changed_places_are_found(lived):
    def change(connection: Connection) -> None:
        for old, new in ((3, -1), (4, 3), (-1, 4)):
            connection.exec_driver_sql(f"UPDATE event SET position = {new} WHERE position = {old}")

    tamper(lived, change)
    assert found(lived) == {Check.TREE, Check.CHECKPOINT}


def test_it_says_up_to_where_nothing_was_changed(lived):
    [first, *_] = lived.verify().findings or [None]
    assert first is None
    size = lived.log.frontier().size
    tamper(lived, change_event(last_event(lived), by="somebody"))
    [finding] = lived.verify().findings
    assert finding.what is Check.TREE
    assert f"after place {size - 1} " in finding.found


def last_event(office: Office) -> int:
    with office.reader.connect() as connection:
        return int(connection.exec_driver_sql("SELECT max(id) FROM event").scalar_one())


# --- tables ---

FULL = "(SELECT min(id) FROM license WHERE ended_at IS NULL AND seat IS NOT NULL)"
ENDED = "(SELECT min(id) FROM license WHERE ended_at IS NOT NULL)"
HELD = "(SELECT min(license) FROM seat WHERE license IS NOT NULL)"
PROVEN = "(SELECT min(id) FROM holder WHERE proven_at IS NOT NULL)"
UNPROVEN = "(SELECT min(id) FROM holder WHERE kind = 'd' AND proven_at IS NULL)"

EDITS = {
    f"UPDATE license SET {change} WHERE id = {number}": check
    for number, change, check in [
        (FULL, "expires_at = expires_at + 86400", Check.LICENSE),
        (FULL, "issued_at = issued_at + 1", Check.LICENSE),
        (FULL, "decision = decision - 1", Check.LICENSE),
        (FULL, "holder = (SELECT max(id) FROM holder)", Check.LICENSE),
        (FULL, "version = '2025'", Check.LICENSE),
        (FULL, "family = family + 1", Check.LICENSE),
        (FULL, "type = CASE type WHEN 'u' THEN 'd' ELSE 'u' END", Check.LICENSE),
        (FULL, "type = 'x'", Check.LICENSE),
        (FULL, "status = 't', seat = NULL, pack = NULL", Check.LICENSE),
        (FULL, "seat = 99", Check.SEAT),
        (FULL, "pack = (SELECT max(number) FROM pack)", Check.SEAT),
        (FULL, "ended_at = issued_at, ending = 'revoked'", Check.LICENSE),
        (ENDED, "ended_at = ended_at + 1", Check.LICENSE),
        ("(SELECT min(id) FROM license WHERE ending = 'upgraded')", "ending = 'released'", Check.LICENSE),
        (ENDED, "ended_at = NULL, ending = NULL", Check.LICENSE),
    ]
} | {
    "UPDATE license SET id = 999999 WHERE id = (SELECT min(id) FROM license)": Check.LICENSE,
    f"DELETE FROM license WHERE id = {ENDED}": Check.LICENSE,
    "INSERT INTO license (id, holder, type, status, version, family, issued_at, expires_at, decision) "
    "VALUES (999999, (SELECT min(id) FROM holder), 'd', 't', '2016', 7, 1, 2000000000, 1)": Check.LICENSE,
    f"UPDATE seat SET held_until = held_until + 1 WHERE license = {HELD}": Check.SEAT,
    f"UPDATE seat SET license = NULL, held_until = 0 WHERE license = {HELD}": Check.SEAT,
    f"UPDATE seat SET license = {ENDED} WHERE license = {HELD}": Check.SEAT,
    "UPDATE seat SET license = 999999 WHERE license IS NULL": Check.SEAT,
    f"UPDATE seat SET n = 99 WHERE license = {HELD}": Check.SEAT,
    "DELETE FROM seat WHERE license IS NULL": Check.SEAT,
    "INSERT INTO seat (pack, n) SELECT number, total + 1 FROM pack WHERE removed_at IS NULL": Check.SEAT,
    "UPDATE pack SET total = total + 1": Check.PACK,
    "UPDATE pack SET expires_at = expires_at - 1": Check.PACK,
    "UPDATE pack SET generation = generation + 1": Check.PACK,
    "UPDATE pack SET bought_as = '2025'": Check.PACK,
    "UPDATE pack SET transfer = 'T1'": Check.PACK,
    "UPDATE pack SET frozen_at = 5": Check.PACK,
    "UPDATE pack SET aside = 1": Check.PACK,
    f"UPDATE seat SET license = -1, held_until = {NEVER} WHERE license IS NULL": Check.SEAT,
    "UPDATE pack SET installed_at = installed_at - 1": Check.PACK,
    "UPDATE pack SET version = '2025' WHERE version <> '2025'": Check.PACK,
    "UPDATE pack SET family = family + 1": Check.PACK,
    "UPDATE pack SET type = 'u' WHERE type = 'd'": Check.PACK,
    "UPDATE pack SET id = 'another' WHERE number = (SELECT max(number) FROM pack)": Check.PACK,
    "UPDATE pack SET removed_at = NULL, id = 'back again' WHERE removed_at IS NOT NULL": Check.PACK,
    "UPDATE pack SET removed_at = 5 WHERE number = (SELECT max(number) FROM pack)": Check.PACK,
    f"UPDATE holder SET proven_at = proven_at + 1 WHERE id = {PROVEN}": Check.HOLDER,
    f"UPDATE holder SET proven_at = NULL WHERE id = {PROVEN}": Check.HOLDER,
    f"UPDATE holder SET proven_at = 1 WHERE id = {UNPROVEN}": Check.HOLDER,
    f"UPDATE holder SET key = 'another' WHERE id = {PROVEN}": Check.HOLDER,
    f"UPDATE holder SET kind = 'u' WHERE id = {PROVEN}": Check.HOLDER,
    f"UPDATE holder SET key = NULL, label = NULL, salt = NULL WHERE id = {PROVEN}": Check.HOLDER,
    f"UPDATE holder SET salt = NULL WHERE id = {PROVEN}": Check.HOLDER,
    "UPDATE server SET body = replace(body, 'LS1', 'LS2')": Check.SERVER,
    "UPDATE server SET body = replace(body, '\"user_days\": 30', '\"user_days\": 60')": Check.SERVER,
    "UPDATE server SET body = replace(body, '\"prevent_license_upgrade\": true', '\"prevent_license_upgrade\": false')": Check.SERVER,
    "UPDATE server SET body = replace(body, '\"temporary_days\": 90', '\"temporary_days\": 900')": Check.SERVER,
    "DELETE FROM server": Check.SERVER,
    "UPDATE server SET body = '{'": Check.SERVER,
    "UPDATE server SET body = '{}'": Check.SERVER,
    "UPDATE server SET body = '[]'": Check.SERVER,
    "INSERT INTO policy (host_group, mode, servers) VALUES ('g', 'u', '[')": Check.POLICY,
    "UPDATE request SET event = 999999": Check.REQUEST,
    "UPDATE tree SET frontier = (SELECT hash FROM holder LIMIT 1)": Check.TREE,
    "DELETE FROM tree": Check.TREE,
    "UPDATE checkpoint SET note = replace(note, '/calward', '/other')": Check.CHECKPOINT,
    "UPDATE checkpoint SET note = 'no note'": Check.CHECKPOINT,
    "UPDATE checkpoint SET size = size - 1": Check.CHECKPOINT,
    "INSERT INTO host (id, name, version, family, mode) VALUES (9, 'SH9', '2016', 7, 'd')": Check.HOST,
    "INSERT INTO policy (host_group, mode, servers) VALUES ('g', 'u', '[]')": Check.POLICY,
    "INSERT INTO token (id, name, role, hash, made_at, expires_at) "
    "SELECT 9, 'me', 'license-administrator', hash, 1, 2 FROM holder WHERE id = 1": Check.TOKEN,
}  # fmt: skip


def test_any_edit_of_a_table_is_named(lived):
    """One ledger for all, because each edit is rolled back."""
    assert lived.verify().holds
    missed = [edit for edit, check in EDITS.items() if check not in found_after(lived, edit)]
    assert missed == []
    assert lived.verify().holds


def found_after(office: Office, edit: str) -> set[Check]:
    """What verify would find after an edit, which is rolled back."""
    engine = open_writer(office.url)
    try:
        with engine.connect() as connection:
            for relax in RELAX[engine.dialect.name]:
                connection.exec_driver_sql(relax)
            assert connection.exec_driver_sql(edit).rowcount > 0, edit
            findings = verify_ledger(SqlRecords(connection), LOG, ladder()).findings
            connection.rollback()
    finally:
        engine.dispose()
    assert all(finding.where and finding.expected != finding.found for finding in findings)
    return {finding.what for finding in findings}


RELAX = {
    "sqlite": [
        "PRAGMA ignore_check_constraints = ON",
        "PRAGMA defer_foreign_keys = ON",
        "DROP INDEX license_cal",
        *WITHOUT_TRIGGERS["sqlite"],
    ],
    "postgresql": ["SET session_replication_role = replica", "DROP INDEX license_cal"],
}


# --- the tree, by somebody who also has the key ---


def rebuild_tree(office: Office) -> None:
    """Change an event, then make the tree and all checkpoints anew, with the real key."""
    number = event_of_kind(office, "act-refused")

    def change(connection: Connection) -> None:
        change_event(number, by="nobody")(connection)
        bodies = connection.exec_driver_sql("SELECT body FROM event ORDER BY position").scalars().all()
        stored = connection.exec_driver_sql("SELECT size FROM checkpoint").scalars().all()
        frontier = Frontier().extend(leaf_hash(body.encode()) for body in bodies)
        value = frontier.to_bytes().hex()
        literal = f"x'{value}'" if connection.dialect.name == "sqlite" else f"'\\x{value}'"
        connection.exec_driver_sql(f"UPDATE tree SET frontier = {literal}")
        for size in stored:
            root = Frontier().extend(leaf_hash(body.encode()) for body in bodies[:size]).root()
            note = a_note(size, root)
            connection.exec_driver_sql(f"UPDATE checkpoint SET note = '{note}' WHERE size = {size}")

    tamper(office, change)


def a_note(size: int, root: bytes, origin: str = ORIGIN, key: Ed25519Signer = SERVER) -> str:
    return sign_note(checkpoint_text(origin, size, root), origin, key.public_key, key.sign).encode()


def test_a_tree_made_anew_with_the_real_key_is_found_by_a_checkpoint_kept_elsewhere(lived):
    kept = lived.log.latest_checkpoint()
    rebuild_tree(lived)
    assert found(lived) == set()
    assert found(lived, kept) == {Check.CHECKPOINT}


def test_an_old_copy_put_back_is_found_by_a_checkpoint_kept_elsewhere(lived):
    root = base64.b64encode(b"r" * 32)
    kept = a_note(lived.log.frontier().size + 5, base64.b64decode(root))
    [finding] = lived.verify([kept]).findings
    assert "an old copy was put back" in finding.found


@pytest.mark.parametrize("past", [True, False])
def test_a_checkpoint_kept_elsewhere_of_any_past_state_is_consistent(lived, past):
    with lived.reader.connect() as connection:
        stored = connection.exec_driver_sql("SELECT note FROM checkpoint").scalar_one()
    assert lived.verify([stored if past else lived.log.latest_checkpoint()]).holds


def test_a_checkpoint_that_somebody_else_signed_is_not_believed(lived):
    frontier = lived.log.frontier()
    strange = a_note(frontier.size, frontier.root(), key=STRANGER)
    other = a_note(frontier.size, frontier.root(), origin="other/calward")
    for kept in (strange, other, "nothing of the kind"):
        assert found(lived, kept) == {Check.CHECKPOINT}


def test_a_thousand_findings_are_kept_and_the_rest_is_counted(lived):
    audit = Audit()
    for n in range(MOST_FINDINGS + 5):
        audit.add(Finding(Check.SEAT, str(n), "a", "b"))
    assert (len(audit.findings), audit.left_out, audit.holds) == (MOST_FINDINGS, 5, False)


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        ("DELETE FROM event WHERE id = (SELECT max(id) - 1 FROM event)", "order"),
        ("UPDATE tree SET frontier = (SELECT hash FROM holder LIMIT 1)", "tree"),
    ],
)
def test_doors_show_the_findings_though_the_tree_cannot_go_on(lived, edit, check):
    desk = SqlAuditDesk(lived.log, lived.reader, LOG, ladder())
    assert desk.verify(None)["holds"]
    lived.ask("not folded yet")
    lived.ask("nor this one")
    tamper(lived, edit)
    found = desk.verify(None)
    assert not found["holds"]
    if check == "tree" or lived.reader.dialect.name == "sqlite":  # PostgreSQL had given no place yet.
        assert check in {finding["what"] for finding in found["findings"]}
