"""How is a client licensed, while its Client Info is held back and the host hears nothing?

Source: [MS-RDPELE] 1.3.3, 3.2.5; [MS-RDPBCGR] 2.2.1.12.
"""

from typing import Final

from calward.wire.rdp import mcs
from calward.wire.rdp.licensing_data import licensing_message
from calward.wire.rdp.tpkt import is_fast_path
from calward.wire.rdpele.server_session import Challenged, Client, Ended, Presented, Proven, ServerSession
from calward.wire.relay.acts import Act, Ask, LoggedOn, ToClient, ToHost
from calward.wire.relay.course import Course, Found, out_of_order
from calward.wire.relay.phases import Event
from calward.wire.relay.refusal import VALID, refusal
from calward.wire.relay.terms import Verdict

__all__ = ["Licensing"]

_RDESKTOP_BUILD: Final = 2600
"""The build that rdesktop names, and FreeRDP does not."""


class Licensing:
    """The part of a connection's way in which it turns out whether the client may connect."""

    def __init__(self, course: Course, session: ServerSession) -> None:
        self._course = course
        self._session = session
        self._client: Client | None = None
        """Whom the last decision was asked about."""
        self._proven = False
        self._token: bytes | None = None
        """What the client gets once it has answered the challenge, as it was decided."""

    def begin(self) -> list[Act]:
        """Ask the client for its license, or, where nobody asks for licenses, for a decision at once."""
        course = self._course
        if not course.terms.exchange:
            course.move(Event.HELD_UNASKED)
            return [Ask(None, course.facts.name, course.facts.user)]
        course.move(Event.HELD)
        return [course.told(self._session.start())]

    def from_client(self) -> Found:
        """Take a licensing message; all else is kept for the host."""
        course = self._course
        if (packet := course.take_counted(course.client)) is None:
            return None
        if is_fast_path(packet):
            raise out_of_order("the client sends input before its license")
        pdu = mcs.decode(packet)
        if isinstance(pdu, mcs.DisconnectUltimatum):
            return [course.end("the client left while its license was asked for")]
        message = None
        if isinstance(pdu, mcs.SendDataRequest) and pdu.channel == course.io_channel:
            message = licensing_message(pdu.data)
        if message is None:
            course.hold(packet)
            return []
        return self._receive(message)

    def _receive(self, message: bytes) -> list[Act]:
        match self._session.receive(message):
            case Challenged(send):
                return [self._course.told(send)]
            case Presented(client):
                return self._ask(client, proven=False)
            case Proven(client):
                return self._ask(client, proven=True)
            case Ended(send, why):
                told = [self._course.told(send)] if send else []
                return [*told, self._course.end(f"licensing ended: {why}")]

    def _ask(self, client: Client, *, proven: bool) -> list[Act]:
        """Ask for a decision, unless the one that was made for a presented license holds for who has answered the challenge."""
        before, token = self._client, self._token
        self._client, self._proven, self._token = client, proven, None
        if token is not None and before is not None and before.hardware_id == client.hardware_id:
            return self._let_through(self._session.grant(token))
        self._course.move(Event.SHOWN)
        facts = self._course.facts
        return [Ask(client, facts.name or client.machine_name, facts.user)]

    def decided(self, verdict: Verdict) -> list[Act]:
        """Go on as was decided; the course is in DECIDING."""
        if not verdict.granted:
            return self._refuse(no_server=verdict.no_server)
        if self._client is None:
            return self._let_through(VALID)
        if verdict.token is None:
            return self._let_through(self._session.accept())
        if self._proven:
            return self._let_through(self._session.grant(verdict.token))
        self._token = verdict.token
        self._course.move(Event.CHALLENGED)
        return [self._course.told(self._session.challenge())]

    def _let_through(self, message: bytes) -> list[Act]:
        """End the client's licensing well, and hand over to the host what was held."""
        course = self._course
        course.move(Event.LET_THROUGH)
        held = bytes(course.held)
        course.held.clear()
        acts: list[Act] = [course.told(message), ToHost(held)]
        return [*acts, LoggedOn()] if course.facts.logged_on else acts

    def _refuse(self, *, no_server: bool) -> list[Act]:
        course = self._course
        null_keys = self._client is not None and self._client.null_keys
        rdesktop = null_keys or course.facts.build == _RDESKTOP_BUILD
        told = refusal(course, no_server=no_server, rdesktop=rdesktop)
        return [ToClient(told), course.end("refused")]
