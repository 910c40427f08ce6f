"""In which order may licensing go, seen from the server? The state table; the page of the documentation is drawn from it."""

from enum import Enum
from typing import Final

__all__ = ["SECTIONS", "TRANSITIONS", "Event", "State"]


class State(Enum):
    """Where a server's licensing session stands; each value says what is waited for."""

    BEGIN = "nothing is sent yet"
    REQUESTED = "the license request is sent: what has the client?"
    PRESENTED = "the client showed a license: is it good?"
    CHALLENGED = "the challenge is sent: can the client answer?"
    PROVEN = "the challenge is answered: does the client get a license?"
    COMPLETED = "licensing ended well"
    ABORTED = "licensing ended badly"


class Event(Enum):
    """What moves a session; the values are for people."""

    REQUEST_SENT = "SERVER_LICENSE_REQUEST sent"
    NEW_REQUEST_RECEIVED = "CLIENT_NEW_LICENSE_REQUEST received, challenge sent"
    LICENSE_RECEIVED = "CLIENT_LICENSE_INFO received, its MAC holds"
    CHALLENGE_SENT = "SERVER_PLATFORM_CHALLENGE sent"
    RESPONSE_RECEIVED = "CLIENT_PLATFORM_CHALLENGE_RESPONSE received, its MAC and challenge hold"
    LICENSE_SENT = "SERVER_NEW_LICENSE or SERVER_UPGRADE_LICENSE sent"
    VALID_CLIENT_SENT = "STATUS_VALID_CLIENT sent"
    ABORT_SENT = "an error and ST_TOTAL_ABORT sent"
    ABORT_RECEIVED = "any error received"


_ENDS: Final = {Event.ABORT_SENT: State.ABORTED, Event.ABORT_RECEIVED: State.ABORTED}

TRANSITIONS: Final[dict[State, dict[Event, State]]] = {  # [MS-RDPELE] 3.1.5.3.2, with the pauses in which we judge
    State.BEGIN: {Event.REQUEST_SENT: State.REQUESTED, Event.VALID_CLIENT_SENT: State.COMPLETED, **_ENDS},
    State.REQUESTED: {
        Event.NEW_REQUEST_RECEIVED: State.CHALLENGED,
        Event.LICENSE_RECEIVED: State.PRESENTED,
        **_ENDS,
    },
    State.PRESENTED: {Event.CHALLENGE_SENT: State.CHALLENGED, Event.VALID_CLIENT_SENT: State.COMPLETED, **_ENDS},
    State.CHALLENGED: {Event.RESPONSE_RECEIVED: State.PROVEN, **_ENDS},
    State.PROVEN: {Event.LICENSE_SENT: State.COMPLETED, Event.VALID_CLIENT_SENT: State.COMPLETED, **_ENDS},
    State.COMPLETED: {},
    State.ABORTED: {},
}

_ABORTS: Final = {Event.ABORT_SENT: "3.1.5.2; 3.2.5.9 for an invalid MAC", Event.ABORT_RECEIVED: "3.1.5.2"}

SECTIONS: Final[dict[State, dict[Event, str]]] = {
    State.BEGIN: {
        Event.REQUEST_SENT: "2.2.2.1",
        Event.VALID_CLIENT_SENT: "[MS-RDPBCGR] 2.2.1.12: no licensing at all",
        **_ABORTS,
    },
    State.REQUESTED: {Event.NEW_REQUEST_RECEIVED: "3.2.5.2", Event.LICENSE_RECEIVED: "3.2.5.3", **_ABORTS},
    State.PRESENTED: {
        Event.CHALLENGE_SENT: "3.2.5.3, 2.2.2.4: renewal, upgrade, or none of ours",
        Event.VALID_CLIENT_SENT: "3.2.5.3",
        **_ABORTS,
    },
    State.CHALLENGED: {Event.RESPONSE_RECEIVED: "3.2.5.5", **_ABORTS},
    State.PROVEN: {
        Event.LICENSE_SENT: "3.2.5.5, 2.2.2.6, 2.2.2.7",
        Event.VALID_CLIENT_SENT: "3.2.5.5: within the grace period",
        **_ABORTS,
    },
    State.COMPLETED: {},
    State.ABORTED: {},
}
"""Where the specification says so, for each row of the table: sections of [MS-RDPELE] unless another is named."""
