"""How does an estate look: to people as facts and a table of packs, to scripts as JSON?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from calward.app.estates.ports import EstateStore
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.output import Column, Fit, cell, facts, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.insight.estate import Estate, EstatePack, ImportProblem, Source

__all__ = [
    "estate_document",
    "listed",
    "numbers",
    "problem_documents",
    "show_estate",
    "snapshot",
    "summary",
    "tell_problems",
]

_SHOWN: Final = 20
"""Problems that are printed to people; JSON has all."""

_PACK_COLUMNS: Final = (
    Column("pack", "id", Fit.CUT),
    Column("CAL", lambda row: f"{row['version']}/{row['type']}"),
    Column("program", "program", Fit.LEFT_OUT),
    Column("total", lambda row: "unlimited" if row["total"] is None else row["total"]),
    Column("issued", "issued"),
    Column("available", lambda row: "unlimited" if row["available"] is None else row["available"]),
    Column("over-used", "over_used"),
    Column("expires", lambda row: row["expires_at"] or "never"),
    Column("server", "server", Fit.LEFT_OUT),
)


def show_estate(found: Estate) -> None:
    """Show an estate to people."""
    number = numbers(found)
    shown = {
        "estate": found.name + (" (imported, another system's)" if found.source is Source.IMPORT else ""),
        "taken": rfc3339(found.taken_at),
        "license servers": ", ".join(one.name for one in found.servers),
        "issued licenses": number["issued"],
        "session hosts": number["hosts"],
        "failed issuances": number["failures"],
    }
    facts(shown, {})
    say()
    if not table(_PACK_COLUMNS, map(_pack, found.packs)):
        say("no pack is in it", err=True)
    tell_problems(found.problems)


def estate_document(found: Estate) -> dict[str, Any]:
    """What scripts get; docs/howto/read-a-windows-license-server.md shows it."""
    return {
        "estate": found.name,
        "source": found.source.value,
        "taken_at": rfc3339(found.taken_at),
        "ladder": found.ladder.name,
        "packs": [_pack(pack) for pack in found.packs],
        **{key: value for key, value in numbers(found).items() if key in {"issued", "hosts", "failures"}},
        "servers": [server.name for server in found.servers],
        "problems": problem_documents(found),
        "facts": dict(found.facts),
    }


def _pack(pack: EstatePack) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "type": pack.type.value,
        "program": pack.program,
        "total": pack.total,
        "issued": pack.issued,
        "available": pack.available,
        "over_used": pack.over_used,
        "expires_at": None if pack.expires_at is None else rfc3339(pack.expires_at),
        "server": pack.server,
    }


_WORDS: Final = {
    "packs": "pack",
    "issued": "issued license",
    "hosts": "host",
    "failures": "failed issuance",
    "servers": "license server",
}


def summary(found: Estate) -> str:
    """An estate in one line."""
    return ", ".join(f"{number} {_WORDS[key]}{'' if number == 1 else 's'}" for key, number in numbers(found).items())


def numbers(found: Estate) -> Mapping[str, int]:
    """How much is in it."""
    return {
        "packs": len(found.packs),
        "issued": len(found.licenses),
        "hosts": len(found.hosts),
        "failures": sum(one.times for one in found.failures),
        "servers": len(found.servers),
    }


def problem_documents(found: Estate) -> list[dict[str, Any]]:
    """What could not be read, for scripts."""
    return [{"file": one.file, "line": one.line, "reason": one.reason} for one in found.problems]


def tell_problems(problems: Sequence[ImportProblem]) -> None:
    """Print what could not be read."""
    for one in problems[:_SHOWN]:
        place = f"{one.file}:{one.line}" if one.line else one.file
        say(f"{safe(place)}: {safe(one.reason)}", err=True)
    if len(problems) > _SHOWN:
        say(f"and {len(problems) - _SHOWN} more: --json lists all", err=True)


def listed(store: EstateStore, name: str) -> dict[str, Any]:
    """An estate in a list."""
    history = store.history(name)
    return {"name": name, "snapshots": len(history), "newest": rfc3339(history[-1][0]) if history else None}


def snapshot(store: EstateStore, at: int, path: Path) -> dict[str, Any]:
    """A snapshot in a history; one that is damaged says so."""
    row: dict[str, Any] = {"taken_at": rfc3339(at), "file": str(path)}
    try:
        found = store.read(path)
    except LicensingError as error:
        if error.problem is not Problem.CORRUPT:
            raise
        return row | {"packs": None, "issued": None, "hosts": None, "problems": cell(error.detail)}
    number = numbers(found)
    return row | {key: number[key] for key in ("packs", "issued", "hosts")} | {"problems": len(found.problems)}
