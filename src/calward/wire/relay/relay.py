"""How does one connection go through the relay, from its first byte until there is nothing left to do but copy?

The table of its phases is in ``phases``; each part of the way is a module: ``opening``, ``joining``, ``licensing``,
``host_licensing``.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdpele.server_session import ServerSession
from calward.wire.relay.acts import Act
from calward.wire.relay.course import Course, Facts, Found, check_held
from calward.wire.relay.host_licensing import HostLicensing
from calward.wire.relay.joining import Joining
from calward.wire.relay.licensing import Licensing
from calward.wire.relay.opening import Opening
from calward.wire.relay.phases import Phase
from calward.wire.relay.terms import Terms, Verdict

__all__ = ["Relay"]

_Steps: TypeAlias = Mapping[Phase, Callable[[], Found]]
"""What is done with the bytes of a side in each phase. In a phase without a step they wait."""


class Relay:
    """One connection; bytes in, acts out.

    ``server_random``: 32 random bytes, ``challenge``: 10, both for this connection alone. Every method gives acts to be carried
    out in order, and raises RemoteProtocolError where a peer breaks the protocol; the connection is over then. A call out of
    turn is a LocalProtocolError and changes nothing.
    """

    def __init__(self, terms: Terms, *, server_random: bytes, challenge: bytes) -> None:
        decrypt = terms.decrypt_premaster
        session = ServerSession(
            terms.offer, server_random=server_random, challenge=challenge, decrypt_premaster=decrypt
        )
        self._course = course = Course(terms)
        self._opening = opening = Opening(course)
        self._joining = joining = Joining(course)
        self._licensing = licensing = Licensing(course, session)
        passing = HostLicensing(course)
        self._client_steps: _Steps = {
            Phase.REQUEST: opening.request,
            Phase.CONFIRM: opening.too_early,
            Phase.SECURING: opening.too_early,
            Phase.LOGON: opening.client_logs_on,
            Phase.JOINING: self._client_joins,
            Phase.LICENSING: licensing.from_client,
            Phase.RELEASED: passing.client_passes,
            Phase.SPLICED: passing.client_passes,
        }
        self._host_steps: _Steps = {
            Phase.CONFIRM: opening.confirm,
            Phase.LOGON: opening.host_logs_on,
            Phase.JOINING: joining.from_host,
            Phase.RELEASED: passing.from_host,
            Phase.SPLICED: passing.host_passes,
        }

    @property
    def phase(self) -> Phase:
        """How far the connection is."""
        return self._course.phase

    @property
    def facts(self) -> Facts:
        """What is known of it."""
        return self._course.facts

    @property
    def kept(self) -> int:
        """Bytes that it keeps for later."""
        course = self._course
        return len(course.client) + len(course.host) + len(course.held)

    def from_client(self, data: bytes) -> list[Act]:
        """Take what the client has sent."""
        return self._take(self._course.client, data)

    def from_host(self, data: bytes) -> list[Act]:
        """Take what the host has sent."""
        return self._take(self._course.host, data)

    def secured(self) -> list[Act]:
        """Go on after the handshakes that Secure asked for."""
        self._opening.secured()
        return self._go_on()

    def decided(self, verdict: Verdict) -> list[Act]:
        """Go on after the decision that Ask asked for."""
        if self.phase is not Phase.DECIDING:
            raise LocalProtocolError(f"no decision was asked for in phase {self.phase.name}", structure="relay")
        return [*self._licensing.decided(verdict), *self._go_on()]

    def _take(self, buffer: bytearray, data: bytes) -> list[Act]:
        """Add to a side's buffer, and go on as long as the phase has use for what is there; what is over takes nothing."""
        if self.phase is not Phase.CLOSED:
            buffer += data
        return self._go_on()

    def _go_on(self) -> list[Act]:
        """Let both sides take their steps until neither has one: what one says may be what the other has waited for."""
        course = self._course
        acts: list[Act] = []
        try:
            while (found := self._step()) is not None:
                acts += found
            check_held(len(course.client))
            check_held(len(course.host))
        except RemoteProtocolError as error:
            course.end(str(error))
            raise
        return acts

    def _step(self) -> Found:
        """Take one step of whichever side has one; None where both have to wait."""
        for buffer, steps in ((self._course.client, self._client_steps), (self._course.host, self._host_steps)):
            step = steps.get(self.phase)
            if buffer and step is not None and (found := step()) is not None:
                return found
        return None

    def _client_joins(self) -> Found:
        """Pass what the client sends to join, and begin licensing with its Client Info."""
        course = self._course
        if (packet := course.take_counted(course.client)) is None:
            return None
        passing = self._joining.from_client(packet)
        return self._licensing.begin() if passing is None else passing
