"""Which number does a command end with, and what helps after each kind of error?

INVARIANT: the numbers never change their meaning: scripts stand on them. docs/reference/cli.md shows these tables.
"""

from enum import IntEnum
from types import MappingProxyType
from typing import Final

from calward.domain.errors import Problem

__all__ = ["EXIT_OF", "HELP_FOR", "MEANINGS", "Exit"]


class Exit(IntEnum):
    """What a command ends with."""

    OK = 0
    BUG = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNAUTHORIZED = 5
    UNAVAILABLE = 6
    FINDINGS = 7
    INTERRUPTED = 130


MEANINGS: Final = MappingProxyType(
    {
        Exit.OK: "done",
        Exit.BUG: "an error in Calward itself; nobody outside could have avoided it",
        Exit.USAGE: "the command, a file or a value is malformed: correct it and try again",
        Exit.NOT_FOUND: "what was named does not exist",
        Exit.REFUSED: "a rule says no, or it conflicts with what is there: the output says why",
        Exit.UNAUTHORIZED: "no token, an unknown or ended one, or a role that does not allow it",
        Exit.UNAVAILABLE: "the license server does not answer, or cannot say now: try again later",
        Exit.FINDINGS: (
            "the command has done its work and found something: "
            "agent doctor, audit verify, diagnose, forecast, plan, rdp decode, report compliance, scenario run, watch --once"
        ),
        Exit.INTERRUPTED: "stopped by Ctrl-C",
    }
)
"""One sentence for each."""

EXIT_OF: Final = MappingProxyType(
    {
        Problem.MALFORMED: Exit.USAGE,
        Problem.NOT_FOUND: Exit.NOT_FOUND,
        Problem.CONFLICT: Exit.REFUSED,
        Problem.UNAUTHORIZED: Exit.UNAUTHORIZED,
        Problem.FORBIDDEN: Exit.UNAUTHORIZED,
        Problem.UNAVAILABLE: Exit.UNAVAILABLE,
        Problem.UNREACHABLE: Exit.UNAVAILABLE,
        Problem.CORRUPT: Exit.FINDINGS,
    }
)
"""From the kind of an error to the number."""

HELP_FOR: Final = MappingProxyType(
    {
        Problem.MALFORMED: "correct what is named above; --help of the command shows examples",
        Problem.NOT_FOUND: "check its spelling: pack, license, host and estate each have a list command",
        Problem.CONFLICT: "what is named above stands in the way: look at it, change it, or name another",
        Problem.UNAUTHORIZED: "name a file with a valid token by --token-file or CALWARD_TOKEN_FILE, or be root on the server",
        Problem.FORBIDDEN: "do what is said above, or use a token with a role that allows this; calward token list shows which there are",
        Problem.UNAVAILABLE: "try again in a moment; a repeated request id never takes a second CAL",
        Problem.UNREACHABLE: "start it (a license server: calward serve), or name another address (--server)",
        Problem.CORRUPT: "run calward audit verify and keep a copy of the database before anything else",
    }
)
"""What to do, where the error itself does not say."""
