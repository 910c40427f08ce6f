"""Does every event get its place, and does the log leave the ledger so that somebody else can check it?"""

import json
import re
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from calward.adapters.store.engines import open_writer
from calward.adapters.store.records import open_records
from calward.app.licensing.export_audit import export_audit
from calward.app.licensing.requests import Request
from calward.domain.errors import LicensingError, Problem
from calward.domain.merkle import EMPTY_ROOT, Frontier, leaf_hash, verify_consistency
from calward.domain.merkle import consistency_proof as proof_of
from calward.domain.notes import parse_checkpoint, parse_note, verify_note
from tests.support.audits import LOG, ORIGIN, USERS_HOST, Office, a_long_history
from tests.support.builders import a_question

DOCS = Path(__file__).parents[3] / "docs"


def bodies(office: Office) -> list[str]:
    with open_records(office.reader) as records:
        return [stored.body for stored in records.placed()]


def stored_sizes(office: Office) -> list[int]:
    with open_records(office.reader) as records:
        return [size for size, _ in records.checkpoints()]


# --- the tree ---


def test_an_empty_log_has_the_empty_root(office):
    assert office.log.fold() == 0
    assert parse_checkpoint(parse_note(office.log.latest_checkpoint()).text).root == EMPTY_ROOT


def test_folding_gives_each_event_one_place_and_says_how_many_there_are(office):
    a_long_history(office)
    size = office.log.fold()
    with open_records(office.reader) as records:
        assert [stored.position for stored in records.placed()] == list(range(1, size + 1))
        assert size == records.count()


def test_folding_in_steps_makes_the_same_tree_as_folding_at_once(office):
    office.open_for_business()
    office.install("P", 50)
    for n in range(20):
        office.ask(f"user{n}")
        if n % 3 == 0:
            office.log.fold()
    office.log.fold()
    assert office.log.frontier() == Frontier().extend(leaf_hash(body.encode()) for body in bodies(office))


def test_more_events_than_one_step_takes_are_folded_in_several(office, monkeypatch):
    monkeypatch.setattr("calward.adapters.store.tree._AT_ONCE", 3)
    a_long_history(office)
    assert office.log.fold() > 9
    assert office.verify().holds


def test_folding_when_nothing_is_new_writes_nothing(office):
    office.open_for_business()
    office.log.fold()
    office.ledger.write = None  # Whoever writes now fails.
    assert office.log.fold() == 1


def test_events_that_got_places_from_one_who_ended_then_are_folded_by_the_next(office):
    a_long_history(office)
    if office.reader.dialect.name == "postgresql":
        office.ledger.write(lambda book: book.tree.place())
    assert office.log.frontier().size == 0
    assert office.log.fold() == len(bodies(office))


def test_a_tree_that_another_has_grown_meanwhile_stays_as_that_one_left_it(office):
    a_long_history(office)
    old, late = office.log.frontier(), Frontier().append(leaf_hash(b"late"))
    office.log.fold()
    grown = office.log.frontier()
    assert not office.ledger.write(lambda book: book.tree.grow(old, late))
    assert office.log.frontier() == grown


def test_a_log_with_a_hole_is_not_folded_over(office):
    office.open_for_business()
    office.log.fold()
    office.install("P", 5)
    office.install("Q", 5)
    engine = open_writer(office.url)
    with engine.begin() as connection:
        sqlite = engine.dialect.name == "sqlite"
        connection.exec_driver_sql("DROP TRIGGER event_stays" + ("" if sqlite else " ON event"))
        first, second = connection.exec_driver_sql("SELECT id FROM event ORDER BY id DESC LIMIT 2").scalars()
        if sqlite:
            connection.exec_driver_sql(f"DELETE FROM event WHERE id = {second}")
        else:
            connection.exec_driver_sql(f"UPDATE event SET position = {first + 5} WHERE id = {first}")
    engine.dispose()
    with pytest.raises(LicensingError, match="calward audit verify") as caught:
        office.log.fold()
    assert caught.value.problem is Problem.CORRUPT
    assert not office.verify().holds


def test_an_act_that_draws_a_number_in_vain_leaves_no_hole_in_the_tree(office):
    def in_vain(book):
        book.new_id()
        raise LicensingError(Problem.CONFLICT, "after all not")

    office.open_for_business()
    asks = [Request(a_question(USERS_HOST, f"user{n}", f"r{n}"), office.entropy) for n in range(3)]
    results = office.ledger.write_all([asks[0], in_vain, asks[1], in_vain, in_vain, asks[2]])
    assert sum(isinstance(result, LicensingError) for result in results) == 3
    assert office.log.fold() == len(bodies(office))
    assert office.verify().holds


# --- checkpoints ---


def test_a_checkpoint_is_signed_by_the_server_over_exactly_the_folded_events(office):
    a_long_history(office)
    size = office.log.fold()
    office.ask("not folded yet")
    note = parse_note(office.log.latest_checkpoint())
    found = parse_checkpoint(note.text)
    assert verify_note(note, ORIGIN, LOG.public_keys[0], LOG.verify)
    assert (found.origin, found.size) == (ORIGIN, size)
    assert found.root == Frontier().extend(leaf_hash(body.encode()) for body in bodies(office)[:size]).root()


def test_checkpoints_are_consistent_with_each_other(office):
    found = []
    office.open_for_business()
    office.install("P", 50)
    for n in range(12):
        office.ask(f"user{n}")
        found.append(parse_checkpoint(parse_note(office.log.store_checkpoint()).text))
    leaves = [leaf_hash(body.encode()) for body in bodies(office)]
    for old, new in pairwise(found):
        proof = proof_of(leaves[: new.size], old.size)
        assert verify_consistency(old.size, new.size, old.root, new.root, proof)
    assert stored_sizes(office) == [one.size for one in found]


def test_the_checkpoint_of_a_size_is_always_the_same_note(office):
    office.open_for_business()
    office.log.fold()
    first = office.log.latest_checkpoint()
    office.clock.pass_days(1)
    assert office.log.latest_checkpoint() == first
    assert office.log.store_checkpoint() == first


def test_another_replica_is_given_the_checkpoint_that_is_stored(office):
    office.open_for_business()
    first = office.log.store_checkpoint()
    other = Office(office.url, office.clock) if "postgresql" in office.url else office
    office.clock.pass_days(1)
    assert other.log.store_checkpoint() == first
    if other is not office:
        other.close()


def test_one_checkpoint_a_day_is_stored_by_itself(office):
    office.open_for_business()
    for _ in range(3):
        office.log.tend()
    assert len(stored_sizes(office)) == 1
    for n in range(3):
        office.clock.pass_days(1)
        office.install(f"P{n}", 1)
        office.log.tend()
        office.log.tend()
    assert len(stored_sizes(office)) == 4
    assert office.verify().holds


def test_an_empty_ledger_stores_no_checkpoint(office):
    assert office.log.tend() == 0
    assert stored_sizes(office) == []


# --- leaving the ledger ---


def exported(office: Office) -> list[str]:
    note = office.log.store_checkpoint()
    with open_records(office.reader) as records:
        return list(export_audit(records, note))


def test_an_export_is_all_events_and_the_checkpoint_over_them(office):
    a_long_history(office)
    *lines, last = exported(office)
    events = [json.loads(line) for line in lines]
    checkpoint = parse_checkpoint(parse_note(json.loads(last)["checkpoint"]).text)
    assert [event["position"] for event in events] == list(range(1, checkpoint.size + 1))
    assert [line.partition('"event":')[2][:-1] for line in lines] == bodies(office)


def test_an_export_holds_no_names(office):
    office.open_for_business()
    office.install("P", 5)
    office.ask("Zoë Müller")
    text = "\n".join(exported(office))
    assert "Zo" not in text
    assert '"holder":"u:' in text


def test_an_export_ends_where_its_checkpoint_ends_though_more_happens_meanwhile(office):
    a_long_history(office)
    note = office.log.store_checkpoint()
    office.ask("meanwhile")
    office.log.fold()
    with open_records(office.reader) as records:
        assert len(list(export_audit(records, note))) == parse_checkpoint(parse_note(note).text).size + 1


def test_a_snapshot_sees_nothing_of_what_happens_after_it(office):
    a_long_history(office)
    office.log.fold()
    with open_records(office.reader) as records:
        before = records.count(), len(list(records.licenses()))
        asking = threading.Thread(target=office.ask, args=("meanwhile",))
        asking.start()
        asking.join()
        assert (records.count(), len(list(records.licenses()))) == before
    assert office.verify().events > before[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [(lambda text: text, "the log agrees"), (lambda text: text.replace("user", "usex", 1), "was changed")],
)
def test_a_third_party_checks_an_export_with_the_script_of_the_guide(office, tmp_path, change, says):
    office.open_for_business(user_days=30)
    office.install("P", 5)
    for n in range(9):
        office.ask(f"user{n}")
    file, script = tmp_path / "events.jsonl", tmp_path / "check.py"
    file.write_text(change("\n".join(exported(office)) + "\n"), encoding="utf-8")
    [found] = re.findall(r"```python\n(.*?)```", (DOCS / "howto" / "audit.md").read_text(encoding="utf-8"), re.DOTALL)
    script.write_text(found, encoding="utf-8")
    assert len(found.strip().splitlines()) <= 14
    done = subprocess.run([sys.executable, "-I", script, file], capture_output=True, text=True, check=True)
    assert says in done.stdout
