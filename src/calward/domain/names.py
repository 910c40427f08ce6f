"""Which texts from outside may be names here?

One check for each kind of name, used at every door: what people read later in lists, logs and terminals can be seen, is short,
and does not pretend to be something else. Names are compared exactly; nothing is silently changed.
"""

import re

from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name

__all__ = ["check_group", "check_holder", "check_host", "check_label", "check_request_id", "check_token_name"]

HOST_MAX = 253
"""Characters in a host's name: those of a full name in the DNS (RFC 1035, 2.3.4)."""
SHORT_MAX = 64
"""Characters in the name of a group or a token, and in a request id."""

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
    """Return a user's name or a device's hardware id: up to 200 characters that can be seen."""
    return _seen(text, what)


def check_label(text: str, what: str = "the device's name") -> str:
    """Return what people call a device."""
    return _seen(text, what)


def check_token_name(text: str, what: str = "the token's name") -> str:
    """Return the name of an administrator's token: up to 64 characters that can be seen."""
    return _short(_seen(text, what), what)


def check_request_id(text: str, what: str = "the request id") -> str:
    """Return a host's request id: up to 64 characters that can be seen."""
    return _short(_seen(text, what), what)


def _plain(text: str, what: str, most: int) -> str:
    if len(text) > most or not _PLAIN.fullmatch(text):
        detail = f"{what} must be 1 to {most} letters, digits, dots, hyphens or low lines, no mark at its ends"
        raise LicensingError(Problem.MALFORMED, detail)
    return text


def _short(text: str, what: str) -> str:
    if len(text) > SHORT_MAX:
        raise LicensingError(Problem.MALFORMED, f"{what} must have at most {SHORT_MAX} characters")
    return text


def _seen(text: str, what: str) -> str:
    if text.isascii() and text.isprintable() and 0 < len(text) <= SHORT_MAX and text[0] != " " != text[-1]:
        return (
            text  # Nearly every name of the hot path; the rest of the rules is only about other characters and lengths.
        )
    return check_name(text, what)
