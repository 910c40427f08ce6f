"""What do several license servers hold together? ``calward servers``."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import rich_click as click

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.several_servers import Duplicate, HeldCal, duplicates
from calward.entrypoints.cli.common.desk import Desk, json_option
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import Column, Fit, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document, Where
from calward.entrypoints.cli.status import never_or
from calward.ladders import DEFAULT_LADDER

__all__ = ["servers"]

_KEYS: Final = {"token": "token_file", "ca": "ca_file", "fingerprint": "fingerprint"}
_PACK_COLUMNS: Final = (
    Column("Version", "version"),
    Column("Type", "type"),
    Column("Server", "server", Fit.FOLDED),
    Column("Total", "total"),
    Column("Issued", "issued"),
    Column("Available", "available"),
    Column("Expires", lambda pack: never_or(pack.get("expires_at"))),
    Column("Pack", "id", Fit.CUT),
)
_DUPLICATE_COLUMNS: Final = (
    Column("Holder", "label", Fit.FOLDED),
    Column("Type", "type"),
    Column("Needs", "needed", Fit.FOLDED),
    Column("Spare", "spare", Fit.FOLDED),
    Column("Key", "holder", Fit.LEFT_OUT),
)


class _Answers(NamedTuple):
    """What each server said, and which could not be asked and why."""

    items: list[Document]
    silent: list[Document]


class _Server(click.ParamType[Where]):
    """``URL`` or ``URL,token=FILE,ca=FILE,fingerprint=HEX``."""

    name = "server"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Where:
        if isinstance(value, Where):
            return value
        url, *options = str(value).split(",")
        given: dict[str, Any] = {}
        for option in options:
            key, _, text = option.partition("=")
            if key not in _KEYS or not text:
                self.fail(f"{option!a} is none of token=FILE, ca=FILE, fingerprint=HEX", param, ctx)
            given[_KEYS[key]] = text if key == "fingerprint" else Path(text)
        return Where(url, **given)


_at = click.option(
    "--at",
    "places",
    metavar="URL[,token=FILE]…",
    required=True,
    multiple=True,
    type=_Server(),
    help="A license server, with token=FILE, ca=FILE or fingerprint=HEX behind commas; as often as there are servers.",
)
_ladder = click.option(
    "--ladder",
    "ladder_name",
    metavar="NAME|FILE",
    default=DEFAULT_LADDER,
    show_default=True,
    help="The version ladder that these servers run.",
)


@click.group()
def servers() -> None:
    """Look at several license servers at once: packs over all of them, holders of CALs on more than one.

    \b
    Examples:
      calward servers packs --at https://ls1:8460,token=ls1.token --at https://ls2:8460,token=ls2.token
      calward servers duplicates --at unix:/run/calward/calward.sock --at https://ls2:8460,token=ls2.token
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@servers.command()
@_at
@_ladder
@json_option
@click.pass_context
def packs(ctx: click.Context, places: Sequence[Where], ladder_name: str, *, as_json: bool) -> None:
    """List the key packs of all servers by version and type.

    \b
    Example:
      calward servers packs --at https://ls1:8460,token=ls1.token --at https://ls2:8460,token=ls2.token
    """  # noqa: D301
    family_of = ctx.obj.load_ladder(ladder_name).family_of
    found = _ask(ctx, places, "packs")
    found.items.sort(key=lambda one: (family_of(one["version"]), one["type"], one["server"]))
    if as_json:
        print_json({"items": found.items, "silent": found.silent})
    elif not table(_PACK_COLUMNS, found.items):
        say("no key pack is installed on any of them", err=True)
    _end(found)


@servers.command("duplicates")
@_at
@_ladder
@json_option
@click.pass_context
def duplicates_(ctx: click.Context, places: Sequence[Where], ladder_name: str, *, as_json: bool) -> None:
    """List who holds CALs of one type on more than one server; exit code 7 where there are any.

    Servers that share a ledger give a holder one CAL. Where each has its own, move the packs to one of them: calward pack move.

    \b
    Example:
      calward servers duplicates --at https://ls1:8460,token=ls1.token --at https://ls2:8460,token=ls2.token
    """  # noqa: D301
    family_of = ctx.obj.load_ladder(ladder_name).family_of
    found = _ask(ctx, places, "licenses", status="active")
    several = [_shown(one) for one in duplicates(map(_held, found.items), family_of)]
    if as_json:
        print_json({"items": several, "silent": found.silent})
    elif table(_DUPLICATE_COLUMNS, several):
        spare = sum(len(one["spare"]) for one in several)
        say(f"{spare} CALs are held twice: they come free as these licenses end, are revoked or released", err=True)
    else:
        say("nobody holds CALs on more than one of these servers", err=True)
    _end(found)
    if several:
        ctx.exit(Exit.FINDINGS)


def _ask(ctx: click.Context, places: Sequence[Where], what: str, **query: str) -> _Answers:
    """The lists of all servers, each item with its ``server``; one that cannot be asked does not keep the others back."""
    answers = _Answers([], [])
    names: set[str] = set()
    for where in places:
        try:
            answers.items.extend(_list(ctx, where, what, query, names))
        except LicensingError as error:
            answers.silent.append({"server": where.server, "detail": error.detail})
    return answers


def _list(ctx: click.Context, where: Where, what: str, query: dict[str, str], names: set[str]) -> Iterator[Document]:
    admin = ctx.obj.admin(where)
    try:
        desk = Desk(ctx, admin, as_json=True)
        name = desk.ask("GET", "server")["name"]
        if name in names:  # Nothing keeps two servers from having one name.
            name = f"{name} ({where.server})"
        names.add(name)
        yield from [one | {"server": name} for one in desk.items(what, query, 0, None)["items"]]
    finally:
        admin.close()


def _end(found: _Answers) -> None:
    for one in found.silent:
        say(f"not asked: {safe(one['server'])}: {safe(one['detail'])}", err=True)
    if found.silent:
        detail = f"{len(found.silent)} license servers could not be asked: what is shown is not all"
        raise LicensingError(Problem.UNREACHABLE, detail)


def _held(one: Document) -> HeldCal:
    holder = one["hardware_id"] or one["holder"]
    return HeldCal(one["server"], CalType(one["type"]), holder, one["holder"], one["id"], one["version"])


def _shown(one: Duplicate) -> Document:
    return {
        "label": one.label,
        "holder": one.holder,
        "type": one.type.value,
        "needed": _place(one.needed),
        "spare": [_place(spare) for spare in one.spare],
    }


def _place(held: HeldCal) -> str:
    return f"{held.license} ({held.version}) at {held.server}"
