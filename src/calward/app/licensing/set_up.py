"""Make the first license administrator by a one-time code, so that there is never a default password."""

from calward.app.licensing.enroll_host import CODE_LIVES
from calward.app.licensing.make_token import MakeToken, TokenMade, make_token
from calward.app.ports import Entropy
from calward.app.registry import Code, Purpose, RegistryBook
from calward.domain.codes import SECRET_SIZE, OneTimeCode, read_code
from calward.domain.errors import LicensingError, Problem
from calward.domain.names import check_token_name
from calward.domain.roles import Role

__all__ = ["WRONG_LINK", "offer_set_up", "set_up"]

FIRST_NAME = "administrator"
WRONG_LINK = (
    "the code is wrong, has been used, or is older than a day: as long as there is no administrator, "
    "the license server prints a new link at each start"
)
ROOM = 56
"""Characters of a name that leave room for a number."""


def offer_set_up(book: RegistryBook, *, now: int, entropy: Entropy, fingerprint: bytes | None = None) -> OneTimeCode:
    """Make the code, in place of an earlier one. Only who has the machine may ask: it makes a license administrator."""
    code = OneTimeCode(entropy.token(SECRET_SIZE), fingerprint)
    book.registry.add_code(code.hash, Code(Purpose.SET_UP, now + CODE_LIVES))
    return code


def set_up(text: str, book: RegistryBook, *, now: int, entropy: Entropy, name: str | None = None) -> TokenMade:
    """Change the code for a license administrator's token.

    ``name`` None: "administrator"; a name that is taken gets a number.
    Raises: LicensingError: MALFORMED: no code at all, or the name; CONFLICT: there is an administrator, so that a link that was
    left lying about makes no second one; UNAUTHORIZED: not a code that works.
    """
    code, free = read_code(text), _free_name(check_token_name(name or FIRST_NAME), book, now)
    if book.registry.has_administrator(now):
        detail = "there is a license administrator already: who is one makes further tokens (calward token make)"
        raise LicensingError(Problem.CONFLICT, detail, field="code")
    # Nothing that can fail comes after this: a code is not used up for nothing.
    if book.registry.use_code(code.hash, Purpose.SET_UP, now) is None:
        raise LicensingError(Problem.UNAUTHORIZED, WRONG_LINK, field="code")
    return make_token(MakeToken(free, Role.LICENSE_ADMINISTRATOR, by="set-up"), book, now=now, entropy=entropy)


def _free_name(wanted: str, book: RegistryBook, now: int) -> str:
    name, number = wanted, 1
    while book.registry.token_named(name, now):
        number += 1
        name = f"{wanted[:ROOM]}-{number}"
    return name
