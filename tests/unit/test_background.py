"""What does the log tell of what runs beside the routes?"""

import asyncio
from contextlib import suppress

from structlog.testing import capture_logs

from calward.bootstrap.background import every


def test_a_failure_that_comes_again_and_again_is_told_whole_once_until_it_is_over():
    turns = iter([OSError("away"), OSError("away"), None, OSError("away"), ValueError("a bug")])

    def act() -> None:
        turn = next(turns, asyncio.CancelledError())
        if turn is not None:
            raise turn

    with capture_logs() as logs, suppress(asyncio.CancelledError):
        asyncio.run(every(0, act))
    assert [(line["error"], line["exc_info"]) for line in logs] == [
        ("OSError", True),
        ("OSError", False),
        ("OSError", True),
        ("ValueError", True),
    ]
    assert {line["act"] for line in logs} == {"act"}
