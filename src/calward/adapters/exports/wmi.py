"""What do the licensing classes of WMI call their properties, and what do their numbers mean? Readers and writers share this.

Source: rd-licensing 2.1, 7.1-7.4 (the public documentation of the classes), 1.1 (real rows).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from calward.domain.cals import CalType
from calward.insight.estate import LicenseStatus, PackType

__all__ = [
    "ACTIVATION_STATUSES",
    "CLASSES",
    "KEY_PACK_TYPES",
    "LICENSE_STATUSES",
    "MODES",
    "MODE_NOT_SET",
    "NEVER",
    "NO_MODES",
    "PRODUCT_CODES",
    "PRODUCT_TYPES",
    "SERVER_COLUMNS",
    "UNLIMITED",
    "Kind",
    "WmiClass",
]


class Kind(StrEnum):
    """What the rows of a file are about."""

    PACKS = "key packs"
    ISSUED = "issued licenses"
    USER_REPORT = "per-user report"
    DEVICE_REPORT = "per-device report"
    SUMMARY = "summary report"
    FAILED = "failed per-user issuances"
    FAILED_SUMMARY = "summary of failed per-user issuances"
    SERVER = "license servers"
    HOSTS = "session hosts"


@dataclass(frozen=True, slots=True)
class WmiClass:
    """A class and its properties, in the order of its documentation, which is the order of an export's columns."""

    name: str
    properties: tuple[str, ...]


_VERSION: Final = ("CALType", "ProductVersion", "ProductVersionID")

CLASSES: Final = MappingProxyType(
    {
        Kind.PACKS: WmiClass(
            "Win32_TSLicenseKeyPack",
            (
                "KeyPackId",
                "Description",
                "KeyPackType",
                "ProductType",
                "ProductVersion",
                "ProductVersionID",
                "TotalLicenses",
                "IssuedLicenses",
                "AvailableLicenses",
                "ExpirationDate",
                "AccessRights",
                "TypeAndModel",
            ),
        ),
        Kind.ISSUED: WmiClass(
            "Win32_TSIssuedLicense",
            (
                "LicenseId",
                "KeyPackId",
                "sIssuedToUser",
                "sIssuedToComputer",
                "LicenseStatus",
                "IssueDate",
                "ExpirationDate",
                "sHardwareId",
            ),
        ),
        Kind.USER_REPORT: WmiClass("Win32_TSLicenseReportEntry", ("User", "ExpirationDate", *_VERSION)),
        Kind.DEVICE_REPORT: WmiClass(
            "Win32_TSLicenseReportPerDeviceEntry",
            ("sIssuedToComputer", "sHardwareId", "ExpirationDate", *_VERSION),
        ),
        Kind.SUMMARY: WmiClass(
            "Win32_TSLicenseReportSummaryEntry",
            (
                "ProductVersion",
                "ProductVersionID",
                "TSCALType",
                "InstalledLicenses",
                "IssuedLicenses",
                "TSCALAvailability",
            ),
        ),
        Kind.FAILED: WmiClass("Win32_TSLicenseReportFailedPerUserEntry", ("User", "TriedIssuanceOn", *_VERSION)),
        Kind.FAILED_SUMMARY: WmiClass(
            "Win32_TSLicenseReportFailedPerUserSummaryEntry", ("DomainName", "FailedIssuanceCount")
        ),
        Kind.SERVER: WmiClass(
            "Win32_TSLicenseServer", ("ServerRole", "DatabasePath", "ProductId", "Version", "VersionNumber")
        ),
    }
)
"""The classes by what they are about."""

SERVER_COLUMNS: Final = ("PSComputerName", "__SERVER", "Node")
"""Beside the properties: the machine that was asked, as PowerShell 3, PowerShell 2 and wmic call it; in order of trust."""

KEY_PACK_TYPES: Final = MappingProxyType(
    {
        0: "unknown",
        1: "retail",
        2: "volume",
        3: "concurrent",
        4: "temporary",
        5: "open",
        6: "built-in",  # Documented as "not supported"; real output has it for the built-in pool of the oldest version.
        8: "built-in over-used",  # Not documented.
    }
)
"""KeyPackType: how a pack was bought, or whose own pool it is."""

PRODUCT_TYPES: Final = MappingProxyType({0: PackType.PER_DEVICE, 1: PackType.PER_USER, 3: PackType.BUILT_IN})
"""ProductType; 2 is documented as not valid."""

PRODUCT_CODES: Final = MappingProxyType({"A02": PackType.PER_DEVICE, "C50": PackType.PER_USER})
"""The first part of a product code (Description), such as A02-10.01-S."""

LICENSE_STATUSES: Final = MappingProxyType(
    {
        0: LicenseStatus.UNKNOWN,
        1: LicenseStatus.TEMPORARY,
        2: LicenseStatus.ACTIVE,
        3: LicenseStatus.UPGRADED,
        4: LicenseStatus.REVOKED,
        5: LicenseStatus.PENDING,
        6: LicenseStatus.CONCURRENT,
    }
)
"""LicenseStatus of an issued license."""

MODES: Final = MappingProxyType({2: CalType.PER_DEVICE, 4: CalType.PER_USER})
"""LicensingType of a session host."""
MODE_NOT_SET: Final = 5
NO_MODES: Final = frozenset({0, 1, MODE_NOT_SET})
"""Those in which it asks for no CALs: 0 is a personal computer, 1 is remote administration only."""

ACTIVATION_STATUSES: Final = MappingProxyType({0: True, 1: False, 2: None})
"""What GetActivationStatus of Win32_TSLicenseServer gives; 2 is "not known"."""

UNLIMITED: Final = frozenset({-1, 0xFFFFFFFF})
"""What stands for "as many as you like" in a count: -1, as a signed and as an unsigned number of 32 bits."""

NEVER: Final = (
    int(datetime(2035, 12, 31, 12, tzinfo=UTC).timestamp()),
    int(datetime(2037, 12, 31, 10, tzinfo=UTC).timestamp()),
)
"""From which moments on an end is no end: for a built-in pool, and for everything else.

A pack without an end "expires" at the beginning of 2038 by its server's clock, a temporary pool where numbers of 32 bits end, the built-in
pool at the end of 2035 (rd-licensing 1.1). The hours allow for servers east of Greenwich.
"""
