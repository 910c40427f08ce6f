"""The page of settings leaves nothing out and says nothing that is not so."""

from dataclasses import Field, fields
from pathlib import Path

import pytest

from calward.config import PREFIX, ServerConfig
from calward.domain.errors import LicensingError
from calward.domain.settings import PerUser, Settings, changed

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip("`"): cells[1:]
    for line in PAGE.splitlines()
    if line.startswith("| `") and (cells := [cell.strip() for cell in line.strip("| ").split(" | ")])
}
PROGRAM, RULES = fields(ServerConfig), fields(Settings)


def shown(default: object) -> str:
    """A default as the page writes it."""
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else "empty"


def test_there_is_a_row_for_each_setting_in_the_order_of_the_code_and_no_other():
    assert list(ROWS) == [setting.name for setting in (*PROGRAM, *RULES)]


@pytest.mark.parametrize("setting", PROGRAM, ids=lambda setting: setting.name)
def test_a_setting_of_the_program_is_told_as_the_code_has_it(setting: Field[object]):
    assert ROWS[setting.name] == [shown(setting.default), setting.metadata["meaning"]]


def test_the_environment_is_named_as_the_code_reads_it():
    assert f"`{PREFIX}DATA_DIR`" in PAGE


@pytest.mark.parametrize("setting", RULES, ids=lambda setting: setting.name)
def test_a_setting_of_the_rules_has_the_default_of_the_code(setting: Field[object]):
    assert ROWS[setting.name][0] == shown(setting.default)


@pytest.mark.parametrize("setting", RULES, ids=lambda setting: setting.name)
def test_the_values_that_the_page_allows_are_taken_and_those_beside_them_are_not(setting: Field[object]):
    name, values = setting.name, ROWS[setting.name][1]
    if isinstance(setting.default, bool | PerUser):
        inside, outside = values.replace("`", "").split(", "), ["perhaps"]
    else:
        low, high = (int(word) for word in values.partition(" days")[0].split(" to "))
        inside, outside = [str(low), str(high)], [str(low - 1), str(high + 1)]
    widest = changed(Settings(), {"full_days_min": 1, "full_days_max": 36_500})  # So that neither stands in the way.
    for value in inside:
        changed(widest, {name: value})
    for value in outside:
        with pytest.raises(LicensingError, match=name):
            changed(widest, {name: value})
