import runpy
from pathlib import Path

from calward.wire.rdpele.licensing_states import SECTIONS, TRANSITIONS
from calward.wire.rdpele.reference import page


def test_the_page_of_the_state_table_is_up_to_date() -> None:
    path = Path(__file__).parents[4] / "docs" / "reference" / "rdp-licensing.md"
    assert path.read_text(encoding="utf-8") == page(), (
        "run: python -m calward.wire.rdpele.reference > docs/reference/rdp-licensing.md"
    )


def test_every_row_of_the_table_has_its_section_and_nothing_else_has() -> None:
    assert {state: set(events) for state, events in SECTIONS.items()} == {
        state: set(events) for state, events in TRANSITIONS.items()
    }


def test_the_module_writes_the_page(capsys) -> None:
    source = Path(__file__).parents[4] / "src/calward/wire/rdpele/reference.py"
    runpy.run_path(str(source), run_name="__main__")
    assert capsys.readouterr().out == page()
