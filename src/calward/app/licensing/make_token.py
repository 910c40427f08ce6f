"""Make an administrator's token, or end one."""

from dataclasses import dataclass, field
from typing import Final

from calward.app.licensing.acts import Done, write_act
from calward.app.ports import Entropy
from calward.app.registry import AdminToken, RegistryBook
from calward.domain.codes import ADMIN_PREFIX, TOKEN_SIZE, token_hash, token_text
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.names import check_token_name
from calward.domain.roles import Role
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["USUAL_DAYS", "EndToken", "MakeToken", "TokenMade", "end_token", "make_token"]

USUAL_DAYS: Final = 90
MOST_DAYS: Final = 3650


@dataclass(frozen=True, slots=True)
class MakeToken:
    """Whose it will be (a name for people), its role, its life in days, and who makes it."""

    name: str
    role: Role
    by: str
    days: int = USUAL_DAYS


@dataclass(frozen=True, slots=True)
class EndToken:
    """A token by its number, and who asks."""

    token: int
    by: str


@dataclass(frozen=True, slots=True)
class TokenMade:
    """The token's record, and the token itself, which is shown once."""

    record: AdminToken
    token: str = field(repr=False)


def make_token(command: MakeToken, book: RegistryBook, *, now: int, entropy: Entropy) -> TokenMade:
    """Store a new token.

    Raises: LicensingError: MALFORMED: its name or its days; CONFLICT: a running token has this name.
    """
    name = check_token_name(command.name)
    if not 1 <= command.days <= MOST_DAYS:
        raise LicensingError(Problem.MALFORMED, f"days must be 1 to {MOST_DAYS}", field="days")
    if book.registry.token_named(name, now):
        detail = f"a running token is called {name!r} already: end it first, or take another name"
        raise LicensingError(Problem.CONFLICT, detail, field="name")
    token = token_text(ADMIN_PREFIX, entropy.token(TOKEN_SIZE))
    expires_at = now + command.days * SECONDS_PER_DAY
    number = write_act(book, Kind.TOKEN_MADE, now, command.by, name=name, role=command.role.value, expires=expires_at)
    record = AdminToken(number, name, command.role, now, expires_at)
    book.registry.add_token(record, token_hash(token))
    return TokenMade(record, token)


def end_token(command: EndToken, book: RegistryBook, *, now: int) -> Done:
    """End a token at once; raises LicensingError(NOT_FOUND)."""
    known = book.registry.token(command.token)
    if known is None or known.ended_at is not None:
        raise LicensingError(Problem.NOT_FOUND, f"no running token T{command.token} is known here", field="token")
    book.registry.end_token(known.id, now)
    return Done("ended", write_act(book, Kind.TOKEN_ENDED, now, command.by, token=known.id, name=known.name))
