"""What does the demo's player need: time that it moves itself, chance that comes out the same, and the parts of two programs?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.licensing.signed_things import Signatures
from calward.app.ports import Entropy
from calward.app.registry import HostTokens, RegistryBook
from calward.app.scenarios.entropy import SeededEntropy
from calward.domain.acceptance import NotAccepted
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.statements import Channel

__all__ = ["NearClearinghouse", "Stage", "StoryClock", "StoryEntropy"]

T = TypeVar("T")


@dataclass(slots=True)
class StoryClock:
    """The time of the story, in seconds since 1970 (port ``Clock``); it only goes forward."""

    at: int

    def now(self) -> int:
        """The time."""
        return self.at

    def go_to(self, at: int) -> None:
        """Let time pass."""
        self.at = max(self.at, at)


class StoryEntropy:
    """Days are drawn from a seed, so that the story comes out the same; secrets are not (port ``Entropy``).

    Tokens, salts and ids of the demo are as unpredictable as any: it runs on a real machine.
    """

    def __init__(self, seed: str, secrets: Entropy) -> None:
        self._seeded = SeededEntropy(seed)
        self._secrets = secrets

    def between(self, low: int, high: int) -> int:
        """Draw a whole number between both, inclusive."""
        return self._seeded.between(low, high)

    def token(self, size: int) -> bytes:
        """Draw so many unpredictable bytes."""
        return self._secrets.token(size)


class StoryLedger(Protocol):
    """A ledger whose clock is the story's."""

    def write(self, act: Callable[[RegistryBook], T]) -> T:
        """As the port ``Ledger``."""

    def write_all(self, acts: Iterable[Callable[[Any], Any]]) -> list[Any]:
        """As the port ``Ledger``; an act's exception stands in its place."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One license server and its clearinghouse, both in the story's time.

    ``keep_token`` gets each host's name and token; ``end_of_day`` does what the server does beside: the tree and its checkpoints.
    """

    ledger: StoryLedger
    host_tokens: HostTokens
    signatures: Signatures
    ladder: Ladder
    clearinghouse: Clearinghouse
    clock: StoryClock
    entropy: Entropy
    end_of_day: Callable[[], object]
    keep_token: Callable[[str, str], None]
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    packs: dict[str, str] = field(default_factory=dict)
    """The pack's id of each order."""


@dataclass(frozen=True, slots=True)
class NearClearinghouse:
    """A clearinghouse in the same process, asked as if over the network (port ``signed_things.Clearinghouse``)."""

    desk: Clearinghouse

    def keyring(self) -> bytes:
        """Its newest keyring."""
        return self.desk.keyring()[1]

    def close(self) -> None:
        """Nothing is held."""

    def activate(self, request: bytes) -> bytes:
        """The answer to an activation request."""
        found = self.desk.activate(ActivateLicenseServer(request, Channel.ONLINE))
        if isinstance(found, NotAccepted):
            raise LicensingError(Problem.MALFORMED, found.detail)
        return found

    def ask(self, bundle: bytes) -> bytes | NotAccepted:
        """The answer to a bundle of requests."""
        return self.desk.answer(bundle, Channel.ONLINE)
