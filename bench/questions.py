"""How long do planner, diagnoser and forecast take on a large estate, how much memory beside it, and how does that grow?

One process a size: it makes a snapshot of 1,000 hosts, 200 packs and so many licenses, then asks. ``mib`` is what a question takes at most
beside the snapshot. Run as a script with a number of licenses it prints one size's figures.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # As a script: `bench` is found from the root.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.figures import Sizes, ratio
from bench.places import say
from calward.adapters.ladders import load_ladder
from calward.domain.cals import CalType
from calward.insight.diagnoser import diagnose
from calward.insight.estate import (
    Estate,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)
from calward.insight.forecast import forecast
from calward.insight.planner import Timed, plan
from calward.insight.planner.edits import AddHolders, UpgradeHosts
from calward.insight.use_history import from_spans, license_span

__all__ = ["large_estate", "measure"]

_NOW, _DAY = 1_800_000_000, 86_400
_HOSTS, _PACKS, _SERVERS = 1_000, 200, 8
_VERSIONS = ("2012R2", "2016", "2019", "2022", "2025")
_KIB = 1024


def large_estate(number: int) -> Estate:
    """A mixed estate, every part of it from its number: two types, five versions, eight license servers in four groups."""
    hosts = [
        EstateHost(
            f"SH{n}",
            _VERSIONS[n % 5],
            CalType.PER_USER if n % 2 else CalType.PER_DEVICE,
            (f"LS{n % 4}", f"LS{n % 4 + 4}"),
            _NOW,
        )
        for n in range(_HOSTS)
    ]
    packs = [
        EstatePack(
            id=f"P{n}",
            server=f"LS{n % _SERVERS}",
            version=_VERSIONS[n // 8 % 5],
            type=PackType.PER_USER if n // 40 % 2 else PackType.PER_DEVICE,
            program="Volume",
            total=number // _PACKS + 1,
            issued=number // _PACKS,
            expires_at=_NOW + (n + 1) * _DAY if n % 10 == 0 else None,
            installed_at=_NOW - 900 * _DAY,
        )
        for n in range(_PACKS)
    ]
    return Estate(
        name="large",
        source=Source.CALWARD,
        taken_at=_NOW,
        ladder=load_ladder("windows-server"),
        servers=[EstateServer(f"LS{n}", "2025", True) for n in range(_SERVERS)],  # noqa: FBT003
        hosts=hosts,
        packs=packs,
        licenses=[_license(n, packs[n % _PACKS], hosts) for n in range(number)],
    )


def _license(n: int, pack: EstatePack, hosts: list[EstateHost]) -> EstateLicense:
    user = pack.type is PackType.PER_USER
    # A host of the pack's type, of any version: some need newer CALs than they hold.
    host = hosts[(n * 7919 // 2 * 2 + user) % _HOSTS]
    return EstateLicense(
        id=f"L{n}",
        server=pack.server,
        pack=pack.id,
        type=pack.type,
        status=LicenseStatus.ACTIVE,
        version=pack.version,
        device=None if user else f"PC{n}",
        user=f"user{n}" if user else None,
        hardware_id=None if user else f"{n:032x}",
        issued_at=_NOW - n * 1_301 % (400 * _DAY),
        expires_at=_NOW + 30 * _DAY,
        host=host.name,
    )


def _plan(estate: Estate) -> object:
    edits = [
        Timed(_NOW + _DAY, UpgradeHosts((), estate.ladder.family_of("2016"), "2022"), "upgrade"),
        Timed(_NOW + 2 * _DAY, AddHolders(80, CalType.PER_USER, None, "2022"), "more users"),
    ]
    return plan(estate, edits)


def _forecast(estate: Estate) -> object:
    spans = (span for one in estate.licenses if (span := license_span(estate, one)))
    return [forecast(history.counts) for history in from_spans(spans, estate.taken_at).values()]


_QUESTIONS: Mapping[str, Callable[[Estate], object]] = {"plan": _plan, "diagnose": diagnose, "forecast": _forecast}


def measure(folder: Path, sizes: Sizes) -> Mapping[str, Any]:
    """Seconds, processor time and memory of each question at three sizes, and the growth between the last two.

    Growth by processor time is what the question itself does: by the clock neighbors on the machine grow with it, or do not.
    """
    lengths = (sizes.few, sizes.many // 10, sizes.many)
    sized = {number: _in_a_process(folder, number) for number in lengths}
    found: dict[str, Any] = {}
    for name in _QUESTIONS:
        found[name] = {f"{number}_licenses": figures[name] for number, figures in sized.items()}
        for what in ("seconds", "cpu_seconds"):
            last, before = (sized[number][name][what] for number in (lengths[2], lengths[1]))
            found[name][f"growth_of_{what}_tenfold"] = ratio(last, max(before, 0.001))
    return found


def _in_a_process(folder: Path, number: int) -> Mapping[str, Any]:
    words = [sys.executable, str(Path(__file__).resolve()), str(number)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)
    if ended.returncode:
        raise SystemExit(f"bench: questions ended with {ended.returncode}: {ended.stderr}")
    figures: Mapping[str, Any] = json.loads(ended.stdout)
    say(f"   {number:,} licenses: " + ", ".join(f"{name} {one['seconds']} s" for name, one in figures.items()))
    return figures


def _ask_all(number: int) -> Mapping[str, Any]:
    estate = large_estate(number)
    return {name: _ask(question, estate) for name, question in _QUESTIONS.items()}


def _ask(question: Callable[[Estate], object], estate: Estate) -> Mapping[str, Any]:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # The highest memory is counted anew from now on.
    before, began, worked = _memory("VmRSS"), time.perf_counter(), time.process_time()
    question(estate)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "mib": max(0, _memory("VmHWM") - before) // _KIB,
    }


def _memory(which: str) -> int:
    """Of this process, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(which)).split()[1])


if __name__ == "__main__":
    print(json.dumps(_ask_all(int(sys.argv[1]))))
