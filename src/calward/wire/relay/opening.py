"""How do client and host come to speak through TLS? Negotiation, TLS, and CredSSP, which passes unread.

Source: [MS-RDPBCGR] 2.2.1.1, 2.2.1.2, 5.4.2.
"""

from dataclasses import replace

from calward.wire.rdp.credssp import Logon
from calward.wire.rdp.x224 import NegotiationFailure
from calward.wire.relay import negotiation
from calward.wire.relay.acts import Act, OpenHost, Secure, ToClient, ToHost
from calward.wire.relay.course import Course, Found, check_held, out_of_order
from calward.wire.relay.negotiation import HostSecurity
from calward.wire.relay.phases import Event

__all__ = ["Opening"]


class Opening:
    """The first part of a connection's way."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._logon = Logon()
        self._client_logon_bytes = 0
        self._host_logon_bytes = 0

    def request(self) -> Found:
        """Take the client's Connection Request."""
        course = self._course
        if (packet := course.take(course.client)) is None:
            return None
        answer = negotiation.request(packet, course.terms.host_security)
        if isinstance(answer, NegotiationFailure):
            return [ToClient(answer.encode()), course.end(negotiation.why_refused(packet))]
        course.facts = replace(course.facts, offered=answer.protocols)
        course.move(Event.OFFERED)
        return [OpenHost(), ToHost(answer.to_host)]

    def too_early(self) -> Found:
        """Refuse a client that sends while it has to wait: before TLS there is nothing it could say."""
        raise out_of_order("the client sends before it is its turn")

    def confirm(self) -> Found:
        """Take the host's Connection Confirm."""
        course = self._course
        if (packet := course.take(course.host)) is None:
            return None
        if course.host:
            raise out_of_order("the host sends before TLS is set up")
        security = course.terms.host_security
        answer = negotiation.confirm(packet, course.facts.offered, security)
        if isinstance(answer, NegotiationFailure):
            why = f"the host refuses this client's security (failure {answer.code})"
            return [ToClient(packet), course.end(why)]
        course.facts = replace(course.facts, nla=answer.nla)
        course.move(Event.AGREED)
        return [ToClient(answer.to_client), Secure(host=security is not HostSecurity.PLAIN)]

    def secured(self) -> None:
        """Go on behind TLS."""
        self._course.move(Event.SECURED_BEFORE_LOGON if self._course.facts.nla else Event.SECURED)

    def client_logs_on(self) -> Found:
        """Pass the client's part of CredSSP, up to its first packet."""
        course = self._course
        passing, rest = self._logon.feed(bytes(course.client))
        course.client[:] = rest or b""
        self._client_logon_bytes += len(passing)
        if rest is not None:
            both = self._client_logon_bytes > 0 and self._host_logon_bytes > 0
            course.facts = replace(course.facts, credssp=both)
            course.move(Event.LOGGED_ON)
        acts: list[Act] = [ToHost(passing)] if passing else []
        return acts

    def host_logs_on(self) -> Found:
        """Pass the host's part of CredSSP."""
        host = self._course.host
        self._host_logon_bytes += len(host)
        check_held(self._host_logon_bytes)
        data = bytes(host)
        host.clear()
        return [ToClient(data)]
