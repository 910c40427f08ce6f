"""What should the ledger's tables hold, after all these events?

A fold: events go in one by one, in the order of their ids, and the state that they lead to comes out, license by license. Which
license holds a CAL follows from the licenses alone, so that it does not matter in which order two *holders* were served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from zlib import crc32

from calward.domain.events import Event, Kind
from calward.domain.licenses import Ending, Status

__all__ = ["Check", "Finding", "LicenseState", "PackState", "Replay", "Share", "difference"]


class Check(StrEnum):
    """What a finding is about."""

    EVENT = "event"
    """An event cannot be read, is not canonical, or says what cannot have happened."""
    ORDER = "order"
    """Events are missing, doubled or out of place."""
    TREE = "tree"
    CHECKPOINT = "checkpoint"
    SERVER = "server"
    PACK = "pack"
    SEAT = "seat"
    """A CAL is not held by exactly its running license, or is none of its pack."""
    LICENSE = "license"
    HOLDER = "holder"
    HOST = "host"
    POLICY = "policy"
    TOKEN = "token"  # noqa: S105 - what a finding is about
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: what it is about, where it is, what the events say and what is there instead."""

    what: Check
    where: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of all licenses and holders is folded, so that a big ledger can be gone through in several passes."""

    part: int = 0
    parts: int = 1

    def has(self, license_: int) -> bool:
        """Whether this license belongs to the share."""
        return license_ % self.parts == self.part

    def has_holder(self, token: str) -> bool:
        """Whether the holder that events call so belongs to the share."""
        return self.parts == 1 or crc32(token.encode()) % self.parts == self.part


@dataclass(slots=True)
class LicenseState:
    """A license as the events leave it; keys and values as events and tables name them, times in seconds since 1970."""

    holder: str
    type: str
    status: str
    version: str
    family: int
    pack: str | None
    seat: int | None
    issued_at: int
    expires_at: int
    decision: int
    ended_at: int | None = None
    ending: str | None = None


@dataclass(slots=True)
class PackState:
    """A pack as the events leave it."""

    id: str
    version: str
    type: str
    family: int
    total: int
    installed_at: int
    expires_at: int
    removed_at: int | None = None
    generation: int = 1
    bought_as: str = ""
    transfer: str | None = None
    """For which it is frozen, or with which it left."""
    frozen_at: int | None = None
    aside: int = 0


@dataclass
class Replay:
    """The state so far. ``findings``: what the events themselves say that cannot have happened.

    ``family_of``: the rank of a version's family in the ladder; events name versions only.
    """

    family_of: Callable[[str], int]
    share: Share = Share()
    server: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    packs: dict[int, PackState] = field(default_factory=dict)
    """By the number of the event that installed them, removed ones too."""
    licenses: dict[int, LicenseState] = field(default_factory=dict)
    holders: dict[str, int | None] = field(default_factory=dict)
    """All holders that events name, with the time since which they are proven."""
    erased: set[str] = field(default_factory=set)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: ``version``, ``family``, ``mode``, ``group``, ``enrolled_at``, ``removed_at``."""
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By group: ``mode`` and ``servers``."""
    tokens: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Administrators' tokens by number: ``name``, ``role``, ``made_at``, ``expires_at``, ``ended_at``."""
    findings: list[Finding] = field(default_factory=list)
    installed: dict[str, int] = field(default_factory=dict)
    """The packs that are installed now, by id: the number of the event that installed each."""

    def apply(self, event: Event) -> None:
        """Fold one event; of a kind that changes no state, only its holder is noted. Raises KeyError for a key that is missing,
        and what ``family_of`` raises.
        """
        token = event.get("holder")
        if token is not None and self.share.has_holder(token):
            self.holders.setdefault(token, None)
        change = _CHANGES.get(event["kind"])
        if change:
            change(self, event)

    def end(self, number: int, ending: Ending, at: int | None, event: Event) -> None:
        """End a license; ``at`` None: at its ``expires_at``."""
        if not self.share.has(number):
            return
        license_ = self.licenses.get(number)
        if license_ is None or license_.ended_at is not None:
            found = "no such license was issued" if license_ is None else f"it had ended already ({license_.ending})"
            self.impossible(event, f"a running license L{number} to be {ending.value}", found)
            return
        license_.ended_at = license_.expires_at if at is None else at
        license_.ending = ending.value

    def impossible(self, event: Event, expected: str, found: str) -> None:
        """Take note of an event that contradicts those before it."""
        self.findings.append(Finding(Check.EVENT, f"event {event['id']} ({event['kind']})", expected, found))


def difference(what: Check, where: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Finding | None:
    """What differs between two records of the same keys, or None."""
    keys = [key for key, value in expected.items() if found.get(key) != value]
    if not keys:
        return None
    said, there = (", ".join(f"{key} {side.get(key)}" for key in keys) for side in (expected, found))
    return Finding(what, where, said, there)


def _license(state: Replay, event: Event) -> None:
    for number, ending in event.get("ends", ()):
        state.end(number, Ending(ending), None if ending == Ending.EXPIRED else event["at"], event)
    if not state.share.has(event["license"]):
        return
    if event["license"] == event["id"]:
        state.licenses[event["id"]] = LicenseState(
            holder=event["holder"],
            type=event["type"],
            status=event["status"],
            version=event["version"],
            family=state.family_of(event["version"]),
            pack=event.get("pack"),
            seat=event.get("seat"),
            issued_at=event["at"],
            expires_at=event["expires"],
            decision=event["id"],
        )
    else:
        _extend(state, event)


def _extend(state: Replay, event: Event) -> None:
    held = state.licenses.get(event["license"])
    if held is None or held.ended_at is not None or held.holder != event["holder"]:
        state.impossible(event, f"a running license L{event['license']} of its holder to go on", "there is none")
        return
    held.expires_at, held.decision = event["expires"], event["id"]


def _proven(state: Replay, event: Event) -> None:
    if state.share.has_holder(event["holder"]):
        state.holders[event["holder"]] = event["at"]


def _expired(state: Replay, event: Event) -> None:
    for number in event["licenses"]:
        state.end(number, Ending.EXPIRED, None, event)


def _revoked(state: Replay, event: Event) -> None:
    state.end(event["license"], Ending.REVOKED, event["at"], event)


def _released(state: Replay, event: Event) -> None:
    state.end(event["license"], Ending.RELEASED, event["at"], event)


def _pack_installed(state: Replay, event: Event) -> None:
    if event["pack"] in state.installed:
        state.impossible(event, f"pack {event['pack']} not to be installed yet", "it was installed already")
    state.packs[event["id"]] = PackState(
        id=event["pack"],
        version=event["version"],
        type=event["type"],
        family=state.family_of(event["version"]),
        total=event["total"],
        installed_at=event["at"],
        expires_at=event["expires"],
        generation=event.get("generation", 1),
        bought_as=event.get("bought_as", ""),
    )
    state.installed[event["pack"]] = event["id"]


def _installed(state: Replay, event: Event) -> PackState | None:
    """The pack of an event, which must be installed."""
    row = state.installed.get(event["pack"])
    if row is None:
        state.impossible(event, f"pack {event['pack']} to be installed", "it was not")
        return None
    return state.packs[row]


def _pack_removed(state: Replay, event: Event) -> None:
    pack = _installed(state, event)
    if pack:
        pack.removed_at = event["at"]
        del state.installed[event["pack"]]


def _pack_frozen(state: Replay, event: Event) -> None:
    pack = _installed(state, event)
    if pack and pack.transfer is not None:
        state.impossible(event, f"pack {pack.id} to be usable", f"it was frozen for transfer {pack.transfer}")
    elif pack:
        pack.transfer, pack.frozen_at = event["transfer"], event["at"]


def _pack_unfrozen(state: Replay, event: Event) -> None:
    pack = _installed(state, event)
    if pack and pack.transfer != event["transfer"]:
        state.impossible(event, f"pack {pack.id} to be frozen for transfer {event['transfer']}", f"{pack.transfer}")
    elif pack:
        pack.transfer = pack.frozen_at = None


def _pack_moved_out(state: Replay, event: Event) -> None:
    pack = _installed(state, event)
    if not pack:
        return
    for license_ in state.licenses.values():
        if license_.pack == pack.id and license_.ended_at is None:
            license_.ended_at, license_.ending = event["at"], Ending.MOVED.value
    pack.transfer, pack.aside = event["transfer"], 0
    _pack_removed(state, event)


def _license_adopted(state: Replay, event: Event) -> None:
    _proven_here(state, event)
    for number, ending in event.get("ends", ()):
        state.end(number, Ending(ending), event["at"], event)
    pack = _installed(state, event)
    if pack and state.share.has(event["id"]):
        state.licenses[event["id"]] = LicenseState(
            holder=event["holder"],
            type=pack.type,
            status=Status.ACTIVE.value,
            version=pack.version,
            family=pack.family,
            pack=pack.id,
            seat=event["seat"],
            issued_at=event["issued"],
            expires_at=event["expires"],
            decision=event["id"],
        )


def _proven_here(state: Replay, event: Event) -> None:
    """A device that was proven elsewhere is so here; one that was proven here before stays so since then."""
    token, since = event["holder"], event.get("proven")
    if since is not None and state.share.has_holder(token) and state.holders.get(token) is None:
        state.holders[token] = since


def _pack_changed(state: Replay, event: Event) -> None:
    pack = _installed(state, event)
    if not pack:
        return
    pack.version, pack.family = event["version"], state.family_of(event["version"])
    pack.type, pack.total, pack.expires_at = event["type"], event["total"], event["expires"]
    pack.generation, pack.bought_as, pack.aside = event["generation"], event["bought_as"], 0
    for license_ in state.licenses.values():
        if license_.pack == pack.id and license_.ended_at is None:
            license_.version, license_.family = pack.version, pack.family


def _licenses_reseated(state: Replay, event: Event) -> None:
    pack = _installed(state, event)
    for number, seat in event["licenses"] if pack else ():
        license_ = state.licenses.get(number)
        if license_ is not None and pack:
            license_.pack, license_.seat = pack.id, seat
            license_.version, license_.family = pack.version, pack.family


def _cals_set_aside(state: Replay, event: Event) -> None:
    pack = _installed(state, event)
    if pack:
        pack.aside = event["count"]


def _server_made(state: Replay, event: Event) -> None:
    state.server = {"id": event["server_id"], "name": event["server"]} | {x: event[x] for x in ("version", "ladder")}
    state.server |= {"family": state.family_of(event["version"]), "issue_until": event.get("until")}
    state.server |= {"quarantined_at": None, "recovered_at": None}
    state.settings = dict(event.get("values", {}))


def _activated(state: Replay, event: Event) -> None:
    state.server["issue_until"] = event["until"]


def _deactivated(state: Replay, _event: Event) -> None:
    state.server["issue_until"] = None


def _quarantined(state: Replay, event: Event) -> None:
    state.server["quarantined_at"] = event["since"]


def _quarantine_ended(state: Replay, _event: Event) -> None:
    state.server["quarantined_at"] = None


def _ledger_recovered(state: Replay, event: Event) -> None:
    state.server["recovered_at"] = event["at"]


def _settings(state: Replay, event: Event) -> None:
    state.settings.update(event["values"])


def _host_changed(state: Replay, event: Event) -> None:
    facts = {
        "version": event["version"],
        "family": state.family_of(event["version"]),
        "mode": event["mode"],
        "group": event.get("group") or None,
        "removed_at": None,
    }
    state.hosts[event["host"]] = {"enrolled_at": None} | state.hosts.get(event["host"], {}) | facts


def _host_enrolled(state: Replay, event: Event) -> None:
    _host_changed(state, event)
    state.hosts[event["host"]]["enrolled_at"] = event["at"]


def _host_removed(state: Replay, event: Event) -> None:
    state.hosts[event["host"]] |= {"enrolled_at": None, "removed_at": event["at"]}


def _policy(state: Replay, event: Event) -> None:
    if event.get("removed"):
        del state.policies[event["group"]]
    else:
        state.policies[event["group"]] = {"mode": event.get("mode"), "servers": list(event["servers"])}


def _token_made(state: Replay, event: Event) -> None:
    facts = {"name": event["name"], "role": event["role"], "made_at": event["at"], "expires_at": event["expires"]}
    state.tokens[event["id"]] = facts | {"ended_at": None}


def _token_ended(state: Replay, event: Event) -> None:
    state.tokens[event["token"]]["ended_at"] = event["at"]


def _erased(state: Replay, event: Event) -> None:
    if state.share.has_holder(event["holder"]):
        state.erased.add(event["holder"])


_CHANGES: Final[Mapping[str, Callable[[Replay, Event], None]]] = MappingProxyType(
    {
        Kind.LICENSE: _license,
        Kind.PROVEN: _proven,
        Kind.EXPIRED: _expired,
        Kind.REVOKED: _revoked,
        Kind.RELEASED: _released,
        Kind.PACK_INSTALLED: _pack_installed,
        Kind.PACK_REMOVED: _pack_removed,
        Kind.PACK_FROZEN: _pack_frozen,
        Kind.PACK_UNFROZEN: _pack_unfrozen,
        Kind.PACK_MOVED_OUT: _pack_moved_out,
        Kind.LICENSE_ADOPTED: _license_adopted,
        Kind.PACK_CHANGED: _pack_changed,
        Kind.LICENSES_RESEATED: _licenses_reseated,
        Kind.CALS_SET_ASIDE: _cals_set_aside,
        Kind.SERVER_MADE: _server_made,
        Kind.ACTIVATED: _activated,
        Kind.DEACTIVATED: _deactivated,
        Kind.SETTINGS: _settings,
        Kind.QUARANTINED: _quarantined,
        Kind.QUARANTINE_ENDED: _quarantine_ended,
        Kind.LEDGER_RECOVERED: _ledger_recovered,
        Kind.HOST_ENROLLED: _host_enrolled,
        Kind.HOST_CHANGED: _host_changed,
        Kind.HOST_REMOVED: _host_removed,
        Kind.POLICY: _policy,
        Kind.TOKEN_MADE: _token_made,
        Kind.TOKEN_ENDED: _token_ended,
        Kind.HOLDER_ERASED: _erased,
    }
)
"""The kinds of event that change a table; the others (refusals, warnings, refused acts) only tell."""
