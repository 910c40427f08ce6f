"""How many issues a second does the ledger alone store, and how many a second if only its rows were inserted?"""

from dataclasses import dataclass, field
from time import perf_counter

from bench.estate import HOST_VERSION, open_ledger, prepare, requests, with_host
from bench.figures import Sizes
from bench.places import Place, say
from bench.yardstick import bare_inserts, captured, ways
from calward.adapters.store.ledger import GROUP
from calward.domain.cals import CalType
from calward.domain.licenses import Status

__all__ = ["LedgerSpeed"]


@dataclass
class LedgerSpeed:
    """Rounds of the ledger and its yardstick; every round begins with a ledger that holds packs and no license."""

    place: Place
    sizes: Sizes
    issues: list[float] = field(default_factory=list)
    """Per second, a figure a round."""
    bare: list[float] = field(default_factory=list)
    _way: str = ""

    def __post_init__(self) -> None:
        self._count = self.sizes.ledger_groups * GROUP
        self._base = self.place.empty()
        prepare(self._base, [(HOST_VERSION, CalType.PER_USER, self._count + 100_000)])
        self._host, _ = with_host(self._base, "SH1", HOST_VERSION, CalType.PER_USER)

    def warm_up(self) -> None:
        """Run once, find out which yardstick is the faster one, forget the rest."""
        written = captured(self._filled()[0])
        speeds = {
            way: self._count / bare_inserts(self.place.copy(self._base), written, way)
            for way in ways(self.place.dialect)
        }
        self._way = max(speeds, key=lambda way: speeds[way])
        say(f"   yardstick: {self._way} ({', '.join(f'{way} {x:,.0f}/s' for way, x in speeds.items())})")

    def round(self) -> None:
        """Measure both once, one after the other."""
        url, seconds = self._filled()
        self.issues.append(self._count / seconds)
        self.bare.append(self._count / bare_inserts(self.place.copy(self._base), captured(url), self._way))

    def _filled(self) -> tuple[str, float]:
        """The address of a ledger after all issues, and the seconds that they took."""
        url = self.place.copy(self._base)
        asked = requests(self._host, 1, self._count)
        ledger = open_ledger(url)
        try:
            began = perf_counter()
            found = ledger.write_all(asked)
            seconds = perf_counter() - began
        finally:
            ledger.close()
        check(found)
        return url, seconds


def check(found: list[object]) -> None:
    """Stop the run if anything but a full license came out."""
    wrong = [x for x in found if not isinstance(x, dict) or x.get("status") != Status.ACTIVE]
    if wrong:
        raise SystemExit(f"bench: {len(wrong)} of {len(found)} issues came out wrong, the first as {wrong[0]!r}")
