"""Can any file do worse than be refused?"""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from calward.app.scenarios.player import play
from calward.domain.errors import LicensingError
from tests.support.scenarios import ESTATE, a_step, read

GOOD = (
    ESTATE
    + a_step(expect='{ outcome = "granted", expires_in_days = { min = 1 } }')
    + a_step("look", server='"LS1"', expect='{ version = "2022", total = 1 }')
    + a_step("revoke", server='"LS1"', device='"PC1"', expect='{ reason = ["not-found"] }')
    + a_step("set", server='"LS1"', user_days="3")
)
LINES = GOOD.splitlines()
VALUES = st.sampled_from(
    [
        "0",
        "-1",
        "1e999",
        "nan",
        "true",
        '""',
        '"x"',
        '"2003"',
        "[]",
        "[[]]",
        "{}",
        "{ min = 1 }",
        "2026-01-01",
        '"\\u0000"',
        "9" * 30,
    ]
)


@given(st.text())
def test_any_text_is_a_scenario_or_refused(text):
    with contextlib.suppress(LicensingError):
        read(text)


@given(st.integers(0, len(LINES) - 1), VALUES)
def test_a_scenario_with_any_value_changed_is_played_or_refused(number, value):
    key = LINES[number].partition(" = ")[0]
    changed = [*LINES[:number], f"{key} = {value}", *LINES[number + 1 :]]
    with contextlib.suppress(LicensingError):
        play(read("\n".join(changed)))


@given(st.lists(st.integers(0, len(LINES) - 1)))
def test_a_scenario_with_lines_left_out_is_played_or_refused(left_out):
    with contextlib.suppress(LicensingError):
        play(read("\n".join(line for number, line in enumerate(LINES) if number not in left_out)))
