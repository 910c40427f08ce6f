"""How many licenses a second are issued: over HTTP, in batches, by the ledger alone; and how many could be at best?

Each round runs everything once, so that what is compared was measured within the same seconds; figures are medians of rounds.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.asking import ECHO, FULL_LICENSE, Asking
from bench.estate import HOST_VERSION, prepare, with_host
from bench.figures import Sizes, middle, ratio
from bench.ledger_speed import LedgerSpeed
from bench.places import DIALECTS, Place, place, say
from bench.server import Loader, Running, loader, serving
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
    with ExitStack() as stack:
        http = _http_speed(where, folder, sizes, stack)
        http.warm_up()
        for number in range(sizes.rounds):
            ledger.round()
            http.round()
            say(f"   round {number + 1}: {_shown(ledger, http)}")
    return _figures(ledger, http)


@dataclass
class HttpSpeed:
    """Rounds of echo, single requests and batches against one running server; figures per second, one a round."""

    server: Running
    load: Loader
    asking: Asking
    sizes: Sizes
    echoes: list[float] = field(default_factory=list)
    issues: list[float] = field(default_factory=list)
    batched: list[float] = field(default_factory=list)

    def warm_up(self) -> None:
        """Have every path gone once."""
        few = max(self.sizes.connections, self.sizes.http_issues // 10)
        self.load.rate(self.server.port, self.sizes.connections, self.asking.singles(few), FULL_LICENSE)
        self.load.rate(self.server.port, self.sizes.connections, self.asking.singles(few, ECHO))

    def round(self) -> None:
        """Measure each once."""
        sizes, port, asking = self.sizes, self.server.port, self.asking
        echo, single = asking.singles(sizes.http_echoes, ECHO), asking.singles(sizes.http_issues)
        batches = asking.batches(sizes.batches, sizes.batch_of)
        self.echoes.append(self.load.rate(port, sizes.connections, echo))
        self.issues.append(self.load.rate(port, sizes.connections, single, FULL_LICENSE))
        calls = self.load.rate(port, sizes.batch_connections, batches, FULL_LICENSE, sizes.batch_of)
        self.batched.append(calls * sizes.batch_of)


def _http_speed(where: Place, folder: Path, sizes: Sizes, stack: ExitStack) -> HttpSpeed:
    """A server that users would start, on a database with enough CALs for all rounds, and its load."""
    url, data = where.empty(), folder / f"keys-{where.dialect}"
    data.mkdir(mode=0o700)
    needed = (sizes.rounds + 1) * (sizes.http_issues + sizes.http_echoes + sizes.batches * sizes.batch_of)
    prepare(url, [(HOST_VERSION, CalType.PER_USER, needed + 100_000)])
    _, token = with_host(url, "SH1", HOST_VERSION, CalType.PER_USER)
    load = stack.enter_context(loader())
    return HttpSpeed(stack.enter_context(serving(url, data)), load, Asking(token, 1), sizes)


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
    found = {
        "http_issues_per_s": middle(http.issues),
        "http_echo_per_s": middle(http.echoes),
        "batch_issues_per_s": middle(http.batched),
        "ledger_issues_per_s": middle(ledger.issues),
        "bare_inserts_per_s": middle(ledger.bare),
    }
    return found | {
        "ratio_to_echo": ratio(found["http_issues_per_s"], found["http_echo_per_s"]),
        "ratio_batch_to_ledger": ratio(found["batch_issues_per_s"], found["ledger_issues_per_s"]),
        "ratio_ledger_to_bare": ratio(found["ledger_issues_per_s"], found["bare_inserts_per_s"]),
    }
