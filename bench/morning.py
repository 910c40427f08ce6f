"""How does a license server stand a Monday morning, when everybody logs on within ten minutes?

Devices of an office log on to hosts of four versions; the packs are too small for all. The plan says in which order they come, and
it is played as fast as answers come back: each device is asked for, its logon is confirmed, and who comes again is asked for again.
Some devices have used up a temporary license in spring: where no CAL is free for them, they are refused.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.asking import CONFIRM, REQUEST
from bench.estate import ENTROPY, Earlier, open_ledger, prepare, with_host
from bench.figures import Sizes
from bench.load import message
from bench.morning_load import Heard, Plan, Visit
from bench.places import SqlitePlace, say
from bench.server import serving
from calward.app.licensing.confirm_license import ConfirmLicense
from calward.app.licensing.issue_license import IssueLicense
from calward.app.licensing.requests import Confirmation, Request
from calward.domain.cals import CalType, HolderKind
from calward.domain.parties import Host

__all__ = ["measure"]

VERSIONS = ("2008R2", "2012R2", "2016", "2019")
PACKS = (("2008R2", 0.10), ("2012R2", 0.10), ("2016", 0.20), ("2022", 0.15))
"""Packs as shares of the devices: fewer CALs than devices that come again, and each version of hosts meets the shortage."""
KNOWN = 0.15
"""Share of the devices that had a temporary license, and a confirmed logon, before their time ran out."""
DAYS_AGO = 100
COME_AGAIN = 0.7
"""Share of the devices that log on a second time within the ten minutes."""
TEN_MINUTES = 600
CONNECTIONS = 16


def measure(folder: Path, sizes: Sizes) -> Mapping[str, Any]:
    """Seconds, requests, milliseconds, and what devices got, by reason where it was less than a full license."""
    say("── morning, sqlite")
    url, then = SqlitePlace(folder).empty(), Earlier(DAYS_AGO)
    prepare(url, [(version, CalType.PER_DEVICE, max(1, int(share * sizes.devices))) for version, share in PACKS], then)
    enrolled = [_host(url, number, then) for number in range(sizes.hosts)]
    drawn = random.Random(20030423)  # A fixed seed, so that every run plays the same morning.
    _give_past(url, [host for host, _ in enrolled], int(KNOWN * sizes.devices), drawn, then)
    visits = _visits([token for _, token in enrolled], sizes, drawn)
    with serving(url, Path(url.removeprefix("sqlite:///")).parent) as server:
        heard = _played(Plan(server.port, CONNECTIONS, visits))
    return _figures(heard)


def _host(url: str, number: int, clock: Earlier) -> tuple[Host, str]:
    """Enroll a host; it, and its token."""
    return with_host(url, f"SH{number + 1}", VERSIONS[number % len(VERSIONS)], CalType.PER_DEVICE, clock)


def _give_past(url: str, hosts: Sequence[Host], devices: int, drawn: random.Random, clock: Earlier) -> None:
    """Let the first devices have been there once, with a logon that was confirmed."""
    ledger = open_ledger(url, clock)
    try:
        for device in range(devices):
            host, key = drawn.choice(hosts), hardware_id(device)
            ask = IssueLicense(host, f"then-{device}", HolderKind.DEVICE, key, key)
            given = ledger.write(Request(ask, ENTROPY))
            ledger.write(Confirmation(ConfirmLicense(host, given["license"])))
    finally:
        ledger.close()


def hardware_id(device: int) -> str:
    """What a device is known by."""
    return f"{device:040x}"


def _visits(tokens: Sequence[str], sizes: Sizes, drawn: random.Random) -> list[Visit]:
    """Who comes when, and where."""
    plan = []
    for device in range(sizes.devices):
        first = drawn.uniform(0, TEN_MINUTES)
        plan.append((first, device, drawn.choice(tokens)))
        if drawn.random() < COME_AGAIN:
            plan.append((drawn.uniform(first, TEN_MINUTES), device, drawn.choice(tokens)))
    return [_visit(number, device, token) for number, (_, device, token) in enumerate(sorted(plan))]


def _visit(number: int, device: int, token: str) -> Visit:
    named = {"name": f"PC{device:05d}", "hardware_id": hardware_id(device)}
    body = json.dumps({"request_id": f"{number:032x}", "device": named}, separators=(",", ":")).encode()
    confirm = message(CONFIRM, b'{"license":"LICENSE"}', token)
    return Visit(device, message(REQUEST, body, token), confirm)


def _played(plan: Plan) -> Heard:
    """Play a plan in a process of its own; stops the run if anything but a 200 came back."""
    words = [sys.executable, str(Path(__file__).with_name("morning_load.py"))]
    done = subprocess.run(words, input=json.dumps(asdict(plan)), stdout=subprocess.PIPE, text=True, check=True)
    heard = Heard(**json.loads(done.stdout))
    if set(heard.statuses) != {"200"}:
        raise SystemExit(
            f"bench: answers came out wrong (by status: {heard.statuses}), the first:\n{heard.first_wrong}"
        )
    return heard


def _figures(heard: Heard) -> Mapping[str, Any]:
    cuts = quantiles(heard.ms, n=100)
    less, refused = Counter(heard.less_than_full), Counter(heard.refused)
    return {
        "seconds": round(heard.seconds, 2),
        "requests": len(heard.ms),
        "requests_per_s": round(len(heard.ms) / heard.seconds),
        "p50_ms": round(cuts[49], 2),
        "p99_ms": round(cuts[98], 2),
        "outcomes": dict(Counter(heard.outcomes).most_common()),
        "less_than_full_by_reason": dict(less.most_common()),
        "refusals_by_reason": dict(refused.most_common()),
    }
