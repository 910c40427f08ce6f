"""What kinds of client access license (CAL) are there, and who holds one?"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["CalType", "HolderKind"]


class CalType(StrEnum):
    """The right that a CAL gives, and the licensing mode of a session host that asks for it."""

    __hash__ = str.__hash__  # Part of many keys; an enumeration's own hash is slow.

    PER_DEVICE = "per-device"
    PER_USER = "per-user"

    @property
    def holder_kind(self) -> "HolderKind":
        """Who holds a CAL of this type."""
        return _HOLDERS[self]

    @classmethod
    def parse(cls, text: str) -> "CalType":
        """Read a type or mode as people write it; raises LicensingError(MALFORMED)."""
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise LicensingError(Problem.MALFORMED, f"{text!r} is no CAL type: say per-device or per-user") from None


class HolderKind(StrEnum):
    """Who holds a license: a device (known by its hardware id) or a user (known by its name)."""

    __hash__ = str.__hash__

    DEVICE = "device"
    USER = "user"


_HOLDERS: Final = MappingProxyType({CalType.PER_DEVICE: HolderKind.DEVICE, CalType.PER_USER: HolderKind.USER})
