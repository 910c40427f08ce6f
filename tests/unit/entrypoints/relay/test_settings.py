"""Are the relay's limits such that a client never gives up before the relay does?"""

from dataclasses import fields

from calward.entrypoints.relay import Limits

FREERDP_SECONDS = 9.0
WAITS_ON_PURPOSE = {"person", "flush", "waiting"}
"""A person before the client's own clock runs; the last bytes after it; and a number that is no time."""


def test_the_client_is_told_before_its_own_patience_ends():
    limits = Limits()
    seconds = {
        field.name: getattr(limits, field.name) for field in fields(Limits) if field.name not in WAITS_ON_PURPOSE
    }
    assert len(seconds) == 7
    assert max(seconds.values()) < FREERDP_SECONDS
    assert limits.decide + limits.linger < limits.connect
