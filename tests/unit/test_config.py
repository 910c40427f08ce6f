"""Is a setting that is a number read from every place, and refused where it is none?"""

import pytest

from calward.config import load_config
from calward.domain.errors import LicensingError


@pytest.mark.parametrize("text", ["60", 60])
def test_a_number_is_read(text):
    assert load_config(None, {}, {"findings_every_seconds": text}).findings_every_seconds == 60


def test_a_number_comes_from_the_environment_and_from_a_file(tmp_path):
    assert load_config(None, {"CALWARD_FINDINGS_EVERY_SECONDS": "0"}, {}).findings_every_seconds == 0
    file = tmp_path / "calward.toml"
    file.write_text("findings_every_seconds = 900\n")
    assert load_config(file, {}, {}).findings_every_seconds == 900


@pytest.mark.parametrize("value", ["-1", -1, "1.5", 1.5, "5m", "", True, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(LicensingError, match="findings_every_seconds in the command line must be a whole number"):
        load_config(None, {}, {"findings_every_seconds": value})
