"""How does a command of the administration talk to its license server, and show what came?

``admin_command`` gives a command the options that all of them have, and hands it a Desk.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import quote

import rich_click as click

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.near_names import near_names
from calward.entrypoints.cli.common.output import Column, facts, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.ways import refuse
from calward.entrypoints.cli.common.wiring import AdminClient, Document, Query, Where, Wiring

__all__ = [
    "Desk",
    "admin_command",
    "admin_command_beside_host",
    "ca_option",
    "fingerprint_option",
    "json_option",
    "limit_options",
    "refuse",
    "server_option",
    "to",
    "token_option",
]

P = ParamSpec("P")

_PAGE: Final = 500
"""Items asked for at a time."""
_SHOWN: Final = 200
"""Items shown where nobody says how many."""

server_option = click.option(
    "--server",
    metavar="URL",
    help="https://HOST:PORT, http:// on this machine, or unix:/PATH.  [default: CALWARD_SERVER, else the local socket]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _token_option(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        *names,
        "token_file",
        metavar="FILE",
        envvar="CALWARD_TOKEN_FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File with an administrator's token; root on the server needs none.  [env: CALWARD_TOKEN_FILE]",
    )


token_option = _token_option("--token-file")
fingerprint_option = click.option(
    "--fingerprint",
    metavar="HEX",
    envvar="CALWARD_FINGERPRINT",
    help="SHA-256 of the only certificate to accept from the license server.  [env: CALWARD_FINGERPRINT]",
)
ca_option = click.option(
    "--ca-file",
    metavar="FILE",
    envvar="CALWARD_CA_FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Certificates (PEM) to trust instead of the system's.  [env: CALWARD_CA_FILE]",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """One command's way to its license server and to its user."""

    ctx: click.Context
    admin: AdminClient
    as_json: bool

    @property
    def wiring(self) -> Wiring:
        """What is not HTTP: files, ids, hosts' clients."""
        found: Wiring = self.ctx.obj
        return found

    def ask(self, method: str, target: str, *, query: Query | None = None, body: Document | None = None) -> Document:
        """One question; raises LicensingError, for an unknown name with what may be meant."""
        try:
            return self.admin.ask(method, target, query=query, body=body)
        except LicensingError as error:
            if error.problem is Problem.NOT_FOUND and (meant := near_names(self.admin, target)):
                raise LicensingError(
                    error.problem, f"{error.detail}: did you mean {meant}?", field=error.field
                ) from None
            raise

    def show(self, document: Document, names: Mapping[str, str]) -> None:
        """Show one thing."""
        if self.as_json:
            print_json(document)
        else:
            facts(document, names)

    def items(self, target: str, query: Query, limit: int, after: str | None) -> Document:
        """Collect a list page by page, at most ``limit`` items (0: all): ``{"items": [...], "next": cursor or None}``."""
        found: list[Document] = []
        while True:
            wanted = min(_PAGE, limit - len(found)) if limit else _PAGE
            page = self.ask("GET", target, query={**query, "limit": wanted, "after": after})
            found += page.get("items", [])
            after = page.get("next")
            if after is None or (limit and len(found) >= limit):
                return {"items": found, "next": after}

    def show_items(self, document: Document, columns: Sequence[Column], nothing: str) -> None:
        """Show a list; ``nothing`` says what an empty one means and what comes next."""
        if self.as_json:
            print_json(document)
            return
        if not table(columns, document.get("items", [])):
            say(nothing, err=True)
        if document.get("next") is not None:
            say(f"there are more: --after {safe(document['next'])}, or --limit 0 for all", err=True)

    def done(self, document: Document, lines: Iterable[str]) -> None:
        """Show what an act came to: lines where it was done; a refusal ends the command with its exit code."""
        if document.get("outcome") == "refused":
            refuse(self.ctx, document, as_json=self.as_json)
        if self.as_json:
            print_json(document)
        else:
            for line in lines:
                say(line)


def admin_command(function: Callable[Concatenate[Desk, P], None]) -> Callable[..., None]:
    """Give a command ``--server``, ``--token-file``, … and ``--json``; its function gets a Desk first."""
    return _with_desk(function, "--token-file")


def admin_command_beside_host(function: Callable[Concatenate[Desk, P], None]) -> Callable[..., None]:
    """The same for a command whose ``--token-file`` is the host's."""
    return _with_desk(function, "--admin-token-file")


def _with_desk(function: Callable[Concatenate[Desk, P], None], *token_names: str) -> Callable[..., None]:
    @server_option
    @_token_option(*token_names)
    @ca_option
    @fingerprint_option
    @json_option
    @click.pass_context
    @wraps(function)
    def command(
        ctx: click.Context,
        /,
        *args: Any,  # noqa: ANN401 - whatever the command itself takes.
        server: str | None,
        token_file: Path | None,
        ca_file: Path | None,
        fingerprint: str | None,
        as_json: bool,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        admin = ctx.obj.admin(Where(server, token_file, ca_file, fingerprint))
        ctx.call_on_close(admin.close)
        function(Desk(ctx, admin, as_json), *args, **kwargs)

    return command


def limit_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a list ``--limit`` and ``--after``."""
    limit = click.option(
        "--limit", default=_SHOWN, show_default=True, type=click.IntRange(0), help="How many at most; 0 is all."
    )
    after = click.option("--after", metavar="CURSOR", help="Go on where the last list ended.")
    return limit(after(function))


def to(collection: str, name: str, verb: str = "") -> str:
    """The target of one thing, as ``licenses/L12:revoke``; raises LicensingError for a name that cannot be sent."""
    try:
        quoted = quote(name, safe="")
    except UnicodeEncodeError:
        quoted = ""
    if not quoted.strip("."):
        raise LicensingError(Problem.MALFORMED, f"{name!a} is no name that anything here can have")
    return f"{collection}/{quoted}{':' if verb else ''}{verb}"
