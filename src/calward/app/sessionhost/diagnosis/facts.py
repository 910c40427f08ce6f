"""What does a diagnosis of a session host have to know? Values only; ``calward.adapters.sessionhost.facts`` gathers them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from pathlib import Path

from calward.app.sessionhost.ports import Memory
from calward.domain.ladder import Ladder

__all__ = [
    "AgentFacts",
    "CertificateFacts",
    "HostFacts",
    "PamLine",
    "Reached",
    "RelayFacts",
    "ServerFacts",
    "StateFacts",
    "TokenFacts",
    "TokenState",
    "Told",
]


class TokenState(StrEnum):
    """Whether the file with this host's token can be used."""

    USABLE = "usable"
    NOT_NAMED = "not named"
    """No ``token_file`` stands in the settings."""
    MISSING = "missing"
    UNREADABLE = "unreadable"
    """By the user who asks."""
    OPEN = "open"
    """Others than its owner can read it: nothing of ours uses it then."""
    EMPTY = "empty"
    """What is in it is no token."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token's file, never the token. ``kind``: whose it is by its first letters; ``written_at``: when the file was."""

    state: TokenState
    path: Path | None = None
    kind: str = "a session host's"
    written_at: datetime | None = None


class Reached(IntEnum):
    """How far questions to a license server came; each step needs all before it."""

    NOTHING = 0
    """Its name does not resolve."""
    ADDRESS = 1
    """It has an address, and nothing listens there in time."""
    PORT = 2
    """Something listens, and shows no certificate that can be trusted: no TLS, or signed by nobody known."""
    CERTIFICATE = 3
    """It shows a certificate, and it is another than the pinned one."""
    SERVICE = 4
    """The certificate is right, or none is needed; what answers is no license server, or says nothing."""
    LICENSE_SERVER = 5
    """It is a license server, and it does not tell this host anything."""
    HOST = 6
    """It is a license server that knows this host."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a license server told this host of itself (``GET /api/v1/host``).

    The last three are None from a server of a release that does not tell them; ``issue_until`` also where there is no end.
    """

    name: str
    version: str
    mode: str
    mode_from: str
    grace_days: int
    servers: tuple[str, ...] = ()
    server_id: str = ""
    server_version: str | None = None
    activated: bool | None = None
    issue_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One license server of the host's list, and what came of asking it.

    ``places``: its addresses with the port, or the path of its socket. ``trouble``: why it got no further, as it was seen.
    ``pinned``, ``shown``: SHA-256 fingerprints in hex. ``ready``: whether it says that it can issue, ``not_ready``: why
    not. ``refusal``: what it said to a host's token that it does not take; where it said something else, that is the trouble.
    ``seconds``: from the first look-up to the first answer. ``ahead``: its clock against ours.
    """

    name: str
    token: TokenFacts
    reached: Reached = Reached.NOTHING
    trouble: str = ""
    places: tuple[str, ...] = ()
    pinned: str | None = None
    shown: str | None = None
    ready: bool | None = None
    not_ready: str = ""
    refusal: str | None = None
    seconds: float | None = None
    ahead: timedelta | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """The agent on its socket. ``servers``: their names as the agent has them, with its trouble; empty: none."""

    socket: Path
    answers: bool
    there: bool = False
    """Something is at the path of the socket."""
    release: str | None = None
    servers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PamLine:
    """One of our lines in ``/etc/pam.d``. ``settings``: what it names by ``--config``, None: the usual file."""

    service: str
    stack: str
    program: Path
    runs: bool
    """The program is there and may be run."""
    settings: Path | None = None


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate in a file, or why there is none."""

    path: Path
    ends_at: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class RelayFacts:
    """``[relay]``; ``certificate`` is None where the relay makes its own and has not yet."""

    listen: tuple[str, int]
    host: tuple[str, int]
    security: str
    certificate: CertificateFacts | None = None
    wire: CertificateFacts | None = None
    """The certificates that a license server made for the licensing phase."""
    shadow_service: str | None = None
    """The PAM service that FreeRDP's shadow would ask, where it is the program behind; None: it is another, or not seen."""


@dataclass(frozen=True, slots=True)
class StateFacts:
    """The host's memory. ``trouble``: why the folder cannot be used; ``broken``: what is wrong with what is in it."""

    folder: Path
    trouble: str = ""
    broken: str = ""
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class HostFacts:
    """All of it, as it was at ``now``.

    ``settings``: the file; without ``settings_trouble`` all others are from it. ``listening``: addresses and ports, None
    where the kernel does not say. ``grace_days``: what the file says. ``user``: who asks, as people call it.
    """

    settings: Path
    now: datetime
    user: str
    release: str
    settings_named: bool = False
    """Whether the file is another than the usual one, so that every command has to name it."""
    settings_missing: bool = False
    settings_trouble: str = ""
    servers: tuple[ServerFacts, ...] = ()
    deadline_seconds: float = 2.0
    grace_days: int | None = None
    admits_without_device: bool = False
    ladder: Ladder | None = field(default=None, repr=False)
    agent: AgentFacts | None = None
    relay: RelayFacts | None = None
    state: StateFacts | None = None
    pam_folder: Path = Path("/etc/pam.d")
    pam: tuple[PamLine, ...] = ()
    listening: tuple[tuple[str, int], ...] | None = None

    @property
    def readable(self) -> bool:
        """Whether the settings could be read."""
        return not self.settings_missing and not self.settings_trouble

    @property
    def told(self) -> Told | None:
        """What the first server that knows this host says it is: as the agent has it."""
        return next((one.told for one in self.servers if one.told is not None), None)

    @property
    def mode(self) -> str | None:
        """The licensing mode in force, as told now or remembered; None: nobody has said it yet."""
        if self.told is not None:
            return self.told.mode
        remembered = self.state.memory.policy if self.state and self.state.memory else None
        return remembered.mode if remembered else None
