"""Confirm a license: a host says that the device's user has logged on.

This is what proves a device (design 3, "Proven"): it holds for every family, and for good.
"""

from dataclasses import dataclass

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.ports import Book
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.parties import Host
from calward.domain.reasons import SENTENCES, Reason

__all__ = ["ConfirmLicense", "confirm_license"]


@dataclass(frozen=True, slots=True)
class ConfirmLicense:
    """The license by number, and the host that saw the logon."""

    host: Host
    license: int


def confirm_license(command: ConfirmLicense, book: Book, *, now: int) -> Done | RefusedAct:
    """Prove the license's device; said again it changes nothing. Raises LicensingError(NOT_FOUND)."""
    found = book.license(command.license)
    if found is None:
        raise LicensingError(
            Problem.NOT_FOUND, f"no license L{command.license} was issued by this license server", field="license"
        )
    if not found.runs(now):
        return RefusedAct((Reason.LICENSE_ENDED,), f"license L{found.id} has ended: request a new one")
    if not command.host.enrolled:
        return RefusedAct((Reason.HOST_NOT_AUTHORIZED,), SENTENCES[Reason.HOST_NOT_AUTHORIZED])
    holder = book.holder_of(found)
    if found.type is CalType.PER_USER or holder.proven_at is not None:
        return Done("confirmed")
    book.prove(holder, now)
    number = book.new_id()
    book.append(
        {
            "id": number,
            "at": now,
            "kind": Kind.PROVEN.value,
            "holder": holder.token,
            "host": command.host.name,
            "license": found.id,
        }
    )
    return Done("confirmed", number)
