"""Which commands, options and exit codes are there? Writes docs/reference/cli.md from the commands themselves.

``python -m calward.entrypoints.cli.reference > docs/reference/cli.md`` brings the page up to date; a test compares both.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import rich_click as click

from calward.domain.errors import Problem
from calward.entrypoints.cli.common.exit_codes import EXIT_OF, HELP_FOR, MEANINGS, Exit
from calward.entrypoints.cli.common.help_page import help_parts
from calward.entrypoints.cli.common.lazy import LazyGroup
from calward.entrypoints.cli.root import cli

__all__ = ["commands", "page"]

_HEAD: Final = """\
# The command line

Made from the commands by `python -m calward.entrypoints.cli.reference`; a test fails when it is not up to date.

Standard output is the result, standard error is talk.
With `--json` the result is one JSON object (`audit tail` prints one a line), and an error is one JSON object on standard error:
a problem document as of RFC 9457 (`type`, `title`, `detail`, and `status` where HTTP has one),
with `problem`, `help`, `exit_code` and `field`.
With `--output yaml` and `--output csv` it is the same result in another form.
`csv` has a line for each item; `--columns` chooses and orders columns.
Tables fit the terminal: times are days there, and a narrow one gets less of each row, or a line for each value.
Piped, each row is one line and everything is there.
Colors appear on terminals only, and never when `NO_COLOR` is set.
What cannot be seen in a name (control characters, changes of direction) is shown as an escape.

## Where the license server is

In this order: `--server`, the environment variable `CALWARD_SERVER`, the first of these Unix sockets that is there:
`CALWARD_SOCKET`, `/run/calward/calward.sock`, `calward.sock` in `CALWARD_DATA_DIR` (by itself `/var/lib/calward`) and in `XDG_RUNTIME_DIR`,
and that of `./dev run`.
Over the Unix socket root and the service's own user need no token.
Elsewhere `--token-file` or `CALWARD_TOKEN_FILE` names a file with one; other users must not be able to read it.
A token is never an argument.

`--profile NAME` or `CALWARD_PROFILE` names a table `[profile.NAME]` in `calward/config.toml` of `XDG_CONFIG_HOME` (by itself `~/.config`)
with `server`, and `token_file`, `ca_file`, `fingerprint` where they are needed.

## Before something is done

`--dry-run` asks the license server what an act would come to: it is carried out there by all rules, told, and not kept.
What cannot be undone is asked first where there is a terminal; `--yes` answers, `--no-input` fails instead, and without a terminal nothing is asked.
`--curl` shows the HTTP request instead of sending it; the token is not in it, it is read from its file.
"""


_SHARED_PLACE: Final = "options-of-every-command-that-asks-a-license-server"
_SHARED_HEAD: Final = """\
## Options of every command that asks a license server

"""


def page() -> str:
    """The whole page in Markdown."""
    shared = _SHARED_HEAD + "\n".join(_table(list(_shared().items())))
    parts = [_HEAD, _exit_codes(), shared, *(_section(path, command) for path, command in commands())]
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that is not hidden, groups too, with its words: ``calward license list``."""
    for name, command in cli.loaded():
        if not cli.places[name].hidden:
            yield from _walk(f"calward {name}", command)


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        inner = command.loaded() if isinstance(command, LazyGroup) else command.commands.items()
        for name, one in sorted(inner):
            yield from _walk(f"{path} {name}", one)


def _exit_codes() -> str:
    rows = [f"| {code.value} | {MEANINGS[code]} | {_problems(code)} |" for code in Exit]
    helps = [f"| `{problem.value}` | {EXIT_OF[problem].value} | {HELP_FOR[problem]} |" for problem in Problem]
    lines = [
        "## Exit codes",
        "",
        "| code | meaning | problems |",
        "|---|---|---|",
        *rows,
        "",
        "Scenario files that are wrong and uses of a command that it does not have are of the problem `usage` or `malformed`.",
        "",
        "| problem | code | what helps |",
        "|---|---|---|",
        *helps,
        "",
    ]
    return "\n".join(lines)


def _problems(code: Exit) -> str:
    return ", ".join(f"`{problem.value}`" for problem, of in EXIT_OF.items() if of is code)


def _section(path: str, command: click.Command) -> str:
    depth = "##" if path.count(" ") == 1 else "###"
    text, examples = _help(command)
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"{depth} {path}", "", text, "", "```text", usage, "```", ""]
    if examples:
        lines += ["```console", *(f"$ {line}" for line in examples), "```", ""]
    return "\n".join([*lines, *_options(command, context)])


def _help(command: click.Command) -> tuple[str, list[str]]:
    words, examples = help_parts(command.help or "")
    return "\n".join(line.strip() for line in words.splitlines()), examples


def _options(command: click.Command, context: click.Context) -> list[str]:
    """The table of a command's own options, and a line about those that many have."""
    records = _records(command, context)
    shared = _shared()
    own = [(names, help_) for names, help_ in records if shared.get(names) != help_]
    others = [f"`{_long(names)}`" for names, help_ in records if shared.get(names) == help_]
    lines = _table(own) if own else []
    if len(others) == len(shared):
        others = [f"[those of every command that asks a license server](#{_SHARED_PLACE})"]
    if others:
        lines += [f"{'Also' if own else 'Options'}: {', '.join(others)}.", ""]
    return lines


def _long(names: str) -> str:
    """``--quiet`` of ``-q, --quiet``; a flag's value is no part of it."""
    return next(one for one in names.replace(",", " ").split() if one.startswith("--"))


def _shared() -> dict[str, str]:
    """What many commands have: as ``calward server show``, which has nothing else."""
    command = dict(_walk("server", cli.load("server")))["server show"]
    return dict(_records(command, click.Context(command, info_name="calward server show")))


def _records(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    return [
        record
        for param in command.get_params(context)
        if param.param_type_name == "option" and "--help" not in param.opts and not getattr(param, "hidden", False)
        if (record := param.get_help_record(context))
    ]


def _table(records: Sequence[tuple[str, str]]) -> list[str]:
    rows = [f"| `{_plain(names)}` | {_plain(help_)} |" for names, help_ in records]
    return ["| option | meaning |", "|---|---|", *rows, ""]


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    click.echo(page(), nl=False)
