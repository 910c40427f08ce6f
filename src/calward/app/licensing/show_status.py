"""Show in one line what an administrator fears, and what stands behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from calward.app.reading import Counts, PackRow, Reader
from calward.domain.answers import rfc3339
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import NUMBERS
from calward.domain.licenses import Status
from calward.domain.parties import Server
from calward.domain.settings import SECONDS_PER_DAY, PerUser
from calward.domain.statements import NO_END
from calward.insight.stops import Loose, Snapshot, Stop, StopKind, Supply, stops

__all__ = ["ServerStatus", "needed_server", "say_stop", "show_status"]

HORIZON: Final = int(NO_END.timestamp())
"""What ends then was bought for good."""
RECENT: Final = 7 * SECONDS_PER_DAY
"""Warnings of a week are shown."""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The line, then everything that it was made of; ``warnings`` are sentences."""

    line: str
    server: Server
    stops: tuple[Stop, ...]
    packs: Sequence[PackRow]
    counts: Sequence[Counts]
    warnings: tuple[str, ...]


def needed_server(reader: Reader) -> Server:
    """The license server; raises LicensingError(NOT_FOUND) on an empty ledger."""
    server = reader.server()
    if server is None:
        raise LicensingError(Problem.NOT_FOUND, "the ledger is empty: make a license server first (calward setup)")
    return server


def show_status(reader: Reader, *, now: int, renew_within: int | None = None) -> ServerStatus:
    """Read everything once and say what stops first; raises LicensingError(NOT_FOUND) on an empty ledger.

    ``renew_within``: seconds left at which the right to issue is renewed by itself; None: it is not.
    """
    server, packs, counts = needed_server(reader), reader.packs(now), reader.counts(now)
    ahead = stops(_snapshot(server, packs, counts, now, renew_within))
    line = _line(ahead, now) if server.quarantined_at is None else _QUARANTINED
    return ServerStatus(line, server, ahead, packs, counts, _warnings(reader, counts, packs, now))


def say_stop(stop: Stop) -> str:
    """A stop in half a sentence: what it is, and whom it meets."""
    said = _SENTENCES[stop.kind].format(pack=stop.pack, version=stop.version, type=stop.type)
    return f"{said}{_WHOM[stop.kind]}{_holders(stop.type, stop.holders)}" if stop.holders else said


_SENTENCES: Final = {
    StopKind.NOT_ACTIVATED: "the license server is not activated and gives temporary licenses only",
    StopKind.RIGHT_ENDED: "the right to issue has ended and only temporary licenses are given",
    StopKind.RIGHT_ENDS: "the right to issue ends",
    StopKind.PACK_EXPIRES: "pack {pack} of {version}/{type} expires",
    StopKind.TEMPORARY_ENDS: "licenses of {version}/{type} without a CAL begin to end",
}
_WHOM: Final = {
    StopKind.NOT_ACTIVATED: "; not renewed: full licenses of ",
    StopKind.RIGHT_ENDED: "; not renewed: full licenses of ",
    StopKind.RIGHT_ENDS: "; not renewed from then on: full licenses of ",
    StopKind.PACK_EXPIRES: ", no other CAL for ",
    StopKind.TEMPORARY_ENDS: ", no CAL to follow for ",
}
_QUARANTINED: Final = (
    "stopped: the ledger may be older than what others have seen of it and only temporary licenses are given: "
    "calward server recover explains it and leads out"
)
_NOW: Final = frozenset({StopKind.NOT_ACTIVATED, StopKind.RIGHT_ENDED})


def _line(ahead: Sequence[Stop], now: int) -> str:
    if not ahead:
        return "nothing stops: no pack, license or right ends that has nothing to follow it"
    first = ahead[0]
    if first.kind in _NOW or first.at <= now:
        return f"stopped: {say_stop(first)}"
    return f"nothing stops before {_day(first)}; first: {say_stop(first)}{_that_day(ahead)}"


def _that_day(ahead: Sequence[Stop]) -> str:
    """What else stops on the day of the first, so that a small pack does not hide a big one."""
    others = [stop for stop in ahead[1:] if _day(stop) == _day(ahead[0])]
    sums = {type_: sum(stop.holders for stop in others if stop.type is type_) for type_ in (*CalType, None)}
    whom = " and ".join(_holders(type_, number) for type_, number in sums.items() if number)
    return f"; {len(others)} more that day{f', for {whom}' if whom else ''}" if others else ""


def _day(stop: Stop) -> str:
    return rfc3339(stop.at)[:10]


def _holders(type_: CalType | None, number: int) -> str:
    word = "holder" if type_ is None else type_.holder_kind.value
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _snapshot(
    server: Server, packs: Sequence[PackRow], counts: Sequence[Counts], now: int, renew_within: int | None
) -> Snapshot:
    enforced = server.settings.per_user is PerUser.ENFORCE
    loose = [
        Loose(x.type, x.version, x.family, x.number, x.first_end)
        for x in counts
        # Over-use that is only tracked goes on by itself.
        if x.status == Status.TEMPORARY or (x.status == Status.OVER_USED and enforced)
    ]
    return Snapshot(
        now=now,
        issue_until=server.issue_until,
        packs=[Supply(x.pack, x.issued) for x in packs],
        loose=loose,
        full=sum(x.number for x in counts if x.status == Status.ACTIVE),
        horizon=HORIZON,
        renew_within=renew_within,
        upgrades=not server.settings.prevent_license_upgrade,
    )


def _warnings(reader: Reader, counts: Sequence[Counts], packs: Sequence[PackRow], now: int) -> tuple[str, ...]:
    over = sum(x.number for x in counts if x.status == Status.OVER_USED)
    found = [f"{_holders(CalType.PER_USER, over)} beyond the CALs installed (over-used)"] if over else []
    found += [f"pack {x.pack.id} has expired and issues nothing" for x in packs if x.pack.expires_at <= now]
    for name, at in reader.warnings(now - RECENT):
        number, _, about = name.partition(" ")
        meaning = NUMBERS.get(int(number), "warning") if number.isdigit() else "warning"
        found.append(f"{rfc3339(at)[:10]}: {meaning} ({about})")
    return tuple(found)
