"""Revoke a per-device license, release a per-user one: the CAL is free again at once.

Revoking is rationed (design 3, "Revocation"): at most a share of the family's CALs at a time; releasing is not.
"""

from dataclasses import dataclass

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.ports import Book
from calward.domain.answers import license_name, rfc3339
from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.licenses import Ending, License, Status
from calward.domain.reasons import SENTENCES, Reason
from calward.domain.revocation import Allowance, allowance

__all__ = ["FreeLicense", "allowance_now", "find_license", "release_license", "revoke_license"]


@dataclass(frozen=True, slots=True)
class FreeLicense:
    """The license by number, and who asks for it."""

    license: int
    by: str


def find_license(book: Book, kind: HolderKind, key: str, now: int, family: int | None = None) -> License:
    """The running license of a holder (the newest, or of a family); raises LicensingError(NOT_FOUND)."""
    holder = book.find_holder(kind, key)
    running = [x for x in book.licenses_of(holder) if x.runs(now)] if holder else []
    fitting = [x for x in running if family is None or x.family == family]
    if not fitting:
        raise LicensingError(Problem.NOT_FOUND, f"{kind.value} {key!r} holds no running license here")
    return max(fitting, key=lambda x: (x.status is Status.ACTIVE, x.family, x.id))


def revoke_license(command: FreeLicense, book: Book, *, now: int) -> Done | RefusedAct:
    """Revoke a full per-device license. Facts: ``remaining`` and ``next_at`` of its family, after the act."""
    found = _running(command, book, now)
    reason = _why_not_revocable(found) or _why_fixed(found, book)
    if reason:
        return refuse_act(book, "revoke", now, command.by, reason, license=found.id)
    left = allowance_now(book, found.family, now)
    if not left.remaining:
        return _limit_reached(command, book, found, left, now)
    book.end(found, now, Ending.REVOKED)
    holder = book.holder_of(found)
    event = write_act(
        book, Kind.REVOKED, now, command.by, license=found.id, holder=holder.token, expires=found.expires_at
    )
    return Done("revoked", event, _facts(allowance_now(book, found.family, now)))


def release_license(command: FreeLicense, book: Book, *, now: int) -> Done | RefusedAct:
    """Release a per-user license of any status."""
    found = _running(command, book, now)
    if found.type is CalType.PER_DEVICE:
        return refuse_act(book, "release", now, command.by, Reason.PER_DEVICE_NOT_RELEASABLE, license=found.id)
    fixed = _why_fixed(found, book)
    if fixed:
        return refuse_act(book, "release", now, command.by, fixed, license=found.id)
    book.end(found, now, Ending.RELEASED)
    holder = book.holder_of(found)
    event = write_act(book, Kind.RELEASED, now, command.by, license=found.id, holder=holder.token)
    return Done("released", event)


def allowance_now(book: Book, family: int, now: int) -> Allowance:
    """What is left to revoke among the installed per-device CALs of a family."""
    installed = book.shelf().installed(CalType.PER_DEVICE, family, now)
    share = book.server().settings.revocable_share
    return allowance(installed, share, book.revoked_until(family, now), now)


def _running(command: FreeLicense, book: Book, now: int) -> License:
    found = book.license(command.license)
    if found is None or not found.runs(now):
        what = "has ended" if found else "was never issued by this license server"
        raise LicensingError(Problem.NOT_FOUND, f"license {license_name(command.license)} {what}", field="license")
    return found


def _why_not_revocable(found: License) -> Reason | None:
    if found.type is CalType.PER_USER:
        return Reason.PER_USER_NOT_REVOCABLE
    return None if found.status is Status.ACTIVE else Reason.NOT_A_FULL_LICENSE


def _why_fixed(found: License, book: Book) -> Reason | None:
    """A license that is listed to go to another license server is not ended here meanwhile."""
    pack = book.shelf().by_id.get(found.seat.pack) if found.seat else None
    return Reason.PACK_MOVING if pack and pack.transfer is not None else None


def _limit_reached(command: FreeLicense, book: Book, found: License, left: Allowance, now: int) -> RefusedAct:
    detail = f"{SENTENCES[Reason.REVOCATION_LIMIT]}: {left.used} of {left.limit}"
    if left.next_at:
        detail += f", the next slot opens at {rfc3339(left.next_at)}"
    facts = _facts(left)
    refused = refuse_act(
        book,
        "revoke",
        now,
        command.by,
        Reason.REVOCATION_LIMIT,
        detail,
        license=found.id,
        number=81,
        used=left.used,
        limit=left.limit,
    )
    return RefusedAct(refused.reasons, detail, facts)


def _facts(left: Allowance) -> dict[str, object]:
    return {"remaining": left.remaining, "next_at": rfc3339(left.next_at) if left.next_at else None}
