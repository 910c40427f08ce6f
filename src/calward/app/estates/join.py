"""How do files of one estate come together: which server is whose, which license belongs to which pack?

Packs and licenses meet by license server and pack id, as ids count anew on every server. A server's name is compared without case, and a
short name is the only whole name that begins with it. Nothing that a file says is left out without a word.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from calward.app.estates.found import Found, FoundLicense, FoundPack, FoundSummary
from calward.domain.ladder import Ladder
from calward.insight.estate import (
    Estate,
    EstateLicense,
    EstatePack,
    EstateServer,
    ImportProblem,
    LicenseStatus,
    PackType,
    Source,
)

__all__ = ["UNNAMED", "join"]

UNNAMED = "license-server"
"""What a license server is called that no file names."""
_RUNNING = frozenset({LicenseStatus.ACTIVE, LicenseStatus.TEMPORARY, LicenseStatus.CONCURRENT, LicenseStatus.UNKNOWN})
"""Licenses that hold a CAL of their pack, where a pack's own count is missing."""
_OVER_USED = "built-in over-used"

Packs = Mapping[tuple[str, str], Sequence[EstatePack]]


def join(
    files: Sequence[tuple[Found, str | None]],
    name: str,
    taken_at: int,
    ladder: Ladder,
) -> Estate:
    """Make one snapshot of what the files say; beside each the server that was named for it.

    Takes the files' licenses away as it goes: there may be a million, and they need not be there twice.
    """
    servers = _Servers(files)
    told: list[ImportProblem] = []
    counts = _counts(files, servers)
    packs = _packs(files, servers, counts, told)
    by_id: dict[tuple[str, str], list[EstatePack]] = {}
    for pack in packs:
        by_id.setdefault((pack.server, pack.id), []).append(pack)
    told += _unnamed(files, servers)
    licenses = _licenses(files, servers, by_id, told)
    facts: dict[str, str] = {}
    for found, _ in files:
        facts |= found.facts
        facts[f"rows of {found.file}"] = ", ".join(f"{number} {kind}" for kind, number in found.kinds.items()) or "none"
    packs += _summed_up(files, servers, packs, facts)
    return Estate(
        name=name,
        source=Source.IMPORT,
        taken_at=taken_at,
        ladder=ladder,
        servers=servers.all(),
        hosts=[host for found, _ in files for host in found.hosts],
        packs=packs,
        licenses=licenses,
        failures=[replace(one, server=servers.of(one.server, own)) for found, own in files for one in found.failures],
        problems=[*told, *(problem for found, _ in files for problem in found.problems)],
        facts=facts,
    )


class _Servers:
    """The license servers of an import, each under one name however it is written."""

    def __init__(self, files: Sequence[tuple[Found, str | None]]) -> None:
        self._known: dict[str, EstateServer] = {}
        self._spelling: dict[str, str] = {}
        for found, own in files:
            for server in found.servers:
                self._known.setdefault(server.name.casefold(), server)
            rows = (*found.servers, *found.packs, *found.licenses, *found.summaries, *found.failures)
            for name in {_named(row) for row in rows} | {own or ""}:
                if name:
                    self._spelling.setdefault(name.casefold(), name)
        self._whole = self._whole_names()
        self.used: dict[str, None] = {}
        self.several = len(set(self._whole.values())) > 1
        self._only = next(iter(self._spelling.values())) if len(set(self._whole.values())) == 1 else None

    def _whole_names(self) -> dict[str, str]:
        """From a name without case to the name by which the server goes."""
        found: dict[str, str] = {}
        for plain, name in self._spelling.items():
            longer = [other for other in self._spelling if other.startswith(plain + ".")]
            found[plain] = self._spelling[longer[0]] if "." not in plain and len(longer) == 1 else name
        return found

    def of(self, said: str, own: str | None) -> str:
        """The server of a row: as the row says, else as was named for its file, else the only one there is."""
        name = said or own or self._only or UNNAMED
        whole = self._whole.get(name.casefold(), name)
        self.used.setdefault(whole)
        return whole

    def all(self) -> list[EstateServer]:
        """Every server that a row or a file names."""
        names = dict.fromkeys([*self.used, *self._whole.values()])
        return [replace(self._known.get(name.casefold(), EstateServer(name)), name=name) for name in names]


def _unnamed(files: Sequence[tuple[Found, str | None]], servers: _Servers) -> list[ImportProblem]:
    """Files of which nobody can say whose they are, although several license servers are named."""
    if not servers.several:
        return []
    reason = f"does not name its license server, and there are several: its rows are those of {UNNAMED}; name it as SERVER=FILE"
    return [
        ImportProblem(found.file, 0, reason)
        for found, own in files
        if own is None
        and any(not row.server for rows in (found.packs, found.licenses, found.summaries) for row in rows)
    ]


def _named(row: object) -> str:
    return str(getattr(row, "server", None) or getattr(row, "name", ""))


def _counts(files: Sequence[tuple[Found, str | None]], servers: _Servers) -> dict[tuple[str, str], int]:
    """How many running licenses the files have of each pack."""
    found: dict[tuple[str, str], int] = {}
    for file, own in files:
        for row in file.licenses:
            if row.pack is not None and row.status in _RUNNING:
                key = servers.of(row.server, own), row.pack
                found[key] = found.get(key, 0) + 1
    return found


def _packs(
    files: Sequence[tuple[Found, str | None]],
    servers: _Servers,
    counts: Mapping[tuple[str, str], int],
    told: list[ImportProblem],
) -> list[EstatePack]:
    """Every pack. The same id twice in one file is two packs; the same row in another file is the same pack."""
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


def _licenses(
    files: Sequence[tuple[Found, str | None]], servers: _Servers, packs: Packs, told: list[ImportProblem]
) -> list[EstateLicense]:
    """Every license; a report's row about a license that another file lists is that license."""
    licenses: list[EstateLicense] = []
    reported: list[tuple[FoundLicense, str]] = []
    unknown: dict[tuple[str, str, str], list[int]] = {}
    for found, own in files:
        for row in _taken(found):
            server = servers.of(row.server, own)
            if row.reported:
                reported.append((row, server))
                continue
            of = packs.get((server, row.pack), ()) if row.pack is not None else ()
            if row.pack is not None and not of:
                unknown.setdefault((found.file, server, row.pack), []).append(row.line)
            licenses.append(_license(row, server, of))
    for (file, server, pack), lines in unknown.items() if packs else ():
        reason = f"{len(lines)} licenses are of pack {pack} of {server}, which no file lists"
        told.append(ImportProblem(file, lines[0], reason))
    return licenses + _reported(reported, licenses)


def _taken(found: Found) -> Iterator[FoundLicense]:
    """The licenses of a file, in order; each is let go of when it has been given."""
    rows, found.licenses = found.licenses, []
    rows.reverse()
    while rows:
        yield rows.pop()


def _reported(reported: Sequence[tuple[FoundLicense, str]], listed: Sequence[EstateLicense]) -> list[EstateLicense]:
    """What reports say of licenses that no other file lists: a report knows holders, and no numbers of licenses."""
    if not reported:
        return []
    known = {_holding(one) for one in listed}
    found = (_license(row, server, ()) for row, server in reported)
    return [one for one in found if _holding(one) not in known]


def _holding(one: EstateLicense) -> tuple[str, PackType, str, int | None]:
    """By what two files show that they speak of the same license."""
    return one.server, one.type, (one.hardware_id or one.device or one.user or "").casefold(), one.expires_at


def _license(row: FoundLicense, server: str, packs: Sequence[EstatePack]) -> EstateLicense:
    """A license with what its pack says of it, where the packs of that id agree."""
    types, versions = {pack.type for pack in packs}, {pack.version for pack in packs}
    guessed = PackType.PER_USER if row.user and not (row.device or row.hardware_id) else PackType.PER_DEVICE
    type_ = next(iter(types)) if len(types) == 1 else row.type or guessed
    version = row.version or (next(iter(versions)) if len(versions) == 1 else None)
    return EstateLicense(
        row.id,
        server,
        row.pack,
        type_,
        row.status,
        version,
        row.device,
        row.user,
        row.hardware_id,
        row.issued_at,
        row.expires_at,
    )


def _summed_up(
    files: Sequence[tuple[Found, str | None]],
    servers: _Servers,
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
