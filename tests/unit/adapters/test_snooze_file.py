"""Are snoozes kept, whole or not at all?"""

import pytest

from calward.adapters.estates.snooze_file import SnoozeFile, own_snoozes
from calward.domain.errors import LicensingError, Problem
from calward.insight.snoozes import Snooze


def test_what_was_written_is_read_and_nothing_else_is_left(tmp_path):
    file = SnoozeFile(tmp_path / "deep" / "snoozes.json")
    assert file.read() == ()
    kept = (Snooze("headroom@LS1 2019/per-user", "ordered ✓", 1_800_000_000),)
    file.write(kept)
    file.write(kept)
    assert file.read() == kept
    assert [one.name for one in (tmp_path / "deep").iterdir()] == ["snoozes.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"snoozes": [{"id": 1, "reason": "", "until": 2}]}', '{"snoozes": [3]}', "\x80"]
)
def test_another_file_is_said_to_be_none(tmp_path, text):
    (tmp_path / "s.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(LicensingError) as caught:
        SnoozeFile(tmp_path / "s.json").read()
    assert caught.value.problem is Problem.CORRUPT


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(LicensingError) as caught:
        SnoozeFile(tmp_path / "taken" / "s.json").write(())
    assert caught.value.problem is Problem.UNAVAILABLE


def test_a_servers_snoozes_are_in_the_users_state_folder_whatever_it_is_called(tmp_path):
    path = own_snoozes({"XDG_STATE_HOME": str(tmp_path), "HOME": "/home/a"}, "../../LS 1")
    assert path.parent == tmp_path / "calward" / "snoozes"
    assert "/" not in path.name
    assert str(own_snoozes({"HOME": "/home/a"}, "LS1")) == "/home/a/.local/state/calward/snoozes/LS1.json"
