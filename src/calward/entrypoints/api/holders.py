"""Which device or user does a body name?"""

from calward.app.reading import Reader
from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.names import check_holder, check_label
from calward.entrypoints.api.bodies import DeviceBody, WhichHolder

__all__ = ["named_holder"]


def named_holder(reader: Reader, body: WhichHolder) -> tuple[HolderKind, str]:
    """Kind and key of the holder; a device may be named by what it is called. Raises LicensingError(MALFORMED)."""
    if (body.user is None) == (body.device is None):
        raise LicensingError(Problem.MALFORMED, "name either a user or a device", field="user")
    if body.user is not None:
        return HolderKind.USER, check_holder(body.user, "user")
    if isinstance(body.device, DeviceBody):
        return HolderKind.DEVICE, check_holder(body.device.hardware_id, "hardware_id")
    return HolderKind.DEVICE, reader.device_key(check_label(body.device or "", "device"))
