"""Whether a session's terminal is still there."""

from datetime import timedelta

import pytest

from calward.adapters.sessionhost.terminals import is_gone
from calward.app.sessionhost.ports import BoundSession
from tests.support.session_host import NOW


@pytest.fixture
def gone(tmp_path):
    (tmp_path / "X10").touch()
    (tmp_path / "pts").mkdir()
    (tmp_path / "pts" / "3").touch()

    def ask(line: str, minutes: float = 5) -> bool:
        session = BoundSession(line, NOW - timedelta(minutes=minutes), None)
        return is_gone(session, NOW, x_sockets=tmp_path, devices=tmp_path)

    return ask


@pytest.mark.parametrize(("line", "expected"), [
    (":10", False), (":10.0", False), (":11", True), ("pts/3", False), ("pts/4", True), ("tty9", True),
    ("ssh", False), ("xrdp-sesman", False), ("", False),
])  # fmt: skip
def test_a_session_is_gone_with_its_terminal(gone, line, expected):
    assert gone(line) is expected


def test_a_session_that_has_just_opened_may_have_none_yet(gone):
    assert not gone(":11", minutes=0.5)
