"""The page about the clearinghouse's register leaves nothing out and says what the rules say."""

import re
from itertools import product
from pathlib import Path

import pytest

from calward.app.clearinghouse.sign_checkpoint import ORIGIN
from calward.app.clearinghouse.verify_register import RegisterCheck
from calward.domain.pack_requests import MAX_PACKS
from calward.domain.purchases import FORMS
from calward.domain.register import TRANSITIONS, Act, RegisterState
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import Program

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "clearinghouse-register.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*RegisterEvent, *RegisterCheck, *RegisterState, *Act, *Program, ORIGIN])
def test_every_name_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(("act", "state"), list(product(Act, RegisterState)))
def test_the_table_of_states_is_that_of_the_code(act: Act, state: RegisterState) -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    cell = rows[act].split(" | ")[list(RegisterState).index(state)]
    after = TRANSITIONS[state].get(act)
    assert cell == ("refused" if after is None else f"`{after}`")


@pytest.mark.parametrize("program", list(Program))
def test_every_program_has_its_numbers(program: Program) -> None:
    assert all(form.title in PAGE and f" {form.length} " in PAGE for form in FORMS[program])
    assert f"at most {MAX_PACKS} packs" in PAGE
