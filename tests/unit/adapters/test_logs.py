"""Does the log say what happened without what variables held?"""

import io
import json

import pytest
import structlog

from calward.adapters.logs import configure_logs


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def as_before():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def fail(token):
    if token:
        raise RuntimeError("broken")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_failure_is_told_with_its_trace_and_without_values(stream):
    configure_logs(stream)
    try:
        fail("cala_" + "secret")
    except RuntimeError:
        structlog.get_logger().exception("it.failed")
    text = stream.getvalue()
    assert "RuntimeError: broken" in text
    assert "fail(" in text
    assert "cala_secret" not in text


def test_programs_get_one_object_a_line():
    stream = io.StringIO()
    configure_logs(stream)
    structlog.get_logger().warning("host.odd", name="a\nb\x1b")
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["name"] == "a\nb\x1b"
