"""Which reasons can stand behind a "no", or behind less than a full license?

The names are frozen (they stand in events, answers and scenario files); the sentences may improve.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["SENTENCES", "Reason"]


class Reason(StrEnum):
    """Why something was refused, or why a license is only temporary or over-used."""

    CAL_VERSION_TOO_LOW = "cal-version-too-low"
    CAL_TYPE_DIFFERS_FROM_MODE = "cal-type-differs-from-mode"
    LICENSE_UPGRADE_PREVENTED = "license-upgrade-prevented"
    NO_CAL_FREE = "no-cal-free"
    TEMPORARY_LICENSE_EXPIRED = "temporary-license-expired"
    SERVER_VERSION_TOO_LOW = "server-version-too-low"
    SERVER_NOT_ACTIVATED = "server-not-activated"
    ISSUING_RIGHT_ENDED = "issuing-right-ended"
    HOST_NOT_AUTHORIZED = "host-not-authorized"
    NO_LICENSE_SERVER = "no-license-server"
    GRACE_EXPIRED = "grace-expired"
    FIRST_CONTACT = "first-contact"
    NOT_PROVEN = "not-proven"
    LICENSE_ENDED = "license-ended"
    LICENSE_RUNNING = "license-running"
    REVOCATION_LIMIT = "revocation-limit"
    PER_USER_NOT_REVOCABLE = "per-user-not-revocable"
    PER_DEVICE_NOT_RELEASABLE = "per-device-not-releasable"
    NOT_A_FULL_LICENSE = "not-a-full-license"
    PACK_ALREADY_INSTALLED = "pack-already-installed"
    PACK_IN_USE = "pack-in-use"
    PACK_EXPIRED = "pack-expired"
    NOTHING_TO_DO = "nothing-to-do"
    DEVICE_WITHOUT_IDENTITY = "device-without-identity"
    USER_NAME_NOT_TAKEN = "user-name-not-taken"
    DEVICE_UNKNOWN = "device-unknown"
    AGENT_SILENT = "agent-silent"
    PACK_MOVING = "pack-moving"
    ABOVE_WHAT_WAS_BOUGHT = "above-what-was-bought"
    LEDGER_ROLLED_BACK = "ledger-rolled-back"


SENTENCES: Final = MappingProxyType(
    {
        Reason.CAL_VERSION_TOO_LOW: "packs of the host's licensing mode are installed, but all are of an older version than the host",
        Reason.CAL_TYPE_DIFFERS_FROM_MODE: "only CALs of the other type would open this host: the host's licensing mode and the CALs bought differ",
        Reason.LICENSE_UPGRADE_PREVENTED: "a CAL of a newer version is free, but the policy prevent_license_upgrade keeps it for newer hosts",
        Reason.NO_CAL_FREE: "no CAL that opens this host is free",
        Reason.TEMPORARY_LICENSE_EXPIRED: "the temporary license, given once per version family, has been used up",
        Reason.SERVER_VERSION_TOO_LOW: "the license server is of an older version than what it is asked to serve or hold",
        Reason.SERVER_NOT_ACTIVATED: "the license server is not activated and issues temporary licenses only",
        Reason.ISSUING_RIGHT_ENDED: "the license server's right to issue has ended: renew its activation at the clearinghouse",
        Reason.HOST_NOT_AUTHORIZED: "the session host is not enrolled at this license server",
        Reason.NO_LICENSE_SERVER: "no license server of the host's list answers",
        Reason.GRACE_EXPIRED: "the host's grace period is over",
        Reason.FIRST_CONTACT: "a device's first license is temporary, until a user has logged on with it",
        Reason.NOT_PROVEN: "no host has yet confirmed a logon from this device while it held a license",
        Reason.LICENSE_ENDED: "the license has ended",
        Reason.LICENSE_RUNNING: "the holder has a running license",
        Reason.REVOCATION_LIMIT: "the share of CALs that may be revoked at a time is used up",
        Reason.PER_USER_NOT_REVOCABLE: "a per-user license is released, not revoked",
        Reason.PER_DEVICE_NOT_RELEASABLE: "a per-device license is revoked, not released",
        Reason.NOT_A_FULL_LICENSE: "a temporary license holds no CAL that could be freed",
        Reason.PACK_ALREADY_INSTALLED: "this key pack is installed already",
        Reason.PACK_IN_USE: "licenses of this key pack are running: they end, or are revoked or released, first",
        Reason.PACK_EXPIRED: "the key pack has expired",
        Reason.NOTHING_TO_DO: "there is nothing to change",
        Reason.DEVICE_WITHOUT_IDENTITY: "the client says neither a hardware id that tells devices apart nor a name",
        Reason.USER_NAME_NOT_TAKEN: "no license server takes such a user's name: 1 to 255 characters that can be seen, no space at its ends",
        Reason.DEVICE_UNKNOWN: "the host is licensed per device, and this connection did not come through its licensing relay",
        Reason.AGENT_SILENT: "the agent of this host, which knows the devices, does not answer",
        Reason.PACK_MOVING: "the key pack is on its way to another license server: its licenses run on and nothing of it may change",
        Reason.ABOVE_WHAT_WAS_BOUGHT: "a key pack can be raised again up to the version that was bought, and no further",
        Reason.LEDGER_ROLLED_BACK: "the license server's ledger is older than what others have seen of it: temporary licenses only for now",
    }
)
"""One sentence for each reason, lower case, without a full stop."""
