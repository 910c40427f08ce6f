"""Which license server serves which host and holds which CAL, and which CAL opens which host?

Four conditions that are mixed up everywhere else; each is a function here and has a sentence of its own. All must hold
for a session. Versions are compared by family, so that two versions that share a CAL are equal in every condition.

Source: [MS-RDPELE] appendix A, note 4 ("the same version or later"); Microsoft's "Managing lower version licenses".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from calward.domain.cals import CalType
from calward.domain.ladder import Ladder

__all__ = [
    "EXPLANATIONS",
    "Condition",
    "Matrix",
    "MatrixKind",
    "cal_opens_host",
    "condition_of",
    "matrix",
    "server_holds_cal",
    "server_serves_host",
    "type_fits_mode",
]


def server_serves_host(ladder: Ladder, server_version: str, host_version: str) -> bool:
    """Tell whether a license server answers hosts of a version; raises LicensingError for an unknown version."""
    return ladder.family_of(server_version) >= ladder.family_of(host_version)


def server_holds_cal(ladder: Ladder, server_version: str, cal_version: str) -> bool:
    """Tell whether a license server takes CALs of a version; raises LicensingError for an unknown version.

    What a CAL opens does not change with the server that holds it.
    """
    return ladder.family_of(server_version) >= ladder.family_of(cal_version)


def cal_opens_host(ladder: Ladder, cal_version: str, host_version: str) -> bool:
    """Tell whether a CAL opens a host; raises LicensingError for an unknown version."""
    return ladder.family_of(cal_version) >= ladder.family_of(host_version)


def type_fits_mode(cal_type: CalType, mode: CalType) -> bool:
    """Tell whether a CAL is of the type that a host in this licensing mode asks for."""
    return cal_type is mode


class Condition(StrEnum):
    """What must hold before a CAL opens a host; the values are names for people and files, not reasons of a refusal."""

    SERVER_SERVES_HOST = "server-serves-host"
    SERVER_HOLDS_CAL = "server-holds-cal"
    CAL_OPENS_HOST = "cal-opens-host"
    TYPE_FITS_MODE = "type-fits-mode"


EXPLANATIONS: Final[Mapping[Condition, str]] = MappingProxyType(
    {
        Condition.SERVER_SERVES_HOST: "a license server serves hosts of its own version and of every older one",
        Condition.SERVER_HOLDS_CAL: "a license server holds CALs of its own version and of every older one",
        Condition.CAL_OPENS_HOST: "a CAL opens hosts of its own version and of every older one",
        Condition.TYPE_FITS_MODE: "a host takes only CALs of the type that it is set to, per device or per user",
    }
)
"""One sentence for each condition, as a reader of a refusal or a matrix needs it; "version" means its whole family."""


class MatrixKind(StrEnum):
    """The three questions that a matrix answers: the first word is its rows, the second its columns."""

    CAL_HOST = "cal-host"
    SERVER_CAL = "server-cal"
    SERVER_HOST = "server-host"


_Rule: TypeAlias = Callable[[Ladder, str, str], bool]
_RULES: Final[Mapping[MatrixKind, tuple[Condition, _Rule]]] = {
    MatrixKind.CAL_HOST: (Condition.CAL_OPENS_HOST, cal_opens_host),
    MatrixKind.SERVER_CAL: (Condition.SERVER_HOLDS_CAL, server_holds_cal),
    MatrixKind.SERVER_HOST: (Condition.SERVER_SERVES_HOST, server_serves_host),
}


@dataclass(frozen=True, slots=True)
class Matrix:
    """One condition for every pair of versions of a ladder; ``cells[row][column]`` is whether it holds.

    Rows and columns are version ids, oldest first.
    """

    kind: MatrixKind
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[str, Mapping[str, bool]] = field(hash=False)

    def document(self) -> dict[str, object]:
        """Give the matrix as every door publishes it in JSON: rows, columns, cells."""
        cells = {row: dict(columns) for row, columns in self.cells.items()}
        return {"rows": list(self.rows), "columns": list(self.columns), "cells": cells}


def condition_of(kind: MatrixKind) -> Condition:
    """Tell which condition a matrix shows."""
    return _RULES[kind][0]


def matrix(ladder: Ladder, kind: MatrixKind) -> Matrix:
    """Work a condition out for every pair of versions of a ladder."""
    _, holds = _RULES[kind]
    versions = ladder.versions
    cells = {row: MappingProxyType({column: holds(ladder, row, column) for column in versions}) for row in versions}
    return Matrix(kind, rows=versions, columns=versions, cells=MappingProxyType(cells))
