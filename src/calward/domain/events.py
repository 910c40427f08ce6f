"""What is written down when something happens?

An event is a flat JSON object, stored once as canonical bytes (sorted keys, no spaces, UTF-8, no floats, absent instead of null)
and never changed: ``docs/reference/events.md`` is its page, and it is for good. Times are seconds since 1970 (UTC).
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from calward.domain.cals import CalType
from calward.domain.issuing import Decision
from calward.domain.licenses import Ending, Holder, Status
from calward.domain.parties import Host

__all__ = ["NUMBERS", "Event", "Kind", "decision_event", "encode_event", "read_event"]

Event = Mapping[str, Any]
"""An event as a mapping of its keys; ``id``, ``at`` and ``kind`` are always there."""


class Kind(StrEnum):
    """What happened. Frozen: a new kind is added, none changes its meaning."""

    LICENSE = "license"
    """A license was issued, renewed, extended or upgraded."""
    REFUSAL = "refusal"
    PROVEN = "proven"
    EXPIRED = "expired"
    """The sweep wrote down which licenses had ended by themselves."""
    REVOKED = "revoked"
    RELEASED = "released"
    ACT_REFUSED = "act-refused"
    """An administrator's act was refused."""
    PACK_INSTALLED = "pack-installed"
    PACK_REMOVED = "pack-removed"
    PACK_FROZEN = "pack-frozen"
    PACK_UNFROZEN = "pack-unfrozen"
    PACK_MOVED_OUT = "pack-moved-out"
    """The pack is another license server's now; its licenses here have ended with it."""
    PACK_BARRED = "pack-barred"
    """A pack that is not here went elsewhere: in this generation and older ones it is never installed here."""
    LICENSE_ADOPTED = "license-adopted"
    """A license of a pack that was moved here goes on."""
    PACK_CHANGED = "pack-changed"
    LICENSES_RESEATED = "licenses-reseated"
    """Running licenses hold other CALs, of their pack or of the one that was split off it."""
    CALS_SET_ASIDE = "cals-set-aside"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    SETTINGS = "settings"
    SHORTAGE = "shortage"
    NOT_ACTIVATED = "not-activated"
    SERVER_MADE = "server-made"
    HOST_ENROLLED = "host-enrolled"
    HOST_CHANGED = "host-changed"
    HOST_REMOVED = "host-removed"
    POLICY = "policy"
    TOKEN_MADE = "token-made"  # noqa: S105 - the name of an event
    TOKEN_ENDED = "token-ended"  # noqa: S105 - the name of an event
    HOLDER_ERASED = "holder-erased"
    QUARANTINED = "quarantined"
    """The ledger may be older than what others have seen of it: temporary licenses only."""
    QUARANTINE_ENDED = "quarantine-ended"
    LEDGER_RECOVERED = "ledger-recovered"
    """What others have seen and this ledger does not know is given up; the clearinghouse has signed all packs anew."""


_LICENSE, _REFUSAL = Kind.LICENSE, Kind.REFUSAL
"""Named once: Python 3.11 calls a function at each look-up of an enumeration's member."""

NUMBERS: Final = MappingProxyType(
    {
        4: "license server activated",
        18: "license server not activated: temporary licenses only",
        20: "short of CALs",
        21: "no CAL left",
        81: "revocation limit reached",
        82: "a device's temporary license was upgraded to a full one",
        4144: "a user's license was upgraded",
    }
)
"""The old system's event numbers that we keep where the meaning is the same, in our own words [LIC 9.1]."""

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def encode_event(event: Event) -> str:
    """The canonical text of an event."""
    return _encode(event)


def read_event(body: str) -> dict[str, Any]:
    """An event from its stored text."""
    found: dict[str, Any] = json.loads(body)
    return found


def decision_event(event_id: int, at: int, host: Host, holder: Holder, decision: Decision) -> dict[str, Any]:
    """The event of a host's request: a license as it is from now on, or a refusal."""
    granted = decision.status is not None
    event: dict[str, Any] = {
        "id": event_id,
        "at": at,
        "kind": _LICENSE if granted else _REFUSAL,
        "for": host.version,
        "holder": holder.token,
        "host": host.name,
        "trace": decision.trace,
        "type": host.mode,
    }
    if decision.reasons:
        event["reasons"] = list(decision.reasons)
    if granted:
        _describe_license(event, decision)
        if decision.ends or decision.expired is not None:
            event["ends"] = _ends(decision)
    return event


def _ends(decision: Decision) -> list[list[Any]]:
    replaced = [[x.id, Ending.UPGRADED] for x in decision.ends]
    return replaced if decision.expired is None else [*replaced, [decision.expired, Ending.EXPIRED]]


def _describe_license(event: dict[str, Any], decision: Decision) -> None:
    event["license"] = decision.license.id if decision.license else event["id"]
    event["change"] = decision.change
    event["status"] = decision.status
    event["version"] = decision.version
    event["expires"] = decision.expires_at
    if decision.seat:
        event["pack"], event["seat"] = decision.seat.pack, decision.seat.n
    if decision.ends and (number := _upgrade_number(decision)):
        event["number"] = number


def _upgrade_number(decision: Decision) -> int | None:
    """82 for a device's temporary license that became a full one, 4144 for a user's upgrade."""
    if any(x.type is CalType.PER_USER for x in decision.ends):
        return 4144
    return 82 if any(x.status is Status.TEMPORARY for x in decision.ends) else None
