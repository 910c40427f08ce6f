"""How does a command ask the clearinghouse through its license server: online, or by a file to carry; and how is the answer shown?"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import rich_click as click

from calward.entrypoints.cli.common.desk import Desk, refuse
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.files import write_text
from calward.entrypoints.cli.common.output import cell, print_json, reason_lines, say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document

__all__ = ["ask", "asking_options", "show_results"]

_SILENT: Final = frozenset({("keyring", "kept")})
_SENTENCES: Final[Mapping[tuple[str, str], str]] = {
    ("activation", "activated"): "the right to issue is in force: calward server show says until when",
    ("install-offer", "offered"): (
        "would install {quantity} CALs {version}/{type}{bought_by}; {left} would be left; nothing is claimed yet"
    ),
    ("key-pack", "installed"): "installed key pack {pack}",
    ("key-pack", "renewed"): "key pack {pack} is signed anew: generation {generation}",
    ("transfer-order", "released"): "released key pack {pack} for {target}: {licenses} licenses go along",
    ("transfer-order", "ended"): "the move of key pack {pack} had ended already",
    ("transfer-end", "moved"): "key pack {pack} has moved away: its licenses here have ended",
    ("transfer-end", "unfrozen"): "key pack {pack} stays here: its move was given up",
    ("transfer-end", "ended"): "a move has ended of which nothing is left to do here",
    ("pack-change", "changed"): "key pack {pack} is changed: {licenses} licenses changed with it",
    ("pack-change", "installed"): "key pack {pack} is changed",
    ("register", "recovered"): "the register of the clearinghouse is taken",
}
"""By kind and outcome of a signed thing that was taken; what is not here is told as it came."""


def asking_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--request-file`` and ``--clearinghouse``."""
    file = click.option(
        "--request-file",
        metavar="OUT",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        help="Write the request as a file to carry to the clearinghouse, instead of asking online; - is the terminal.",
    )
    address = click.option(
        "--clearinghouse",
        metavar="URL",
        help="Ask this clearinghouse.  [default: that of the settings, else where the server was activated online]",
    )
    return file(address(function))


def ask(desk: Desk, body: Document, request_file: Path | None, clearinghouse: str | None) -> Document | None:
    """Ask; the answer, or None where a request file was written. A refusal ends the command."""
    if request_file is None:
        if clearinghouse is not None:
            body = body | {"clearinghouse": clearinghouse}
        said = desk.ask("POST", "clearinghouse:ask", body=body)
        if said.get("outcome") == "refused":
            refuse(desk.ctx, said, as_json=desk.as_json)
        return said
    made = desk.admin.made("clearinghouse:request", body)
    if not isinstance(made, bytes):
        refuse(desk.ctx, made, as_json=desk.as_json)
    write_text(request_file, made.decode())
    if str(request_file) != "-":
        line = f"request written to {safe(request_file)}: give it to the clearinghouse, then calward server take ANSWER"
        print_json({"file": str(request_file)}) if desk.as_json else say(line)
    return None


def show_results(
    desk: Desk,
    said: Document,
    nothing: str = "nothing waited at the clearinghouse",
    told: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Say what became of each signed thing; ends the command with the exit code of a refusal where one was not taken.

    ``told``: the line of a pack that was installed, by its id, where the caller knows more of it.
    """
    results = [one for one in said.get("results", ()) if isinstance(one, dict)]
    shown = [one for one in results if (one.get("kind"), one.get("outcome")) not in _SILENT]
    if desk.as_json:
        print_json(said)
    else:
        for one in shown:
            _show(one, told)
        if not shown:
            say(nothing)
    if any(one.get("reason") for one in results):
        desk.ctx.exit(Exit.REFUSED)


def _show(one: Document, told: Mapping[str, str]) -> None:
    kind, outcome = str(one.get("kind")), str(one.get("outcome"))
    if one.get("reason"):
        say(f"{safe(kind)} {safe(outcome)}: {safe(one.get('detail') or '')}", err=True)
        for line in reason_lines(one["reason"]):
            say(f"  {line}", err=True)
        return
    if str(one.get("pack")) in told and outcome == "installed":
        say(told[str(one["pack"])])
        return
    facts = _Facts(one)
    sentence = _SENTENCES.get((kind, outcome))
    line = sentence.format_map(facts) if sentence else f"{safe(kind)}: {safe(outcome)}"
    if "adopted" in one and (one["adopted"] or one.get("left")):
        line += f"; {cell(one.get('adopted'))} licenses came along, {cell(one.get('left'))} were not needed"
    say(line)


class _Facts(dict[str, Any]):
    """What a sentence may name; what did not come is a dash."""

    def __init__(self, one: Document) -> None:
        super().__init__({key: cell(value) for key, value in one.items()})
        # A purchase without an organization has a dash in the signed offer.
        buyer = cell(one.get("organization"))
        self["bought_by"] = "" if buyer == "-" else f", bought by {buyer}"

    def __missing__(self, _key: str) -> str:
        return "-"
