"""What can be measured of a snapshot: free CALs, over-use, days until something ends, refusals?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.pack_checks import cals_of, pack_subject
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import counted, day, days_until
from calward.insight.estate import EstateFailure, EstatePack, PackType
from calward.insight.findings import Kind, Subject
from calward.insight.thresholds.threshold import Each, Key, Measure, Reading, Threshold

__all__ = ["MEASURES"]

_NO_PACKS: Final = "the snapshot has no packs that were bought"
_EVER: Final = 36_500.0
_MOST: Final = 1e9


@dataclass(slots=True)
class _Stock:
    """CALs that are counted together; ``free`` and ``total`` None: unlimited."""

    label: str
    free: int | None = 0
    total: int | None = 0

    def add(self, pack: EstatePack) -> None:
        """Add the CALs of a pack; of one that is moving none can be given any more."""
        available = pack.available
        self.total = None if self.total is None or pack.total is None else self.total + pack.total
        self.free = None if self.free is None or available is None else self.free + (0 if pack.moving else available)


def _fits(view: View, wanted: Threshold, server: str, type_: PackType, family: int) -> bool:
    return (
        wanted.server in (None, server)
        and wanted.type in (None, type_)
        and (wanted.version is None or family == view.family(wanted.version))
    )


def _label(view: View, wanted: Threshold, type_: PackType, family: int) -> str:
    """What is counted together with CALs of a type and family: ``2022/per-user``, with the server where one is named."""
    if wanted.each is not Each.ALL:
        told = view.cal(type_, family)
    else:
        version = None if wanted.version is None else view.ladder.family_name(view.family(wanted.version))
        told = "/".join(part for part in (version, wanted.type) if part) or "all"
    return f"{wanted.server} {told}" if wanted.server else told


def _packs(view: View, wanted: Threshold) -> list[EstatePack]:
    return [
        pack
        for pack in view.bought()
        if _fits(view, wanted, pack.server, pack.type, view.family(pack.version)) and wanted.pack in (None, pack.id)
    ]


def _stocks(view: View, wanted: Threshold) -> Sequence[_Stock] | str:
    """CALs that are free. A pool whose last pack has expired is still there, and empty; so is one that is named and was never bought."""
    if view.imported and not any(view.bought()):
        return _NO_PACKS
    found: dict[str, _Stock] = {}
    if wanted.version is not None and wanted.type is not None:
        label = _label(view, wanted, wanted.type, view.family(wanted.version))
        found[label] = _Stock(label)
    for pack in _packs(view, wanted):
        label = _label(view, wanted, pack.type, view.family(pack.version))
        stock = found.setdefault(label, _Stock(label))
        if view.alive(pack):
            stock.add(pack)
    return list(found.values())


def _of_packs(view: View, wanted: Threshold) -> Sequence[tuple[Subject, str, int | None, int | None]] | str:
    """Free and total of each pack that gives CALs."""
    if view.imported and not any(view.bought()):
        return _NO_PACKS
    giving = (pack for pack in _packs(view, wanted) if view.alive(pack) and not pack.moving)
    return [(pack_subject(pack), _pack_words(pack), pack.available, pack.total) for pack in giving]


def _pack_words(pack: EstatePack) -> str:
    return f"CALs of pack {pack.id} ({cals_of(pack)}) on {pack.server}"


def _counts(view: View, wanted: Threshold) -> Sequence[tuple[Subject, str, int | None, int | None]] | str:
    if wanted.each is Each.PACK:
        return _of_packs(view, wanted)
    stocks = _stocks(view, wanted)
    if isinstance(stocks, str):
        return stocks
    return [(Subject(Kind.PACK, one.label), _words(wanted, one.label), one.free, one.total) for one in stocks]


def _words(wanted: Threshold, label: str) -> str:
    told = label.removeprefix(f"{wanted.server} ")
    return ("CALs" if told == "all" else f"{told} CALs") + (f" on {wanted.server}" if wanted.server else "")


def _free(view: View, wanted: Threshold) -> Sequence[Reading] | str:
    found = _counts(view, wanted)
    if isinstance(found, str):
        return found
    return [
        Reading(subject, free, f"{free or 0:,} of {0 if total is None else total:,} {words} are free")
        for subject, words, free, total in found
    ]


def _free_percent(view: View, wanted: Threshold) -> Sequence[Reading] | str:
    found = _counts(view, wanted)
    return found if isinstance(found, str) else [_share(*one) for one in found]


def _share(subject: Subject, words: str, free: int | None, total: int | None) -> Reading:
    if free is None or total is None:
        return Reading(subject, None, f"unlimited {words} are free")
    percent = 100 * free / total if total else 0.0
    return Reading(subject, percent, f"{percent:.1f} % of {words} are free: {free:,} of {total:,}")


def _over_used(view: View, wanted: Threshold) -> Sequence[Reading] | str:
    if view.imported and not view.estate.packs and not view.estate.licenses:
        return _NO_PACKS
    numbers: dict[str, int] = {}
    used = {key: tally.number for key, tally in view.over_used.items()}
    for server, type_, family in {**view.pools, **used}:
        if _fits(view, wanted, server, type_, family):
            label = _label(view, wanted, type_, family)
            numbers[label] = numbers.get(label, 0) + used.get((server, type_, family), 0)
    return [
        Reading(Subject(Kind.PACK, label), number, f"{counted(number, 'user')} beyond the {_words(wanted, label)}")
        for label, number in numbers.items()
    ]


def _pack_days(view: View, wanted: Threshold) -> Sequence[Reading] | str:
    if view.imported and not any(view.bought()):
        return _NO_PACKS
    return [_pack_end(view, pack) for pack in _packs(view, wanted)]


def _pack_end(view: View, pack: EstatePack) -> Reading:
    who = f"pack {pack.id} ({cals_of(pack)}) on {pack.server}"
    if pack.expires_at is None:
        return Reading(pack_subject(pack), None, f"{who} has no end")
    verb = "expires" if pack.expires_at > view.now else "has expired"
    told = f"{who} {verb} {days_until(pack.expires_at, view.now)}, on {day(pack.expires_at)}"
    return Reading(pack_subject(pack), _days(pack.expires_at, view.now), told)


def _right_days(view: View, wanted: Threshold) -> Sequence[Reading] | str:
    if view.imported:
        return "files of another system do not say until when a license server may issue"
    servers = (one for one in view.estate.servers if wanted.server in (None, one.name))
    return [_right_end(view, one.name, one.issue_until) for one in servers]


def _right_end(view: View, server: str, until: int | None) -> Reading:
    subject = Subject(Kind.SERVER, server)
    if until is None:
        return Reading(subject, None, f"the right to issue of {server} has no end, or was never given")
    verb = "ends" if until > view.now else "has ended"
    told = f"the right to issue of {server} {verb} {days_until(until, view.now)}, on {day(until)}"
    return Reading(subject, _days(until, view.now), told)


def _days(moment: int, now: int) -> float:
    return (moment - now) / SECONDS_PER_DAY


def _refusals(view: View, wanted: Threshold) -> Sequence[Reading] | str:
    if view.imported and not view.estate.failures:
        return "the snapshot has no list of failed issuances"
    since = view.now - wanted.within_days * SECONDS_PER_DAY
    times, holders = 0, set[str]()
    for one in _lately(view, wanted, since):
        times += one.times
        holders.add(one.holder)
    label = _label(view, wanted, PackType.PER_USER, NO_FAMILY)
    window = counted(wanted.within_days, "day")
    told = f"{counted(len(holders), 'holder')} refused {counted(times, 'time')} within {window}" + (
        f" ({label})" if label != "all" else ""
    )
    return [Reading(Subject(Kind.ESTATE, f"{label} within {window}"), times, told)]


def _lately(view: View, wanted: Threshold, since: int) -> Iterator[EstateFailure]:
    for one in view.estate.failures:
        if one.at > since and _fits(view, wanted, one.server, one.type, view.family(one.version)):
            yield one


_POOL: Final = frozenset({Key.VERSION, Key.TYPE, Key.SERVER, Key.EACH})
_FREE: Final = (Each.VERSION, Each.PACK, Each.ALL)
_TAKEN: Final = "devices and users have taken more CALs, or a pack has ended or left"
_MORE: Final = "free CALs of devices and users that are gone, or buy more"

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "free": Measure("CALs", _MOST, _POOL | {Key.PACK}, _FREE, _free, _TAKEN, _MORE, "calward pack list", low=True),
        "free-percent": Measure(
            "%", 100.0, _POOL | {Key.PACK}, _FREE, _free_percent, _TAKEN, _MORE, "calward pack list", low=True
        ),
        "over-used": Measure(
            "users",
            _MOST,
            _POOL - {Key.TYPE},
            (Each.VERSION, Each.ALL),
            _over_used,
            "users without a CAL are let in and counted",
            "free CALs of users who are gone, or buy more per-user CALs",
            "calward license list --status over-used",
            low=False,
        ),
        "pack-days": Measure(
            "days",
            _EVER,
            (_POOL | {Key.PACK}) - {Key.EACH},
            (Each.PACK,),
            _pack_days,
            "it was bought for a time; a license never outlives its pack",
            "renew it, or see that its holders find other CALs",
            "calward pack list",
            low=True,
        ),
        "issuing-right-days": Measure(
            "days",
            _EVER,
            frozenset({Key.SERVER}),
            (Each.SERVER,),
            _right_days,
            "it is renewed by itself only while the license server reaches the clearinghouse",
            "renew the activation: from then on temporary licenses only, and nothing is renewed",
            "calward server activate",
            low=True,
        ),
        "refusals": Measure(
            "refusals",
            _MOST,
            frozenset({Key.VERSION, Key.TYPE, Key.SERVER, Key.WITHIN_DAYS}),
            (Each.ALL,),
            _refusals,
            "no CAL of their version and type was free, or a rule stands in the way",
            "calward diagnose and calward report failed say who was refused where, and why",
            "calward report failed",
            low=False,
        ),
    }
)
"""By the name that ``watch.toml`` has for each."""
