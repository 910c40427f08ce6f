"""Which options does every command have, without saying so itself?

A command's own file declares what is its own. What all have in common is added where commands are loaded, by what a command is: one
that has ``--json`` gets ``--output`` and its companions, one that has ``--server`` gets ``--curl`` and ``--profile``, one that is marked
by ``acts`` gets ``--dry-run``, one that cannot be undone ``--yes`` and ``--no-input``.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, TypeVar

import rich_click as click
from click import get_current_context

from calward.entrypoints.cli.common.help_page import examples_apart
from calward.entrypoints.cli.common.live_names import asks_server, complete_live
from calward.entrypoints.cli.common.view import Form, change_view, view
from calward.entrypoints.cli.common.ways import Ways

__all__ = ["acts", "confirm", "equip"]

F = TypeVar("F", bound=Callable[..., Any])
_MARK: Final = "calward_act"
_PANEL: Final = "In common"
_COMMON: Final = frozenset({"server", "as_json", "CALWARD_TOKEN_FILE", "CALWARD_CA_FILE", "CALWARD_FINGERPRINT"})
"""Parameters, by name or variable, that nearly all commands declare."""
_SPOKEN_TO: Final = frozenset({"calward pam account", "calward pam session", "calward completion"})
"""What PAM or a shell reads: nobody looks."""
_STREAMS: Final = frozenset({"calward serve", "calward devrun", "calward agent run", "calward clearinghouse serve", "calward watch",
    "calward audit tail", "calward estate watch", "calward backup create"})  # fmt: skip
"""What tells as it goes, in lines: not one document that could have another form."""
_OF_ESTATES: Final = "folder"
"""The parameter of commands that read a whole estate, of a server or a file: more than one request."""


@dataclass(frozen=True, slots=True)
class _Act:
    """``lost``: what cannot be undone, as the end of a sentence; None: another command undoes it."""

    lost: str | None


def acts(lost: str | None = None) -> Callable[[F], F]:
    """Mark the function of a command that changes something on its license server."""

    def mark(function: F) -> F:
        setattr(function, _MARK, _Act(lost))
        return function

    return mark


def equip(command: click.Command, path: str) -> None:
    """Give a command, and all below it, what every one has; once, however often it is called."""
    examples_apart(command)
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            equip(one, f"{path} {name}")
    elif command.callback is not None and not getattr(command.callback, "equipped", False):
        command.params += [option for option in _options(command, path) if _is_free(command, option)]
        _arrange(command)
        complete_live(command, path)
        command.callback = _prepared(command.callback)


def _arrange(command: click.Command) -> None:
    """On the page of a command its own options come first, then what all have in common."""
    for param in command.params:
        if isinstance(param, click.RichOption) and (param.name in _COMMON or param.envvar in _COMMON):
            param.panel = _PANEL
    if isinstance(command, click.RichCommand):
        command.add_panel(click.RichOptionPanel("Options"))
        command.add_panel(click.RichOptionPanel(_PANEL))


def _options(command: click.Command, path: str) -> Iterator[click.Option]:
    names = {name for param in command.params for name in param.opts}
    act: _Act | None = getattr(command.callback, _MARK, None)
    has_form = "--json" in names and path not in _STREAMS and not names & {"--format", "-o", "--output"}
    if has_form:
        yield _option(
            "-o",
            "--output",
            "form",
            type=click.Choice([one.value for one in Form]),
            help="How the result looks; json is --json.",
        )
        yield _option(
            "--columns", metavar="NAME,…", help="Only these columns, in this order; keys of the JSON are names, too."
        )
        yield _option("--no-headers", "headers", flag_value=False, is_flag=True, default=None, help="Rows only.")
    asks = asks_server(command)
    if asks:
        yield _option(
            "--profile",
            metavar="NAME",
            envvar="CALWARD_PROFILE",
            help="Server and token of this name in config.toml.  [env: CALWARD_PROFILE]",
        )
    if asks and _OF_ESTATES not in {param.name for param in command.params}:
        yield _option(
            "--curl", is_flag=True, help="Show the HTTP request as a curl command, without the token, and send nothing."
        )
    if act is not None:
        yield _option(
            "--dry-run", "dry_run", is_flag=True, help="Ask the server what it would come to; nothing is changed."
        )
    if act is not None and act.lost is not None:
        yield _option("--yes", is_flag=True, help="Do not ask first; without a terminal nothing is asked.")
        yield _option(
            "--no-input", "asks", flag_value=False, is_flag=True, default=None, help="Fail instead of asking."
        )
    if path not in _SPOKEN_TO:
        yield _option("-q", "--quiet", is_flag=True, help="Result and errors only.")
        yield click.RichOption(
            ["--no-color"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_no_color,
            panel=_PANEL,
            help="No colors; also by NO_COLOR.",
        )


def _option(*names: str, **how: Any) -> click.Option:  # noqa: ANN401 - what click takes
    return click.RichOption(list(names), expose_value=False, callback=_kept, panel=_PANEL, **how)


def _kept(context: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401
    if value is None or param.name is None:
        return
    if param.name == "form":
        value = Form(value)
    elif param.name == "columns":
        value = tuple(one for one in value.split(",") if one.strip())
    change_view(context, **{param.name: value})


def _no_color(_context: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        os.environ["NO_COLOR"] = "1"


def _is_free(command: click.Command, option: click.Option) -> bool:
    """Whether the command has not said something of its own under this name."""
    taken = {name for param in command.params for name in param.opts}
    option.opts = [name for name in option.opts if name not in taken]
    return any(name.startswith("--") for name in option.opts)


def _prepared(callback: Callable[..., Any]) -> Callable[..., Any]:
    act: _Act | None = getattr(callback, _MARK, None)

    @wraps(callback)
    def run(*args: Any, **given: Any) -> Any:  # noqa: ANN401 - whatever the command takes and gives
        context, wanted = get_current_context(), view()
        if "as_json" in given:
            given["as_json"] = given["as_json"] or wanted.form in {Form.JSON, Form.YAML, Form.CSV}
        if act is not None and act.lost is not None and not (wanted.curl or wanted.dry_run):
            confirm(context, f"{_typed(context)}: {act.lost}")
        if wanted.curl or wanted.dry_run or wanted.profile:
            context.obj = Ways(context.obj, context, wanted, as_json=given.get("as_json", False))
        return callback(*args, **given)

    run.equipped = True  # type: ignore[attr-defined]
    return run


def _typed(context: click.Context) -> str:
    """The command with what it is about."""
    about = [context.params[one.name] for one in context.command.params if isinstance(one, click.Argument) and one.name]
    return " ".join([context.command_path, *(one for one in about if isinstance(one, str))])


def confirm(context: click.Context, what: str, *, default: bool = False) -> None:
    """Ask whether to go on, where there is a terminal and nobody has said yes; ends the command where not."""
    wanted = view()
    if wanted.yes or not _on_a_terminal():
        return
    if not wanted.asks:
        raise click.UsageError(f"{what}: this asks first: say --yes", context)
    click.echo(what, err=True)
    click.confirm("go on?", abort=True, err=True, default=default)


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
