"""Which licenses are there, and what do their packs say of them?"""

from collections.abc import Iterator, Mapping, Sequence

from calward.app.estates.found import Found, FoundLicense
from calward.app.estates.join_servers import Files, Servers
from calward.insight.estate import EstateLicense, EstatePack, ImportProblem, PackType

__all__ = ["Packs", "join_licenses"]

Packs = Mapping[tuple[str, str], Sequence[EstatePack]]
"""Packs by license server and id."""


def join_licenses(files: Files, servers: Servers, packs: Packs, told: list[ImportProblem]) -> list[EstateLicense]:
    """Every license; a report's row about a license that another file lists is that license."""
    licenses: list[EstateLicense] = []
    several = sum(any(not row.reported for row in found.licenses) for found, _ in files) > 1
    seen = _Seen() if several else None
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
            one = _license(row, server, of)
            if seen is None or not seen.before(one, found.file):
                licenses.append(one)
    for (file, server, pack), lines in unknown.items() if packs else ():
        reason = f"{len(lines)} licenses are of pack {pack} of {server}, which no file lists"
        told.append(ImportProblem(file, lines[0], reason))
    told += seen.told() if seen else []
    return licenses + _reported(reported, licenses)


class _Seen:
    """Licenses of several lists, to notice those that stand in more than one: exported twice, or in two forms."""

    def __init__(self) -> None:
        self._licenses: dict[tuple[str, str], tuple[str, EstateLicense]] = {}
        self._again: dict[tuple[str, str], int] = {}

    def before(self, one: EstateLicense, file: str) -> bool:
        """Whether another file has it. The same id twice in one file, or with another holder or end, is another license."""
        earlier, known = self._licenses.setdefault((one.server, one.id), (file, one))
        if earlier == file or (known.device, known.user, known.expires_at) != (one.device, one.user, one.expires_at):
            return False
        self._again[file, earlier] = self._again.get((file, earlier), 0) + 1
        return True

    def told(self) -> list[ImportProblem]:
        """A line for each pair of files."""
        return [
            ImportProblem(file, 0, f"{number} of its licenses stand in {earlier} as well: they count once")
            for (file, earlier), number in self._again.items()
        ]


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
