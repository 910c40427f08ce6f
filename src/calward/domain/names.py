"""Which texts from outside may be names here?

One check for each kind of name, used at every door: what people read later in lists, logs and terminals can be seen, is short,
and does not pretend to be something else. Names are compared exactly; nothing is silently changed.
"""

import re

from calward.domain.errors import LicensingError, Problem

__all__ = ["check_group", "check_holder", "check_host", "check_label", "check_request_id", "check_token_name"]

HOST_MAX = 253
"""Characters in a host's name: those of a full name in the DNS (RFC 1035, 2.3.4)."""
SHORT_MAX = 64
"""Characters in the name of a group or a token, and in a request id."""
HOLDER_MAX = 255
"""Characters in a user's name, a hardware id and a device's name."""

_PLAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)


def check_host(text: str, what: str = "the host's name") -> str:
    """Return the name of a session host: letters, digits, dots, hyphens and low lines, at most 253.

    Raises: LicensingError(MALFORMED): otherwise, as all functions here; the refused text is not repeated in the error.
    """
    return _plain(text, what, HOST_MAX)


def check_group(text: str, what: str = "the group's name") -> str:
    """Return the name of a group of hosts: as a host's, at most 64 characters."""
    return _plain(text, what, SHORT_MAX)


def check_holder(text: str, what: str) -> str:
    """Return a user's name or a device's hardware id: 1 to 255 characters that can be seen, no space at the ends."""
    return _seen(text, what, HOLDER_MAX)


def check_label(text: str, what: str = "the device's name") -> str:
    """Return what people call a device: as ``check_holder``."""
    return _seen(text, what, HOLDER_MAX)


def check_token_name(text: str, what: str = "the token's name") -> str:
    """Return the name of an administrator's token: at most 64 characters that can be seen."""
    return _seen(text, what, SHORT_MAX)


def check_request_id(text: str, what: str = "request_id") -> str:
    """Return the id of a host's request: at most 64 characters that can be seen."""
    return _seen(text, what, SHORT_MAX)


def _plain(text: str, what: str, most: int) -> str:
    if len(text) > most or not _PLAIN.fullmatch(text):
        detail = f"{what} must be 1 to {most} letters, digits, dots, hyphens or low lines, no mark at its ends"
        raise LicensingError(Problem.MALFORMED, detail)
    return text


def _seen(text: str, what: str, most: int) -> str:
    """Control and format characters (such as those that turn the direction of writing), surrogates and the like are not seen."""
    if not 0 < len(text) <= most or text != text.strip(" "):
        raise LicensingError(Problem.MALFORMED, f"{what} must have 1 to {most} characters and no space at its ends")
    if not text.isprintable():
        hidden = next(one for one in text if not one.isprintable())
        raise LicensingError(Problem.MALFORMED, f"{what} holds U+{ord(hidden):04X}, a character that cannot be seen")
    return text
