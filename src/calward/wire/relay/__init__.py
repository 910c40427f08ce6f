"""The licensing relay: one connection between a client and a host, as bytes in and acts out.

Imported by the relay's entry point. Sockets, TLS, time and who decides are outside.
"""

from calward.wire.relay.acts import Act, Ask, Close, LoggedOn, OpenHost, Secure, Splice, ToClient, ToHost
from calward.wire.relay.negotiation import HostSecurity
from calward.wire.relay.phases import Phase
from calward.wire.relay.relay import Relay
from calward.wire.relay.terms import Terms, Verdict

__all__ = [
    "Act",
    "Ask",
    "Close",
    "HostSecurity",
    "LoggedOn",
    "OpenHost",
    "Phase",
    "Relay",
    "Secure",
    "Splice",
    "Terms",
    "ToClient",
    "ToHost",
    "Verdict",
]
