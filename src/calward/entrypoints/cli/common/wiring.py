"""What do commands need from outside? ``calward.bootstrap.Wiring`` has it all; tests bring what they need.

The files of ``matrix``, ``scenario``, ``clearinghouse`` and ``pam`` say for themselves what they need beside this.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = [
    "AdminClient",
    "Document",
    "Enrolled",
    "HostClient",
    "Query",
    "RunOptions",
    "ServeOptions",
    "Where",
    "Wiring",
]

Document = dict[str, Any]
"""A JSON object."""
Query = Mapping[str, str | int | bool | None]
"""Parameters of an address; None leaves one out."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which license server, as asked for; None: look for it in CALWARD_SERVER and at the usual Unix sockets.

    ``token_file``: of an administrator or a host. ``ca_file``: certificates (PEM) to trust instead of the system's.
    ``fingerprint``: SHA-256 in hex of the only certificate to accept, whoever has signed it.
    """

    server: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What ``calward serve`` was asked for: the settings file, and settings by name (``calward.config``) that win over it."""

    config: Path | None
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What ``./dev run`` was asked for; ``data_dir`` None: below the working directory; ports 0: the usual ones, else free ones."""

    demo: bool = False
    fresh: bool = False
    data_dir: Path | None = None
    port: int = 0
    clearinghouse_port: int = 0


class Enrolled(Protocol):
    """What a host gets for its one-time code."""

    @property
    def name(self) -> str:
        """Its name, as the administrator has given it."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def mode(self) -> str:
        """Its licensing mode."""

    @property
    def token(self) -> str:
        """Its token, shown this once."""


class AdminClient(Protocol):
    """The administration API of one license server. Every method raises LicensingError; targets stand below /api/v1/."""

    @property
    def name(self) -> str:
        """Where the server is, for messages."""

    def ask(self, method: str, target: str, *, query: Query | None = None, body: Document | None = None) -> Document:
        """One question, one JSON object."""

    def deliver(self, method: str, target: str, content: bytes) -> Document:
        """Send a signed envelope as it is."""

    def made(self, target: str, body: Document) -> bytes | Document:
        """POST for a signed file; the file, or the JSON object that says why it is not made."""

    def text(self, target: str) -> str:
        """GET a text, such as an activation request or a checkpoint."""

    def lines(self, target: str, query: Query | None = None) -> Iterator[str]:
        """GET lines, one at a time: an export may be larger than memory."""

    def close(self) -> None:
        """Give the connection back."""


class HostClient(Protocol):
    """What a session host asks one license server. Every method raises LicensingError."""

    @property
    def name(self) -> str:
        """The server's address."""

    def ask_license(self, question: Document, *, full_only: bool, seconds: float) -> Document:
        """Request a license; gives the answer as it came."""

    def confirm_license(self, license_id: str, *, seconds: float) -> Document:
        """Say that the holder has logged on; gives the answer as it came."""

    def enroll(self, code: str, *, seconds: float) -> Enrolled:
        """Turn a one-time code into a token."""


class Wiring(Protocol):
    """The context object, ``ctx.obj``."""

    def admin(self, where: Where) -> AdminClient:
        """Find the license server and make a client; raises LicensingError(UNREACHABLE) where there is none."""

    def address_of(self, where: Where) -> str:
        """The license server's address, without asking it; raises LicensingError(UNREACHABLE) where there is none to name."""

    def host(self, where: Where) -> HostClient:
        """Make a client with a host's token; without a token file one that can only enroll."""

    def new_id(self) -> str:
        """An id that no other request has."""

    def check_free(self, path: Path) -> None:
        """Refuse a place where no new file can be made, before a secret is made that is shown once; raises LicensingError."""

    def write_secret(self, path: Path, secret: str) -> None:
        """Write a token to a file that only its owner can read; raises LicensingError, CONFLICT where the file exists."""

    def serve(self, options: ServeOptions, ready: Callable[[Mapping[str, str]], None]) -> None:
        """Run the license server until stopped; ``ready`` gets where it is, by kind (url, socket, setup)."""

    def devrun(self, options: RunOptions, ready: Callable[[Mapping[str, str]], None]) -> None:
        """Run license server and clearinghouse on loopback until stopped."""
