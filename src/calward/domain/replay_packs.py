"""What do the events of licenses and key packs change? The part of the fold (``replay``) that says who holds which CAL."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from calward.domain.events import Event, Kind
from calward.domain.licenses import Ending, Status
from calward.domain.replay_state import LicenseState, PackState, State

__all__ = ["LICENSES_AND_PACKS"]


def _license(state: State, event: Event) -> None:
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


def _extend(state: State, event: Event) -> None:
    held = state.licenses.get(event["license"])
    if held is None or held.ended_at is not None or held.holder != event["holder"]:
        state.impossible(event, f"a running license L{event['license']} of its holder to go on", "there is none")
        return
    held.expires_at, held.decision = event["expires"], event["id"]


def _proven(state: State, event: Event) -> None:
    if state.share.has_holder(event["holder"]):
        state.holders[event["holder"]] = event["at"]


def _expired(state: State, event: Event) -> None:
    for number in event["licenses"]:
        state.end(number, Ending.EXPIRED, None, event)


def _revoked(state: State, event: Event) -> None:
    state.end(event["license"], Ending.REVOKED, event["at"], event)


def _released(state: State, event: Event) -> None:
    state.end(event["license"], Ending.RELEASED, event["at"], event)


def _pack_installed(state: State, event: Event) -> None:
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


def _installed(state: State, event: Event) -> PackState | None:
    """The pack of an event, which must be installed."""
    row = state.installed.get(event["pack"])
    if row is None:
        state.impossible(event, f"pack {event['pack']} to be installed", "it was not")
        return None
    return state.packs[row]


def _pack_removed(state: State, event: Event) -> None:
    pack = _installed(state, event)
    if pack:
        pack.removed_at = event["at"]
        del state.installed[event["pack"]]


def _pack_frozen(state: State, event: Event) -> None:
    pack = _installed(state, event)
    if pack and pack.transfer is not None:
        state.impossible(event, f"pack {pack.id} to be usable", f"it was frozen for transfer {pack.transfer}")
    elif pack:
        pack.transfer, pack.frozen_at = event["transfer"], event["at"]


def _pack_unfrozen(state: State, event: Event) -> None:
    pack = _installed(state, event)
    if pack and pack.transfer != event["transfer"]:
        state.impossible(event, f"pack {pack.id} to be frozen for transfer {event['transfer']}", f"{pack.transfer}")
    elif pack:
        pack.transfer = pack.frozen_at = None


def _pack_moved_out(state: State, event: Event) -> None:
    pack = _installed(state, event)
    if not pack:
        return
    for license_ in state.licenses.values():
        if license_.pack == pack.id and license_.ended_at is None:
            license_.ended_at, license_.ending = event["at"], Ending.MOVED.value
    pack.transfer, pack.aside = event["transfer"], 0
    _pack_removed(state, event)


def _license_adopted(state: State, event: Event) -> None:
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


def _proven_here(state: State, event: Event) -> None:
    """A device that was proven elsewhere is so here; one that was proven here before stays so since then."""
    token, since = event["holder"], event.get("proven")
    if since is not None and state.share.has_holder(token) and state.holders.get(token) is None:
        state.holders[token] = since


def _pack_changed(state: State, event: Event) -> None:
    pack = _installed(state, event)
    if not pack:
        return
    pack.version, pack.family = event["version"], state.family_of(event["version"])
    pack.type, pack.total, pack.expires_at = event["type"], event["total"], event["expires"]
    pack.generation, pack.bought_as, pack.aside = event["generation"], event["bought_as"], 0
    for license_ in state.licenses.values():
        if license_.pack == pack.id and license_.ended_at is None:
            license_.version, license_.family = pack.version, pack.family


def _licenses_reseated(state: State, event: Event) -> None:
    pack = _installed(state, event)
    for number, seat in event["licenses"] if pack else ():
        license_ = state.licenses.get(number)
        if license_ is not None and pack:
            license_.pack, license_.seat = pack.id, seat
            license_.version, license_.family = pack.version, pack.family


def _cals_set_aside(state: State, event: Event) -> None:
    pack = _installed(state, event)
    if pack:
        pack.aside = event["count"]


LICENSES_AND_PACKS: Final[Mapping[str, Callable[[State, Event], None]]] = MappingProxyType(
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
    }
)
"""What each kind of event does to licenses, their holders and packs."""
