"""Which CAL opens which host, which server holds which CAL and serves which host: ``calward matrix``."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Final, Protocol, TypeAlias

import rich_click as click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from calward.domain.compatibility import EXPLANATIONS, Matrix, MatrixKind, condition_of
from calward.domain.compatibility import matrix as work_out
from calward.domain.ladder import Ladder, Rung
from calward.entrypoints.cli.common.output import print_json
from calward.ladders import DEFAULT_LADDER

__all__ = ["LoadsLadders", "matrix"]


class LoadsLadders(Protocol):
    """What the command needs of the context object."""

    @property
    def load_ladder(self) -> Callable[[str], Ladder]:
        """Load a ladder by its name or the path of its file; raises LicensingError."""


_Naming: TypeAlias = Callable[[Rung, MatrixKind], str]
_UNBOUNDED: Final = 1_000_000
"""Columns: wider than any table."""
_CORNER: Final = {
    MatrixKind.CAL_HOST: "CAL \\ host",
    MatrixKind.SERVER_CAL: "license server \\ CAL",
    MatrixKind.SERVER_HOST: "license server \\ host",
}
_TITLE: Final = {
    MatrixKind.CAL_HOST: "which CAL opens which host",
    MatrixKind.SERVER_CAL: "which license server holds which CAL",
    MatrixKind.SERVER_HOST: "which license server serves which host",
}


@click.command()
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in MatrixKind]),
    metavar="KIND",
    default=MatrixKind.CAL_HOST.value,
    show_default=True,
    help="cal-host, server-cal or server-host: the first word is the rows, the second the columns.",
)
@click.option(
    "--ladder",
    "ladder_name",
    metavar="NAME|FILE",
    default=DEFAULT_LADDER,
    show_default=True,
    help="A shipped version ladder, or the path of a ladder file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: rows, columns, cells.")
@click.pass_obj
def matrix(context: LoadsLadders, kind: str, ladder_name: str, *, as_json: bool) -> None:
    """Show which versions go together; needs no license server.

    \b
    Examples:
      calward matrix
      calward matrix --kind server-cal
      calward matrix --kind server-host --json
      calward matrix --ladder ./harbor.toml
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    ladder = context.load_ladder(ladder_name)
    shown = work_out(ladder, MatrixKind(kind))
    if as_json:
        print_json(
            shown.document(),
            [{"row": row, **{one: shown.cells[row][one] for one in shown.columns}} for row in shown.rows],
        )
    else:
        _print(ladder, shown, Console(highlight=False))


def _print(ladder: Ladder, shown: Matrix, console: Console) -> None:
    """Print the table and the sentences below it.

    Where the table does not fit it is printed whole all the same: a version cut short is another version.
    """
    table, width = _roomiest_table(ladder, shown, console)
    console.print(Text(f"{ladder.title}: {_TITLE[shown.kind]}", style="bold"))
    Console(width=max(width, console.width), highlight=False).print(table)
    for sentence in _legend(ladder, shown.kind, _marks(console)[True]):
        console.print(Text(sentence))


def _roomiest_table(ladder: Ladder, shown: Matrix, console: Console) -> tuple[Table, int]:
    """Make the roomiest table that fits, else the narrowest, and measure it."""
    unbounded = console.options.update(max_width=_UNBOUNDED)
    layouts = product((_whole_name, _short_name), (1, 0))
    tables = [_table(ladder, shown, _marks(console), name, padding) for name, padding in layouts]
    measured = [(table, Measurement.get(console, unbounded, table).maximum) for table in tables]
    return next((found for found in measured if found[1] <= console.width), measured[-1])


def _table(ladder: Ladder, shown: Matrix, marks: Mapping[bool, str], name: _Naming, padding: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, padding, 0, 0), show_edge=False)
    table.add_column(Text(_CORNER[shown.kind]), no_wrap=True)
    for column in shown.columns:
        table.add_column(Text(column), justify="center", no_wrap=True)
    for row in shown.rows:
        cells = (marks[shown.cells[row][column]] for column in shown.columns)
        table.add_row(Text(name(ladder.rung(row), shown.kind)), *cells)
    return table


def _whole_name(rung: Rung, kind: MatrixKind) -> str:
    return f"{rung.title} {rung.cal_name}" if kind is MatrixKind.CAL_HOST else rung.title


def _short_name(rung: Rung, kind: MatrixKind) -> str:
    return f"{rung.id} {rung.cal_name}" if kind is MatrixKind.CAL_HOST else rung.id


def _marks(console: Console) -> dict[bool, str]:
    """Choose marks that the terminal's encoding has."""
    return {True: "x", False: ""} if console.options.ascii_only else {True: "✔", False: ""}


def _legend(ladder: Ladder, kind: MatrixKind, mark: str) -> list[str]:
    """Say what a mark means, which versions share a CAL, and what each generation calls its hosts or CALs."""
    rule = EXPLANATIONS[condition_of(kind)]
    families = [ladder.family_name(rank) for rank in range(ladder.family_of(ladder.newest) + 1)]
    shared = [name for name in families if "/" in name]
    sentences = [f"{mark}  yes: {rule}."]
    if shared:
        sentences.append(f"Versions that share a CAL count as one: {', '.join(shared)}.")
    return [*sentences, _names(ladder, kind)]


def _names(ladder: Ladder, kind: MatrixKind) -> str:
    cals = kind is MatrixKind.SERVER_CAL
    by_name: dict[str, list[str]] = {}
    for rung in ladder.rungs:
        by_name.setdefault(rung.cal_name if cals else rung.host_name, []).append(rung.id)
    names = ", ".join(f"{name} ({', '.join(versions)})" for name, versions in by_name.items())
    return f"{'CALs' if cals else 'Hosts'} are called: {names}."
