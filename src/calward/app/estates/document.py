"""How is a snapshot written as JSON, and read again?

The same form in a file of an estate's folder and at ``GET /api/v1/estate``. Times are whole seconds since 1970 (UTC). The ladder stands in
it whole, so that it can be read where nobody has the ladder's file. Lists may hold a million rows: ``pieces`` gives the text bit by bit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import msgspec

from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder, parse_ladder
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    ImportProblem,
    Source,
)

__all__ = ["FORMAT", "from_document", "from_json", "pieces", "to_document"]

FORMAT: Final = "calward-estate/1"
"""The first key of every snapshot; a later form gets a later number."""
_AT_ONCE: Final = 2000
_LISTS: Final = ("servers", "hosts", "packs", "licenses", "failures", "problems")


@dataclass(frozen=True, slots=True)
class _Document:
    """A snapshot as it is written; keys of a later release are passed over."""

    format: str
    name: str
    source: Source
    taken_at: int
    ladder: str | dict[str, Any]
    servers: list[EstateServer] = field(default_factory=list)
    hosts: list[EstateHost] = field(default_factory=list)
    packs: list[EstatePack] = field(default_factory=list)
    licenses: list[EstateLicense] = field(default_factory=list)
    failures: list[EstateFailure] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


def to_document(estate: Estate) -> dict[str, Any]:
    """Give a snapshot as plain values."""
    found: dict[str, Any] = {key: msgspec.to_builtins(getattr(estate, key)) for key in _LISTS}
    return {**_head(estate), **found}


def pieces(
    estate: Estate,
    *,
    licenses: Iterable[EstateLicense] | None = None,
    failures: Iterable[EstateFailure] | None = None,
) -> Iterator[bytes]:
    """Give a snapshot as JSON, in lines of some thousand rows; ``licenses`` and ``failures`` in place of its own where they are read as they go."""
    encoder = msgspec.json.Encoder()
    lists = {key: getattr(estate, key) for key in _LISTS}
    lists["licenses"] = lists["licenses"] if licenses is None else licenses
    lists["failures"] = lists["failures"] if failures is None else failures
    yield encoder.encode(_head(estate))[:-1]
    for key, rows in lists.items():
        yield f',\n"{key}":['.encode()
        yield from _rows(rows, encoder)
        yield b"]"
    yield b"}\n"


def _rows(rows: Iterable[object], encoder: msgspec.json.Encoder) -> Iterator[bytes]:
    rest, before = iter(rows), b""
    while some := list(islice(rest, _AT_ONCE)):
        yield before + encoder.encode(some)[1:-1]
        before = b",\n"


def _head(estate: Estate) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": estate.name,
        "source": estate.source.value,
        "taken_at": estate.taken_at,
        "ladder": _ladder_document(estate.ladder),
        "facts": dict(estate.facts),
    }


def _ladder_document(ladder: Ladder) -> dict[str, Any]:
    """What ``parse_ladder`` reads back."""
    rungs: list[dict[str, Any]] = []
    for rung in ladder.rungs:
        family = ladder.family_versions(rung.family)[0]
        names = {"id": rung.id, "title": rung.title, "host_name": rung.host_name, "cal_name": rung.cal_name}
        grace = {} if rung.grace_days is None else {"grace_days": rung.grace_days}
        rungs.append({**names, "family": family, **grace, "foreign": dict(rung.foreign)})
    return {"name": ladder.name, "title": ladder.title, "rungs": rungs}


def from_document(document: Mapping[str, Any], load_ladder: Callable[[str], Ladder]) -> Estate:
    """Read what ``to_document`` gives; ``load_ladder`` serves documents that only name their ladder.

    Raises: LicensingError(MALFORMED): it is no snapshot; the detail names the place.
    """
    return _checked(lambda: msgspec.convert(dict(document), _Document), load_ladder)


def from_json(text: bytes | bytearray, load_ladder: Callable[[str], Ladder]) -> Estate:
    """Read a snapshot from JSON; raises like ``from_document``."""
    return _checked(lambda: msgspec.json.decode(text, type=_Document), load_ladder)


def _checked(read: Callable[[], _Document], load_ladder: Callable[[str], Ladder]) -> Estate:
    try:
        found = read()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LicensingError(Problem.MALFORMED, f"this is no snapshot of an estate: {str(error)[:200]}") from None
    if found.format != FORMAT:
        detail = f"this snapshot has the format {found.format[:40]!a}, this release reads {FORMAT}: a newer release has made it"
        raise LicensingError(Problem.MALFORMED, detail)
    ladder = load_ladder(found.ladder) if isinstance(found.ladder, str) else parse_ladder(found.ladder)
    lists = {key: getattr(found, key) for key in _LISTS}
    return Estate(found.name, found.source, found.taken_at, ladder, **lists, facts=found.facts)
