"""What does a host keep of its license servers' ledgers, and what does it show to whom?"""

import base64
import json
import stat
from pathlib import Path

import pytest

from calward.adapters.sessionhost.checkpoints import HostCheckpoints

ONE, OTHER = "https://ls1:8460", "https://ls2:8460"


def a_header(size: int, origin: str = "5e/calward", day: int = 1) -> str:
    note = f"{origin}\n{size}\nroot\ntime 2026-03-{day:02}T08:00:00Z\n\n— name signature\n"
    return base64.b64encode(note.encode()).decode()


def since(day: int) -> str:
    return str(1772352000 + (day - 1) * 86400)  # 2026-03-01T08:00:00Z and so many days.


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def seen(tmp_path: Path, complaints: list[str]) -> HostCheckpoints:
    return HostCheckpoints(tmp_path / "state", complaints.append)


def test_nothing_is_shown_before_anything_was_heard(seen):
    assert seen.newest(ONE) is None


@pytest.mark.parametrize("sizes", [(5, 9), (9, 5), (9, 9)])
def test_the_largest_is_shown_whatever_was_heard_last(seen, sizes):
    for size in sizes:
        seen.heard(ONE, a_header(size), None)
    assert seen.newest(ONE) == a_header(9)


def test_each_ledger_hears_of_itself_only(seen):
    seen.heard(ONE, a_header(9), None)
    seen.heard(OTHER, a_header(5, "07/calward"), None)
    assert seen.newest(OTHER) == a_header(5, "07/calward")


def test_two_addresses_of_one_ledger_hear_of_each_other(seen):
    seen.heard(ONE, a_header(9), None)
    seen.heard(OTHER, a_header(5), None)
    assert seen.newest(OTHER) == a_header(9)


def test_what_was_given_up_is_forgotten_for_what_came_after(seen):
    seen.heard(ONE, a_header(9, day=1), None)
    seen.heard(OTHER, a_header(8, day=1), None)
    seen.heard(ONE, a_header(5, day=3), since(2))
    assert seen.newest(ONE) == seen.newest(ONE) == a_header(5, day=3)


def test_what_came_after_a_recovery_is_not_forgotten_when_its_time_is_told_again(seen):
    seen.heard(ONE, a_header(9, day=3), since(2))
    seen.heard(ONE, a_header(5, day=4), since(2))
    assert seen.newest(ONE) == a_header(9, day=3)


@pytest.mark.parametrize(
    "header",
    ["", "bm90ZQ==", "§", base64.b64encode(b"a\nb\nc\ntime x\n").decode(), "A" * 3000, a_header(1)[:-40] + "*"],
)
def test_what_is_no_checkpoint_is_not_kept(seen, header):
    seen.heard(ONE, header, None)
    assert seen.newest(ONE) is None


def test_it_is_known_to_the_next_process_and_to_nobody_else(seen, tmp_path, complaints):
    seen.heard(ONE, a_header(9), None)
    kept = tmp_path / "state" / "checkpoints.json"
    assert HostCheckpoints(tmp_path / "state", complaints.append).newest(ONE) == a_header(9)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [one.name for one in kept.parent.iterdir()] == [kept.name]
    assert complaints == []


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b'{"x": 1}', b'{"x": {"origin": 1, "size": "y", "at": 1, "header": ""}}']
)
def test_a_broken_file_is_complained_of_and_begun_anew(tmp_path, complaints, content):
    (tmp_path / "checkpoints.json").write_bytes(content)
    seen = HostCheckpoints(tmp_path, complaints.append)
    assert len(complaints) == 1
    seen.heard(ONE, a_header(9), None)
    assert json.loads((tmp_path / "checkpoints.json").read_bytes())[ONE]["size"] == 9


def test_a_folder_that_cannot_be_written_is_complained_of_once(tmp_path, complaints):
    (tmp_path / "state").write_text("a file")
    seen = HostCheckpoints(tmp_path / "state", complaints.append)
    complaints.clear()
    for name in (ONE, OTHER, "https://ls3"):
        seen.heard(name, a_header(9), None)
    assert len(complaints) == 1
    assert seen.newest(ONE) == a_header(9)
