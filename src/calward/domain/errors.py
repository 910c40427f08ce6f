"""Which errors can a caller act on?

An expected "no" is a value with a reason (``calward.domain.reasons``); what stands here is raised. Anything else is a bug.
"""

from enum import StrEnum

__all__ = ["LicensingError", "Problem"]


class Problem(StrEnum):
    """The kinds of error a caller can act on; every door has one table from these to its own codes."""

    MALFORMED = "malformed"
    """The input is wrong: correct it and ask again."""
    NOT_FOUND = "not-found"
    """The thing named does not exist here."""
    CONFLICT = "conflict"
    """The same request id was used for other content, or a thing of that name exists."""
    UNAUTHORIZED = "unauthorized"
    """No token, or one that is unknown or has ended."""
    FORBIDDEN = "forbidden"
    """Known, but the role does not allow it."""
    UNAVAILABLE = "unavailable"
    """Nothing can be said now; ask again with the same request id."""
    UNREACHABLE = "unreachable"
    """The other side does not answer."""
    CORRUPT = "corrupt"
    """What is stored does not agree with itself: see ``calward audit verify``."""


class LicensingError(Exception):
    """An error the caller can act on: ``problem`` says of what kind, ``detail`` what, where and what helps.

    ``detail`` is one sentence in lower case without a full stop. ``field`` names the part of the input, where there is one.
    ``helps`` says what helps, where it is something else than usually against errors of this kind; a command line shows it.
    """

    def __init__(self, problem: Problem, detail: str, *, field: str | None = None, helps: str | None = None) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.field = field
        self.helps = helps
