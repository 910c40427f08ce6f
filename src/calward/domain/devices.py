"""By which id does a session host ask for a device's license?

Nothing that a client says of itself is proven. Its hardware id (20 bytes: platform and data) is the best there is, where it
tells devices apart; some values are the same on many devices, and the client's name has to help.

Source: [MS-RDPELE] 2.2.2.3.1 Client Hardware Identification.
"""

from typing import Final

__all__ = ["device_id", "device_label"]

_SIZE: Final = 20
_PLATFORM: Final = 4
"""Bytes of the platform id, before the 16 bytes of data."""
_SHARED: Final = frozenset({bytes(16), bytes.fromhex("7319468847d7b1aee40dbf5dd963c999")})
"""Data that many devices share: none at all, and the MD5 of a network address of six zero bytes."""
_NAME_MAX: Final = 64
"""Letters of a name; on the wire it has 15."""


def device_id(hardware_id: bytes | None, name: str) -> str | None:
    """Give the id of a device, an opaque text for the license server; None where nothing tells it from others.

    ``hardware_id`` is what was on the wire, any bytes. A good one is the id, in hex. A shared one, none, or one of another
    size gets "+" and the name, without regard to case, so that two devices do not become one.
    """
    known = hardware_id if hardware_id is not None and len(hardware_id) == _SIZE else b""
    if known and known[_PLATFORM:] not in _SHARED:
        return known.hex()
    cleaned = _cleaned(name).casefold()
    return f"{known.hex()}+{cleaned}" if cleaned else None


def device_label(name: str) -> str:
    """Give what people call the device: its name as it can be shown, else a word for none."""
    return _cleaned(name) or "unnamed"


def _cleaned(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable()).strip()[:_NAME_MAX].strip()
