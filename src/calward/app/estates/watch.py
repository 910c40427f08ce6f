"""Tell every receiver what has changed in an estate since it was last told: once per change, not per look.

What was told is written after the receiver has accepted it: a crash between both tells twice, never not at all. The notice's id is
the same then, so that a receiver can drop the double. One receiver that fails keeps no other from being told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from calward.domain.errors import LicensingError
from calward.insight.notices import Notice, Told, notice, trial_notice
from calward.insight.watching import Seen, compare

__all__ = ["Look", "Outcome", "Receiver", "ToldStore", "send_trial", "tell_changes"]


class Receiver(Protocol):
    """Somebody who is told."""

    def send(self, told: Notice) -> None:
        """Give a notice; returns when it was accepted; raises LicensingError."""


class ToldStore(Protocol):
    """What each receiver of one estate was told, by the receiver's name; raises LicensingError."""

    def read(self) -> Mapping[str, Told]:
        """All that is known."""

    def write(self, told: Mapping[str, Told]) -> None:
        """Write all of it, whole and durable."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an estate. ``as_of``: when the snapshot was taken. ``settle``: seconds until what eases is told."""

    estate: str
    as_of: str
    seen: Seen
    settle: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Receivers that were told something, and those that could not be, with why."""

    told: tuple[str, ...]
    failed: Mapping[str, LicensingError]


def tell_changes(look: Look, receivers: Mapping[str, Receiver], store: ToldStore) -> Outcome:
    """Tell each receiver what it does not know yet; raises LicensingError where the store cannot be read or written."""
    known = dict(store.read())
    told: list[str] = []
    failed: dict[str, LicensingError] = {}
    for name, receiver in receivers.items():
        before = known.get(name, Told({}))
        changes, eased = compare(before.findings, look.seen, look.settle)
        if eased != before.findings:  # Since when something eases is known also where nothing is told, or cannot be.
            known[name] = replace(before, findings=eased)
            store.write(known)
        wanted = notice(look.estate, look.as_of, known.get(name, before), changes)
        if wanted is None:
            continue
        try:
            receiver.send(wanted)
        except LicensingError as error:
            failed[name] = error
            continue
        known[name] = wanted.told
        store.write(known)
        told.append(name)
    return Outcome(tuple(told), failed)


def send_trial(receivers: Mapping[str, Receiver], as_of: str) -> Outcome:
    """Send everybody a notice that is a test; nothing of it is remembered. ``as_of``: the time."""
    told: list[str] = []
    failed: dict[str, LicensingError] = {}
    for name, receiver in receivers.items():
        try:
            receiver.send(trial_notice(as_of))
        except LicensingError as error:
            failed[name] = error
        else:
            told.append(name)
    return Outcome(tuple(told), failed)
