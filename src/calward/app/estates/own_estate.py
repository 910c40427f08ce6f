"""Take a snapshot of our own ledger, as large as it may be: what can be a million rows is read page by page.

Pages are read one after the other: a license that is renewed meanwhile stands in the snapshot as it was or as it is, never twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from calward.app.licensing.show_status import HORIZON, needed_server
from calward.app.reading import Ended, HostInForce, LicenseFilter, LicenseRow, PackRow, Page, Reader, RefusalRow
from calward.domain.answers import license_name
from calward.domain.cals import HolderKind
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError
from calward.domain.ladder import Ladder
from calward.domain.parties import Server
from calward.domain.statements import KeyPackStatement
from calward.insight.diagnoser.leaving_checks import REVOKED_FACT
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)

__all__ = ["OwnEstate", "take_counts", "take_snapshot"]

_PAGE: Final = 2000
_OVER_USED: Final = "built-in over-used"
_PROGRAM: Final = "key pack"
"""Of a pack that came without a signed statement, in which its program would stand."""


@dataclass(frozen=True, slots=True)
class OwnEstate:
    """A snapshot: ``head`` has everything but the long lists, which are read as they are asked for, once."""

    head: Estate
    licenses: Iterator[EstateLicense]
    failures: Iterator[EstateFailure]


def take_snapshot(reader: Reader, ladder: Ladder, *, now: int, addresses: Sequence[str]) -> OwnEstate:
    """Read the ledger; ``addresses``: this server's, for hosts to which no policy names others.

    Raises: LicensingError(NOT_FOUND): the ledger is empty.
    """
    head = _head(reader, ladder, now, addresses)
    head.facts.update(_revoked(reader, ladder, now))
    return OwnEstate(head, _licenses(reader, head.name, now), _failures(reader, head.name))


def take_counts(reader: Reader, ladder: Ladder, *, now: int, addresses: Sequence[str]) -> Estate:
    """Everything but the long lists, and over-use as counts of pools without CALs: small, however many licenses are issued.

    Raises: LicensingError(NOT_FOUND): the ledger is empty.
    """
    head = _head(reader, ladder, now, addresses)
    over = reader.over_used(now).items()
    return replace(head, packs=[*head.packs, *(_over_used(version, number, head.name) for version, number in over)])


def _head(reader: Reader, ladder: Ladder, now: int, addresses: Sequence[str]) -> Estate:
    server = needed_server(reader)
    programs = {name: _program(statement) for name, statement in reader.pack_statements().items()}
    return Estate(
        name=server.name,
        source=Source.CALWARD,
        taken_at=now,
        ladder=ladder,
        servers=[_server(server, now)],
        hosts=[_host(found, addresses) for found in reader.hosts()],
        packs=[_pack(row, server.name, programs.get(row.pack.id, _PROGRAM)) for row in reader.packs(now)],
        facts={"server_id": server.id},
    )


def _over_used(version: str, number: int, server: str) -> EstatePack:
    return EstatePack(
        id="",
        server=server,
        version=version,
        type=PackType.PER_USER,
        program=_OVER_USED,
        total=0,
        issued=0,
        over_used=number,
    )


def _revoked(reader: Reader, ladder: Ladder, now: int) -> dict[str, str]:
    """The old ends of revoked licenses by family: until then they count against what may be revoked."""
    ends: dict[str, list[str]] = {}
    for family, until in reader.revoked_until(now):
        ends.setdefault(REVOKED_FACT + ladder.family_versions(family)[0], []).append(str(until))
    return {name: " ".join(found) for name, found in ends.items()}


def _server(server: Server, now: int) -> EstateServer:
    settings = ("prevent_license_upgrade", "per_user", "revocable_share", "grace_days", "low_share", "user_days")
    kept = tuple((name, str(getattr(server.settings, name))) for name in settings)
    return EstateServer(server.name, server.version, server.blocked(now) is None, _end(server.issue_until), kept)


def _host(found: HostInForce, addresses: Sequence[str]) -> EstateHost:
    servers = found.policy.servers if found.policy and found.policy.servers else addresses
    return EstateHost(found.host.name, found.host.version, found.mode, tuple(servers), found.host.seen_at)


def _program(statement: bytes) -> str:
    """How a pack was bought, as its statement says: it was verified when it was installed."""
    try:
        return KeyPackStatement.from_payload(decode_envelope(statement).payload).program.value
    except LicensingError:
        return _PROGRAM


def _pack(row: PackRow, server: str, program: str) -> EstatePack:
    pack = row.pack
    return EstatePack(
        id=pack.id,
        server=server,
        version=pack.version,
        type=PackType(pack.type),
        program=program,
        total=pack.total,
        issued=row.issued,
        expires_at=_end(pack.expires_at),
        installed_at=pack.installed_at,
        moving=pack.transfer is not None,
    )


def _end(moment: int | None) -> int | None:
    return None if moment is None or moment >= HORIZON else moment


def _licenses(reader: Reader, server: str, now: int) -> Iterator[EstateLicense]:
    wanted, after = LicenseFilter(ended=Ended.NO), None
    while rows := reader.licenses(wanted, Page(_PAGE, after), now):
        for row in rows:
            yield _license(row, server)
        after = rows[-1].license.id


def _license(row: LicenseRow, server: str) -> EstateLicense:
    found, is_device = row.license, row.holder_kind is HolderKind.DEVICE
    return EstateLicense(
        id=license_name(found.id),
        server=server,
        pack=found.seat.pack if found.seat else None,
        type=PackType(found.type),
        status=LicenseStatus(found.status),
        version=found.version,
        device=row.holder if is_device else None,
        user=None if is_device else row.holder,
        hardware_id=row.hardware_id,
        issued_at=found.issued_at,
        expires_at=found.expires_at,
        host=row.decision.get("host"),
        why=tuple(row.decision.get("reasons", ())),
    )


def _failures(reader: Reader, server: str) -> Iterator[EstateFailure]:
    after = None
    while rows := reader.refusals(Page(_PAGE, after)):
        for row in rows:
            yield _failure(row, server)
        after = rows[-1].event["id"]


def _failure(row: RefusalRow, server: str) -> EstateFailure:
    event = row.event
    return EstateFailure(
        at=row.at,
        server=server,
        host=event["host"],
        holder=row.holder or event["holder"],
        type=PackType(event["type"]),
        version=event.get("for"),
        reasons=tuple(event.get("reasons", ())),
        times=row.times,
    )
