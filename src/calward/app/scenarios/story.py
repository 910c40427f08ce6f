"""What does a scenario file say? An estate (license servers, packs, hosts) and a timeline of steps.

Made by ``reader``, which has checked every name and value; times are seconds since 1970 (UTC).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from calward.domain.cals import CalType, HolderKind
from calward.domain.key_packs import PackId
from calward.domain.ladder import Ladder
from calward.domain.pack_requests import ChangeKind, SourceState
from calward.domain.settings import Settings

__all__ = [
    "Act",
    "Change",
    "Connect",
    "Free",
    "HostPart",
    "Install",
    "Look",
    "Move",
    "PackPart",
    "Rebuild",
    "Remove",
    "Scenario",
    "ServerPart",
    "SetHost",
    "SetServer",
    "Step",
    "Switch",
]


@dataclass(frozen=True, slots=True)
class ServerPart:
    """A license server as it is at the first step."""

    name: str
    version: str
    activated: bool
    settings: Settings


@dataclass(frozen=True, slots=True)
class PackPart:
    """A key pack; ``id`` is the file's handle for it. ``line`` is where it stands."""

    server: str
    id: PackId
    version: str
    type: CalType
    total: int
    expires_at: int
    line: int
    bought_as: str
    """The version up to which it can be raised."""
    convertible: bool
    """Whether its agreement lets CALs change their type."""


@dataclass(frozen=True, slots=True)
class HostPart:
    """A session host. ``servers`` in the order in which they are asked; ``grace_days`` None: as its version and its server say."""

    name: str
    version: str
    mode: CalType
    servers: tuple[str, ...]
    grace_days: int | None


@dataclass(frozen=True, slots=True)
class Connect:
    """A client connects; the host's mode decides whether device or user counts. ``logon``: its user logs on afterwards."""

    host: str
    device: str | None
    user: str | None
    logon: bool
    admin: bool


@dataclass(frozen=True, slots=True)
class Install:
    """A pack is installed."""

    pack: PackPart


@dataclass(frozen=True, slots=True)
class Remove:
    """A pack is removed."""

    server: str
    pack: PackId


@dataclass(frozen=True, slots=True)
class Move:
    """A pack moves to another license server; ``state``: how the one that has it stands, as its administrator says."""

    pack: PackId
    source: str
    target: str
    state: SourceState


@dataclass(frozen=True, slots=True)
class Change:
    """A pack, or ``count`` CALs of it, becomes another one on the same license server; ``part``: the handle of what is split off."""

    kind: ChangeKind
    pack: PackId
    to: str
    count: int | None
    part: PackId | None


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A license server begins anew with an empty ledger."""

    server: str


@dataclass(frozen=True, slots=True)
class Free:
    """A license is revoked or released: the holder's newest, or that of a version's family."""

    server: str
    verb: str
    kind: HolderKind
    key: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Switch:
    """A license server is activated or deactivated, stops answering hosts (down) or answers again (up)."""

    server: str
    verb: str


@dataclass(frozen=True, slots=True)
class SetServer:
    """Settings of a license server change; ``version`` is what it runs as from now on, None where that stays."""

    server: str
    values: Mapping[str, object]
    version: str | None = None


@dataclass(frozen=True, slots=True)
class SetHost:
    """A host changes: ``host`` is all of it, as it is from now on."""

    host: HostPart


@dataclass(frozen=True, slots=True)
class Look:
    """What is there is counted: of one pack, of the family of a version, of a type, or of all."""

    server: str
    pack: PackId | None = None
    version: str | None = None
    type: CalType | None = None


Act = Connect | Install | Remove | Move | Change | Rebuild | Free | Switch | SetServer | SetHost | Look


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``expect`` is what its result must be, by key; ``number`` counts from 1."""

    number: int
    line: int
    at: int
    do: str
    act: Act
    expect: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole file."""

    title: str
    ladder: Ladder
    servers: tuple[ServerPart, ...]
    packs: tuple[PackPart, ...]
    hosts: tuple[HostPart, ...]
    steps: tuple[Step, ...]
