"""Add a session host, give it a one-time code, and let it change the code for a token of its own."""

from dataclasses import dataclass, field, replace
from typing import Final

from calward.app.licensing.acts import write_act
from calward.app.ports import Entropy
from calward.app.registry import Code, HostRecord, Purpose, RegistryBook
from calward.domain.cals import CalType
from calward.domain.codes import HOST_PREFIX, SECRET_SIZE, TOKEN_SIZE, OneTimeCode, read_code, token_hash, token_text
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.ladder import Ladder
from calward.domain.names import check_group, check_host
from calward.domain.settings import SECONDS_PER_DAY

__all__ = [
    "CODE_LIVES",
    "WRONG_CODE",
    "AddHost",
    "CodeGiven",
    "Enrolled",
    "add_host",
    "describe",
    "enroll_host",
    "give_code",
    "unknown_host",
]

CODE_LIVES: Final = SECONDS_PER_DAY
"""Seconds for which a one-time code may be used."""

WRONG_CODE: Final = "the code is wrong, has been used, or is older than a day: ask an administrator for a new one"
"""One sentence for every case: who guesses learns nothing."""


@dataclass(frozen=True, slots=True)
class AddHost:
    """A session host as an administrator describes it, and who that is."""

    name: str
    version: str
    mode: CalType
    by: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """A code to hand to the host's administrator. It is shown once; ``expires_at`` in seconds since 1970."""

    host: HostRecord
    code: OneTimeCode
    expires_at: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The host, and its token, which is shown once."""

    host: HostRecord
    token: str = field(repr=False)


def add_host(
    command: AddHost,
    book: RegistryBook,
    ladder: Ladder,
    *,
    now: int,
    entropy: Entropy,
    fingerprint: bytes | None = None,
) -> CodeGiven:
    """Store a host and make its code; ``fingerprint`` is that of the license server's certificate.

    Raises: LicensingError: MALFORMED: a name or version; CONFLICT: there is a host of this name.
    """
    name, version = check_host(command.name), ladder.canonical(command.version)
    group = check_group(command.group) if command.group else None
    if book.registry.host(name):
        detail = f"session host {name} is known already: change it, or ask for a new code for it"
        raise LicensingError(Problem.CONFLICT, detail, field="name")
    earlier = book.registry.removed_host(name)
    # A host that comes back keeps its number, and with it its place in the ledger.
    number = earlier.id if earlier else book.new_id()
    host = HostRecord(number, name, version, ladder.family_of(version), command.mode, group)
    book.registry.put_host(host)
    facts = describe(host)
    if earlier:
        write_act(book, Kind.HOST_CHANGED, now, command.by, **facts)
    else:
        book.append({"id": number, "at": now, "kind": Kind.HOST_CHANGED.value, "by": command.by} | facts)
    return _give(host, book, now, entropy, fingerprint)


def give_code(
    name: str, book: RegistryBook, *, now: int, entropy: Entropy, fingerprint: bytes | None = None
) -> CodeGiven:
    """A new code for a known host, in place of the one before; its token works until the code is used."""
    host = book.registry.host(name)
    if host is None:
        raise unknown_host(name)
    return _give(host, book, now, entropy, fingerprint)


def enroll_host(text: str, book: RegistryBook, *, now: int, entropy: Entropy) -> Enrolled:
    """Change a code for a token; a token that the host had ends.

    Raises: LicensingError: MALFORMED: no code at all; UNAUTHORIZED: not a code that works.
    """
    code = book.registry.use_code(read_code(text).hash, Purpose.ENROLL, now)
    known = book.registry.host_by_id(code.host) if code and code.host else None
    if known is None:
        raise LicensingError(Problem.UNAUTHORIZED, WRONG_CODE, field="code")
    token = token_text(HOST_PREFIX, entropy.token(TOKEN_SIZE))
    host = replace(known, enrolled_at=now)
    book.registry.put_host(host)
    book.registry.set_host_token(host.id, token_hash(token))
    write_act(book, Kind.HOST_ENROLLED, now, f"host:{host.name}", **describe(host))
    return Enrolled(host, token)


def describe(host: HostRecord) -> dict[str, str]:
    """What events say of a host; an empty group is none."""
    return {"host": host.name, "version": host.version, "mode": host.mode.value, "group": host.group or ""}


def unknown_host(name: str) -> LicensingError:
    """The error for a host that is not there."""
    return LicensingError(Problem.NOT_FOUND, f"no session host {name[:64]!r} is known here", field="host")


def _give(host: HostRecord, book: RegistryBook, now: int, entropy: Entropy, fingerprint: bytes | None) -> CodeGiven:
    code = OneTimeCode(entropy.token(SECRET_SIZE), fingerprint)
    book.registry.add_code(code.hash, Code(Purpose.ENROLL, now + CODE_LIVES, host.id))
    return CodeGiven(host, code, now + CODE_LIVES)
