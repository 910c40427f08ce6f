"""How do files of one estate come together: which server is whose, which license belongs to which pack?

Packs and licenses meet by license server and pack id, as ids count anew on every server. A server's name is compared without case, and a
short name is the only whole name that begins with it. Nothing that a file says is left out without a word.
"""

from dataclasses import replace

from calward.app.estates.join_licenses import join_licenses
from calward.app.estates.join_packs import join_packs, summed_up
from calward.app.estates.join_servers import UNNAMED, Files, Servers, unnamed_files
from calward.domain.ladder import Ladder
from calward.insight.estate import Estate, EstateHost, EstatePack, ImportProblem, Source

__all__ = ["UNNAMED", "Files", "join"]


def join(
    files: Files,
    name: str,
    taken_at: int,
    ladder: Ladder,
) -> Estate:
    """Make one snapshot of what the files say; beside each the server that was named for it.

    Takes the files' licenses away as it goes: there may be a million, and they need not be there twice.
    """
    servers = Servers(files)
    told: list[ImportProblem] = []
    packs = join_packs(files, servers, told)
    by_id: dict[tuple[str, str], list[EstatePack]] = {}
    for pack in packs:
        by_id.setdefault((pack.server, pack.id), []).append(pack)
    told += unnamed_files(files, servers)
    licenses = join_licenses(files, servers, by_id, told)
    facts: dict[str, str] = {}
    for found, _ in files:
        facts |= found.facts
        facts[f"rows of {found.file}"] = ", ".join(f"{number} {kind}" for kind, number in found.kinds.items()) or "none"
    packs += summed_up(files, servers, packs, facts)
    return Estate(
        name=name,
        source=Source.IMPORT,
        taken_at=taken_at,
        ladder=ladder,
        servers=servers.all(),
        hosts=_hosts(files, told),
        packs=packs,
        licenses=licenses,
        failures=[replace(one, server=servers.of(one.server, own)) for found, own in files for one in found.failures],
        problems=[*told, *(problem for found, _ in files for problem in found.problems)],
        facts=facts,
    )


def _hosts(files: Files, told: list[ImportProblem]) -> list[EstateHost]:
    """Every host once; where files say different things of one, what was said first."""
    hosts: dict[str, EstateHost] = {}
    for found, _ in files:
        for host in found.hosts:
            first = hosts.setdefault(host.name.casefold(), host)
            if first is not host:
                other = "" if replace(host, name=first.name) == first else ", with other content"
                told.append(ImportProblem(found.file, 0, f"host {host.name} is listed twice{other}: the first counts"))
    return list(hosts.values())
