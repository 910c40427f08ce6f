"""Which packs are there? Ids count anew on every server; what is issued is counted where a row does not say."""

from collections.abc import Mapping, Sequence

from calward.app.estates.found import FoundPack, FoundSummary
from calward.app.estates.join_servers import Files, Servers
from calward.insight.estate import EstatePack, ImportProblem, LicenseStatus, PackType

__all__ = ["join_packs", "summed_up"]

_RUNNING = frozenset({LicenseStatus.ACTIVE, LicenseStatus.TEMPORARY, LicenseStatus.CONCURRENT, LicenseStatus.UNKNOWN})
"""Licenses that hold a CAL of their pack, where a pack's own count is missing."""
_OVER_USED = "built-in over-used"


def join_packs(files: Files, servers: Servers, told: list[ImportProblem]) -> list[EstatePack]:
    """Every pack. The same id twice in one file is two packs; the same row in another file is the same pack."""
    counts = _counts(files, servers)
    packs: list[EstatePack] = []
    seen: dict[tuple[str, str], list[tuple[str, EstatePack]]] = {}
    for found, own in files:
        here: list[EstatePack] = []
        for row in found.packs:
            pack = _pack(row, servers.of(row.server, own), counts)
            before = seen.get((pack.server, pack.id), [])
            same = next((file for file, one in before if one == pack), None)
            if same is not None:
                told.append(
                    ImportProblem(found.file, row.line, f"pack {pack.id} stands in {same} as well: it counts once")
                )
                continue
            if before:
                told.append(ImportProblem(found.file, row.line, _other(pack, before[0][0])))
            here.append(pack)
        for pack in here:
            seen.setdefault((pack.server, pack.id), []).append((found.file, pack))
        packs += here
    return packs


def _other(pack: EstatePack, file: str) -> str:
    return (
        f"pack {pack.id} of {pack.server} stands in {file} with other content: both count; "
        "if they are of two license servers, name these as SERVER=FILE"
    )


def _pack(row: FoundPack, server: str, counts: Mapping[tuple[str, str], int]) -> EstatePack:
    issued = counts.get((server, row.id), 0) if row.issued is None else row.issued
    over = issued if row.program == _OVER_USED else max(0, issued - row.total) if row.total is not None else 0
    return EstatePack(
        row.id, server, row.version, row.type, row.program, row.total, issued, over_used=over, expires_at=row.expires_at
    )


def _counts(files: Files, servers: Servers) -> dict[tuple[str, str], int]:
    """How many running licenses the files have of each pack."""
    found: dict[tuple[str, str], int] = {}
    for file, own in files:
        for row in file.licenses:
            if row.pack is not None and row.status in _RUNNING:
                key = servers.of(row.server, own), row.pack
                found[key] = found.get(key, 0) + 1
    return found


def summed_up(
    files: Files,
    servers: Servers,
    packs: Sequence[EstatePack],
    facts: dict[str, str],
) -> list[EstatePack]:
    """Packs made of a summary report, for what no list of packs has; else the summary is a fact beside the list."""
    listed = {(pack.server, pack.version, pack.type) for pack in packs}
    made: dict[tuple[str, str | None, PackType], EstatePack] = {}
    for found, own in files:
        for row in found.summaries:
            key = servers.of(row.server, own), row.version, row.type
            facts[f"summary of {key[0]}, {row.version or '?'}/{row.type}"] = _summary(row)
            if key not in listed:
                made[key] = _pack_of(row, key[0])
    return list(made.values())


def _summary(row: FoundSummary) -> str:
    return f"{'unlimited' if row.installed is None else row.installed} installed, {row.issued} issued"


def _pack_of(row: FoundSummary, server: str) -> EstatePack:
    id_ = f"summary-{row.version or '?'}-{row.type}"
    over = 0 if row.installed is None else max(0, row.issued - row.installed)
    return EstatePack(id_, server, row.version, row.type, "summary", row.installed, row.issued, over_used=over)
