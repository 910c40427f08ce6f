"""What should the ledger's tables hold, after all these events?

A fold: events go in one by one, in the order of their ids, and the state that they lead to comes out. What is folded and what
is found wrong is in ``replay_state``, the events of licenses and packs in ``replay_packs``; here are the server, its hosts and tokens.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from calward.domain.events import Event, Kind
from calward.domain.replay_packs import LICENSES_AND_PACKS
from calward.domain.replay_state import State

__all__ = ["Replay"]


class Replay(State):
    """The state so far, and the way on."""

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


def _server_made(state: State, event: Event) -> None:
    state.server = {"id": event["server_id"], "name": event["server"]} | {x: event[x] for x in ("version", "ladder")}
    state.server |= {"family": state.family_of(event["version"]), "issue_until": event.get("until")}
    state.server |= {"quarantined_at": None, "recovered_at": None}
    state.settings = dict(event.get("values", {}))


def _activated(state: State, event: Event) -> None:
    state.server["issue_until"] = event["until"]


def _deactivated(state: State, _event: Event) -> None:
    state.server["issue_until"] = None


def _quarantined(state: State, event: Event) -> None:
    state.server["quarantined_at"] = event["since"]


def _quarantine_ended(state: State, _event: Event) -> None:
    state.server["quarantined_at"] = None


def _ledger_recovered(state: State, event: Event) -> None:
    state.server["recovered_at"] = event["at"]


def _settings(state: State, event: Event) -> None:
    state.settings.update(event["values"])


def _host_changed(state: State, event: Event) -> None:
    facts = {
        "version": event["version"],
        "family": state.family_of(event["version"]),
        "mode": event["mode"],
        "group": event.get("group") or None,
        "removed_at": None,
    }
    state.hosts[event["host"]] = {"enrolled_at": None} | state.hosts.get(event["host"], {}) | facts


def _host_enrolled(state: State, event: Event) -> None:
    _host_changed(state, event)
    state.hosts[event["host"]]["enrolled_at"] = event["at"]


def _host_removed(state: State, event: Event) -> None:
    state.hosts[event["host"]] |= {"enrolled_at": None, "removed_at": event["at"]}


def _policy(state: State, event: Event) -> None:
    if event.get("removed"):
        del state.policies[event["group"]]
    else:
        state.policies[event["group"]] = {"mode": event.get("mode"), "servers": list(event["servers"])}


def _token_made(state: State, event: Event) -> None:
    facts = {"name": event["name"], "role": event["role"], "made_at": event["at"], "expires_at": event["expires"]}
    state.tokens[event["id"]] = facts | {"ended_at": None}


def _token_ended(state: State, event: Event) -> None:
    state.tokens[event["token"]]["ended_at"] = event["at"]


def _erased(state: State, event: Event) -> None:
    if state.share.has_holder(event["holder"]):
        state.erased.add(event["holder"])


_CHANGES: Final[Mapping[str, Callable[[State, Event], None]]] = MappingProxyType(
    {
        **LICENSES_AND_PACKS,
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
