import runpy
from pathlib import Path

from calward.wire.relay.phases import SECTIONS, TRANSITIONS, Event, Phase
from calward.wire.relay.reference import page

ROOT = Path(__file__).parents[4]


def test_the_page_of_the_relays_state_table_is_up_to_date() -> None:
    path = ROOT / "docs" / "reference" / "rdp-relay.md"
    assert path.read_text(encoding="utf-8") == page(), (
        "run: python -m calward.wire.relay.reference > docs/reference/rdp-relay.md"
    )


def test_every_phase_has_its_section_and_its_row() -> None:
    assert set(SECTIONS) == set(TRANSITIONS) == set(Phase)


def test_what_the_page_says_of_every_phase_is_true() -> None:
    assert all(events[Event.ENDED] is Phase.CLOSED for events in TRANSITIONS.values())


def test_the_module_writes_the_page(capsys) -> None:
    runpy.run_path(str(ROOT / "src/calward/wire/relay/reference.py"), run_name="__main__")
    assert capsys.readouterr().out == page()
