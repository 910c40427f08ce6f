"""Tell every receiver what has changed in an estate since it was last told: once per change, not per look.

What was told is written after the receiver has accepted it: a crash between both tells twice, never not at all. The notice's id is
the same then, so that a receiver can drop the double. One receiver that fails keeps no other from being told.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from calward.domain.errors import LicensingError
from calward.insight.findings import Finding
from calward.insight.watching import Notice, Told, compare, notice

__all__ = ["Look", "Outcome", "Receiver", "ToldStore", "tell_changes"]


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
    """What one look at an estate has found that counts. ``unseen``: ids of checks that could not be made."""

    estate: str
    as_of: str
    findings: Iterable[Finding]
    unseen: AbstractSet[str]


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
        wanted = notice(look.estate, look.as_of, before, compare(before.findings, look.findings, look.unseen))
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
