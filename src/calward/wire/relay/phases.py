"""How far is a connection, and what brings it on? The state table of the relay.

Source: [MS-RDPBCGR] 1.3.1.1 (the order of a connection); [MS-RDPELE] 1.3.3 (where licensing stands in it).
"""

from enum import Enum
from typing import Final

__all__ = ["SECTIONS", "TRANSITIONS", "Event", "Phase"]


class Phase(Enum):
    """How far a connection is; each value says what is waited for."""

    REQUEST = "the client's Connection Request"
    CONFIRM = "the host's answer to it"
    SECURING = "TLS; no bytes come in"
    LOGON = "the end of CredSSP, which passes"
    JOINING = "the client's Client Info; MCS passes until then"
    LICENSING = "the client's licensing messages; the host hears nothing"
    DECIDING = "somebody's decision whether the client may connect"
    RELEASED = "the end of the host's own licensing, which is answered; all else passes"
    SPLICED = "nothing: all passes unread"
    CLOSED = "nothing: it is over"


class Event(Enum):
    """What moves a connection; the values are for people."""

    OFFERED = "the client has offered security that will do"
    AGREED = "the host has agreed to it"
    SECURED = "TLS is set up"
    SECURED_BEFORE_LOGON = "TLS is set up, CredSSP comes next"
    LOGGED_ON = "the client's first packet behind CredSSP has come"
    HELD = "the Client Info is held back, the client is asked for its license"
    HELD_UNASKED = "the Client Info is held back, nobody asks for licenses"
    SHOWN = "the client has shown what it has"
    CHALLENGED = "the client may connect and gets a license, once it has proven that it can decrypt"
    LET_THROUGH = "the client may connect, the host gets what was held back"
    HOST_LICENSED = "the host's own licensing is over"
    ENDED = "refused, left, or out of order"


_ENDS: Final = {Event.ENDED: Phase.CLOSED}

TRANSITIONS: Final[dict[Phase, dict[Event, Phase]]] = {
    Phase.REQUEST: {Event.OFFERED: Phase.CONFIRM, **_ENDS},
    Phase.CONFIRM: {Event.AGREED: Phase.SECURING, **_ENDS},
    Phase.SECURING: {Event.SECURED: Phase.JOINING, Event.SECURED_BEFORE_LOGON: Phase.LOGON, **_ENDS},
    Phase.LOGON: {Event.LOGGED_ON: Phase.JOINING, **_ENDS},
    Phase.JOINING: {Event.HELD: Phase.LICENSING, Event.HELD_UNASKED: Phase.DECIDING, **_ENDS},
    Phase.LICENSING: {Event.SHOWN: Phase.DECIDING, Event.LET_THROUGH: Phase.RELEASED, **_ENDS},
    Phase.DECIDING: {Event.CHALLENGED: Phase.LICENSING, Event.LET_THROUGH: Phase.RELEASED, **_ENDS},
    Phase.RELEASED: {Event.HOST_LICENSED: Phase.SPLICED, **_ENDS},
    Phase.SPLICED: _ENDS,
    Phase.CLOSED: _ENDS,
}
"""What follows from what. Everything else is out of turn."""

SECTIONS: Final[dict[Phase, str]] = {
    Phase.REQUEST: "2.2.1.1",
    Phase.CONFIRM: "2.2.1.2",
    Phase.SECURING: "5.4.2, 5.4.5.1",
    Phase.LOGON: "5.4.5.2",
    Phase.JOINING: "2.2.1.3 to 2.2.1.11",
    Phase.LICENSING: "2.2.1.12; [MS-RDPELE] 3.2.5",
    Phase.DECIDING: "[MS-RDPELE] 3.2.5.2, 3.2.5.3",
    Phase.RELEASED: "2.2.1.12, the host's own",
    Phase.SPLICED: "2.2.1.13 and all that follows",
    Phase.CLOSED: "1.3.1.4",
}
"""The sections of [MS-RDPBCGR], where no other is named, that say what passes in each phase."""
