"""How does a command end: which exit code, and what stands on standard error?

An entry point renders, so that commands only raise: ``error: what, where`` and ``help: what to do``, one line each; as one JSON
object where the command was asked for JSON. A traceback is shown only to who asks for it by ``CALWARD_DEBUG=1``.
"""

import json
import os
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TextIO

import rich_click as click
from rich_click import ClickException

from calward.domain.errors import LicensingError
from calward.entrypoints.cli.common.exit_codes import EXIT_OF, HELP_FOR, Exit
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.view import wants_json
from calward.entrypoints.statuses import STATUS

__all__ = ["Trouble", "run"]

_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")
"""What the system calls an error stands beside it in words."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as people and scripts read it; ``problem`` is a Problem, or usage or bug."""

    problem: str
    detail: str
    help: str
    exit_code: int
    field: str | None = None

    def __str__(self) -> str:
        return f"error: {safe(self.detail)}\nhelp: {safe(self.help)}"


def run(command: click.Command, arguments: Sequence[str], wiring: object) -> int:
    """Run a command line, arguments without the program's name; gives the exit code and never raises an Exception."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_print(stream)
    try:
        # Not standalone: click then leaves its exceptions to us and returns the code of ``ctx.exit``.
        code = command.main(list(arguments), prog_name="calward", standalone_mode=False, obj=wiring)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return _leave_the_pipe()
    except SystemExit as ended:
        # click and rich end the program themselves where a reader, say ``head``, has had enough.
        return _leave_the_pipe() if isinstance(ended.__context__, BrokenPipeError) else _code_of(ended)
    except Exception as error:  # noqa: BLE001 - a bug, too, ends with a line that can be read.
        return _complain(_trouble(error, arguments), as_json=wants_json(arguments))
    return code if isinstance(code, int) else Exit.OK


def _trouble(error: Exception, arguments: Sequence[str]) -> Trouble:
    match error:
        case LicensingError():
            return Trouble(
                error.problem.value,
                _ERRNO.sub("", error.detail),
                error.helps or HELP_FOR[error.problem],
                EXIT_OF[error.problem],
                error.field,
            )
        case ClickException():
            return _misused(error)
    if os.environ.get("CALWARD_DEBUG"):
        traceback.print_exception(error)
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Trouble(
        "bug",
        f"calward {' '.join(arguments[:2])} met an error of its own: {words}",
        "run it again with CALWARD_DEBUG=1 and report what it prints",
        Exit.BUG,
    )


def _misused(error: ClickException) -> Trouble:
    near = getattr(error, "possibilities", None)
    message = (error.message if near else error.format_message()).strip().rstrip(".")
    detail = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    page = f"{context.command_path if context else 'calward'} --help shows what there is"
    return Trouble("usage", detail, f"did you mean {' or '.join(near)}? {page}" if near else page, Exit.USAGE)


def _complain(trouble: Trouble, *, as_json: bool) -> int:
    click.echo(json.dumps(_document(trouble)) if as_json else str(trouble), err=True)
    return trouble.exit_code


def _document(trouble: Trouble) -> dict[str, Any]:
    """A problem document (RFC 9457) with what a command line has to say beside it."""
    named = {problem.value: status for problem, status in STATUS.items()}
    head: dict[str, Any] = {
        "type": f"urn:calward:problem:{trouble.problem}",
        "title": trouble.problem.replace("-", " "),
    }
    if status := named.get(trouble.problem):
        head |= {"title": status.phrase, "status": status.value}
    return head | asdict(trouble)


def _never_fail_to_print(stream: TextIO) -> None:
    """Let a terminal that lacks a character get an escape instead of an error."""
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")


def _leave_the_pipe() -> int:
    """Keep the interpreter quiet at its end: whoever read us has had enough, and that is no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.OK


def _code_of(ended: SystemExit) -> int:
    return ended.code if isinstance(ended.code, int) else (Exit.BUG if ended.code else Exit.OK)
