"""What does a client's licensing cost the relay, and what does copying cost beside a bare splice of two TLS connections?

Handshakes are counted in memory: from Client Info to the end of licensing, without TLS and without the client's own work, which is
measured for itself and taken off. Copying is measured over sockets, relay and yardstick in turn.
"""

import time
from collections.abc import Mapping
from typing import Any

from bench.figures import Sizes, middle
from calward.wire.rdpele.client_session import Answered, ClientSession, Refused
from calward.wire.relay import Ask, Relay, ToClient, Verdict
from tests.support import relayed

__all__ = ["measure"]

_FORMS: Mapping[str, tuple[bytes | None, bytes | None, bool]] = {
    "new": (None, b"a license" * 60, False),
    "presented": (b"a license" * 60, None, False),
    "upgrade": (b"a license" * 60, b"a newer license" * 40, False),
    "null_keys": (None, b"a license" * 60, True),
}
"""What the client has stored, what it is given, and whether its keys are null as rdesktop's."""


def measure(sizes: Sizes) -> dict[str, Any]:
    """CPU milliseconds per handshake of each form, and handshakes a second on one core."""
    found: dict[str, Any] = {}
    for form, (stored, token, bare) in _FORMS.items():
        rounds = [_handshakes(stored, token, sizes.handshakes, bare=bare) for _ in range(sizes.rounds)]
        milliseconds = middle([1000 * seconds / sizes.handshakes for seconds in rounds])
        found[form] = {"cpu_ms": milliseconds, "per_second_per_core": round(1000 / milliseconds)}
    return found


def _handshakes(stored: bytes | None, token: bytes | None, count: int, *, bare: bool) -> float:
    """CPU seconds of the relay for so many."""
    return sum(_one(relayed.licensing_client(stored=stored, bare=bare), token) for _ in range(count))


def _one(client: ClientSession, token: bytes | None) -> float:
    relay = Relay(relayed.terms(), server_random=b"\x01" * 32, challenge=b"0123456789")
    relay.from_client(relayed.CR)
    relay.from_host(relayed.confirm())
    relay.secured()
    relay.from_client(relayed.connect_initial())
    relay.from_host(relayed.connect_response())
    spent, packet = 0.0, relayed.client_info()
    while True:
        began = time.process_time()
        acts = relay.from_client(packet)
        if any(isinstance(act, Ask) for act in acts):
            acts = relay.decided(Verdict(granted=True, token=token))
        spent += time.process_time() - began
        step = client.receive(next(relayed.message_of(act.data) for act in acts if isinstance(act, ToClient)))
        if not isinstance(step, Answered):
            break
        packet = relayed.send(relayed.USER, relayed.IO, relayed.licensing(step.send))
    if isinstance(step, Refused):
        raise SystemExit(f"bench: a handshake ended with {step}")
    return spent
