"""How many licenses a second are issued: over HTTP, in batches, by the ledger alone; and how many could be at best?

Each round runs everything once, so that what is compared was measured within the same seconds. Speeds are medians of rounds, ratios
medians of the rounds' own ratios.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.asking import ECHO, FULL_LICENSE, Asking
from bench.estate import HOST_VERSION, prepare, with_host
from bench.figures import Sizes, middle, middle_ratio
from bench.ledger_speed import LedgerSpeed
from bench.places import DIALECTS, Place, place, say
from bench.server import Loader, loader, serving
from calward.domain.cals import CalType

__all__ = ["measure"]

Figures = dict[str, float]


def measure(folder: Path, sizes: Sizes, dialects: Sequence[str] = DIALECTS) -> Mapping[str, Figures | None]:
    """The figures of both databases, None for one that is not installed."""
    found: dict[str, Figures | None] = {}
    for dialect in dialects:
        with place(dialect, folder) as where:
            found[dialect] = _on(where, folder, sizes) if where else None
    return found


def _on(where: Place, folder: Path, sizes: Sizes) -> Figures:
    say(f"── issue, {where.dialect}")
    ledger = LedgerSpeed(where, sizes)
    ledger.warm_up()
    with loader() as load:
        http = _http_speed(where, folder, sizes, load)
        for number in range(sizes.rounds):
            http.round()
            ledger.round()
            say(f"   round {number + 1}: {_shown(ledger, http)}")
    return _figures(ledger, http)


@dataclass
class HttpSpeed:
    """Rounds of echo, single requests and batches; figures per second, one a round.

    As for the ledger alone, every round begins with a ledger that holds packs and no license, so that both write into tables of one size.
    """

    place: Place
    base: str
    data: Path
    load: Loader
    asking: Asking
    sizes: Sizes
    echoes: list[float] = field(default_factory=list)
    issues: list[float] = field(default_factory=list)
    batched: list[float] = field(default_factory=list)

    def round(self) -> None:
        """Measure each once."""
        with serving(self.place.copy(self.base), self.data) as server:
            self._warm_up(server.port)
            self._measure(server.port)

    def _warm_up(self, port: int) -> None:
        """Have every path gone once."""
        few = max(self.sizes.connections, self.sizes.http_issues // 10)
        self.load.rate(port, self.sizes.connections, self.asking.singles(few), FULL_LICENSE)
        self.load.rate(port, self.sizes.connections, self.asking.singles(few, ECHO))

    def _measure(self, port: int) -> None:
        sizes, asking = self.sizes, self.asking
        echo, single = asking.singles(sizes.http_echoes, ECHO), asking.singles(sizes.http_issues)
        batches = asking.batches(sizes.batches, sizes.batch_of)
        self.echoes.append(self.load.rate(port, sizes.connections, echo))
        self.issues.append(self.load.rate(port, sizes.connections, single, FULL_LICENSE))
        calls = self.load.rate(port, sizes.batch_connections, batches, FULL_LICENSE, sizes.batch_of)
        self.batched.append(calls * sizes.batch_of)


def _http_speed(where: Place, folder: Path, sizes: Sizes, load: Loader) -> HttpSpeed:
    """What a server that users would start is measured on: a ledger with enough CALs for a round, and a host."""
    url, data = where.empty(), folder / f"keys-{where.dialect}"
    data.mkdir(mode=0o700)
    needed = 2 * (sizes.http_issues + sizes.batches * sizes.batch_of)
    prepare(url, [(HOST_VERSION, CalType.PER_USER, needed + 100_000)])
    _, token = with_host(url, "SH1", HOST_VERSION, CalType.PER_USER)
    return HttpSpeed(where, url, data, load, Asking(token, 1), sizes)


def _shown(ledger: LedgerSpeed, http: HttpSpeed) -> str:
    last = {
        "bare": ledger.bare,
        "ledger": ledger.issues,
        "batch": http.batched,
        "echo": http.echoes,
        "http": http.issues,
    }
    return ", ".join(f"{name} {values[-1]:,.0f}/s" for name, values in last.items())


def _figures(ledger: LedgerSpeed, http: HttpSpeed) -> Figures:
    return {
        "http_issues_per_s": middle(http.issues),
        "http_echo_per_s": middle(http.echoes),
        "batch_issues_per_s": middle(http.batched),
        "ledger_issues_per_s": middle(ledger.issues),
        "bare_inserts_per_s": middle(ledger.bare),
        "ratio_to_echo": middle_ratio(http.issues, http.echoes),
        "ratio_batch_to_ledger": middle_ratio(http.batched, ledger.issues),
        "ratio_ledger_to_bare": middle_ratio(ledger.issues, ledger.bare),
    }
