"""Which numbers does each program's paper bear, how are they made, and how are they read as people type them?

All numbers are the clearinghouse's own. Whoever knows the last number of a purchase may claim it, so that one is never short enough
to be guessed; each carries check characters, so that a slip is found before anything is asked.
Source: rd-licensing 2.3 (what Install asks for, by program).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import render_moment
from calward.domain.statements import MAX_TOTAL, Program

__all__ = [
    "FORMS",
    "Draw",
    "NumberForm",
    "Purchase",
    "make_numbers",
    "quantity_to_claim",
    "read_number",
    "read_numbers",
    "read_proof",
]

Draw: TypeAlias = Callable[[int], bytes]
"""So many random bytes."""

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32: no I, L, O, U, so that nothing is taken for a digit and nothing is spelled."""
_ALIKE: Final = str.maketrans("OIL", "011")
_DIGITS: Final = "0123456789"


@dataclass(frozen=True, slots=True)
class NumberForm:
    """One number of a program: what papers call it, of how many characters in groups of how many; digits, or letters too."""

    title: str
    length: int
    group: int
    digits_only: bool = False

    def printed(self, characters: str) -> str:
        """As papers bear it: in groups with hyphens."""
        return "-".join(characters[at : at + self.group] for at in range(0, self.length, self.group))


_AGREEMENT: Final = NumberForm("agreement number", 16, 4)

FORMS: Final[Mapping[Program, tuple[NumberForm, ...]]] = MappingProxyType(
    {
        Program.RETAIL: (NumberForm("code", 25, 5),),
        Program.OPEN: (NumberForm("license number", 8, 8, digits_only=True), NumberForm("authorization number", 15, 5)),
        Program.VOLUME: (_AGREEMENT,),
        Program.SUBSCRIPTION: (_AGREEMENT,),
    }
)
"""What each program asks for, in order. The last number of each holds 65 random bits or more."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What was bought: ``numbers`` as printed; ``organization`` is an id, None where nobody was named.

    ``convertible``: the agreement lets CALs change from per device to per user and back.
    """

    purchase_id: str
    organization: str | None
    program: Program
    numbers: tuple[str, ...]
    ladder: str
    version: str
    cal_type: CalType
    quantity: int
    expires_at: datetime
    convertible: bool
    added_at: datetime

    @property
    def proof(self) -> str:
        """The number that proves whose it is."""
        return self.numbers[-1]


def make_numbers(program: Program, draw: Draw) -> tuple[str, ...]:
    """New numbers of a program, as printed; ``draw`` must be unpredictable."""
    return tuple(_make(form, draw) for form in FORMS[program])


def read_numbers(program: Program, typed: Sequence[str]) -> tuple[str, ...]:
    """The numbers of a program as printed, from what was typed: case, blanks and hyphens do not matter.

    Raises: LicensingError(MALFORMED): too few or too many, or what ``read_number`` raises.
    """
    forms = FORMS[program]
    if len(typed) != len(forms):
        wanted = " and ".join(form.title for form in forms)
        raise LicensingError(Problem.MALFORMED, f"{program} asks for {wanted}, {len(typed)} numbers were given")
    return tuple(read_number(form, one) for form, one in zip(forms, typed, strict=True))


def read_number(form: NumberForm, typed: str) -> str:
    """One number as printed; raises LicensingError(MALFORMED): wrong length or characters, or a slip somewhere."""
    found = "".join(typed.split()).replace("-", "").upper()
    letters = _DIGITS if form.digits_only else _LETTERS
    found = found if form.digits_only else found.translate(_ALIKE)
    if len(found) != form.length or not set(found) <= set(letters):
        kind = "digits" if form.digits_only else "letters and digits"
        raise LicensingError(
            Problem.MALFORMED, f"the {form.title} has {form.length} {kind}: copy it whole", field="numbers"
        )
    if _checked(form, found[: -_checks(form)]) != found:
        detail = f"the {form.title} holds a slip: its check characters do not fit, compare it with the paper"
        raise LicensingError(Problem.MALFORMED, detail, field="numbers")
    return form.printed(found)


def read_proof(typed: str) -> str | None:
    """The number that proves a purchase, of whatever program, as printed; None where it can be none."""
    for form in {forms[-1] for forms in FORMS.values()}:
        try:
            return read_number(form, typed)
        except LicensingError:
            continue
    return None


def quantity_to_claim(purchase: Purchase, claimed: int, wanted: int | None, now: datetime) -> int | NotAccepted:
    """How many CALs an install request gets when ``claimed`` are taken; ``wanted`` None is all that is left.

    A retail code is claimed whole and once; all others in parts.
    """
    if purchase.expires_at <= now:
        detail = f"what was bought under these numbers ended at {render_moment(purchase.expires_at)}"
        return NotAccepted(AcceptanceRefusal.PACK_EXPIRED, detail)
    left = purchase.quantity - claimed
    if left < (wanted or 1):
        have = f"{left} of {purchase.quantity} CALs are left" if left else f"all {purchase.quantity} CALs are claimed"
        detail = f"{have} under these numbers: move them from the license server that has them, or buy more"
        return NotAccepted(AcceptanceRefusal.NOTHING_LEFT, detail)
    if purchase.program is Program.RETAIL and wanted not in {None, left}:
        detail = f"a retail code is claimed whole: ask for {left} CALs, or for no number of them"
        return NotAccepted(AcceptanceRefusal.MALFORMED, detail)
    return min(left, MAX_TOTAL) if wanted is None else wanted


def _make(form: NumberForm, draw: Draw) -> str:
    free = form.length - _checks(form)
    if form.digits_only:
        return form.printed(_checked(form, f"{int.from_bytes(draw(16)) % 10**free:0{free}}"))
    return form.printed(_checked(form, "".join(_LETTERS[one % 32] for one in draw(free))))


def _checks(form: NumberForm) -> int:
    return 1 if form.digits_only else 2


def _checked(form: NumberForm, body: str) -> str:
    return body + (_check_digit(body) if form.digits_only else _check_letters(body))


def _check_digit(body: str) -> str:
    """One digit that finds every slip of one digit and nearly every two that changed places.

    Source: ISO/IEC 7064, MOD 11,10.
    """
    rest = 10
    for one in body:
        rest = (rest + int(one)) % 10 or 10
        rest = 2 * rest % 11
    return str((11 - rest) % 10)


def _check_letters(body: str) -> str:
    """Two letters that find every slip of one letter and every two that changed places.

    Sum and weighted sum over the field of 32 elements, where adding is XOR; weights are powers of its generator, all different
    in the 31 places that there can be at most.
    """
    total = weighted = 0
    for value in map(_LETTERS.index, body):
        total ^= value
        weighted = _doubled(weighted) ^ value
    return _LETTERS[total] + _LETTERS[weighted]


def _doubled(value: int) -> int:
    """Times the generator, modulo x^5 + x^2 + 1."""
    value <<= 1
    return value ^ 0b100101 if value & 0b100000 else value
