"""Which scenarios do tests play?"""

from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.app.scenarios.player import play
from calward.app.scenarios.reader import read_scenario
from calward.app.scenarios.results import ScenarioReport
from calward.app.scenarios.story import Scenario
from tests.support.ladders import harbor, windows_server

ESTATE = """\
title = "One server, one pack, one host"
[[server]]
name = "LS1"
[[pack]]
server = "LS1"
id = "P"
version = "2022"
type = "per-device"
total = 1
[[host]]
name = "H"
version = "2022"
mode = "per-device"
servers = ["LS1"]
"""
"""Fourteen lines: a step that is appended begins on line 15."""


def load_ladder(name):
    """Know the shipped ladder and the invented one."""
    return {"windows-server": windows_server, "harbor": harbor}[name]()


def a_step(do="connect", at="2026-01-01T09:00:00Z", **keys: str) -> str:
    """Write one step; values are TOML. A connection is that of PC1 to H unless said otherwise."""
    if do == "connect":
        keys = {"host": '"H"', "device": '"PC1"'} | keys
    return "\n".join(
        ["[[step]]", f"at = {at}", f'do = "{do}"', *(f"{key} = {value}" for key, value in keys.items()), ""]
    )


def read(text: str) -> Scenario:
    """Read a scenario."""
    return read_scenario(text, load_ladder)


def played(*steps: str, estate: str = ESTATE, make_ledger=MemoryLedger) -> ScenarioReport:
    """Play steps on an estate."""
    return play(read(estate + "".join(steps)), make_ledger)


def facts_of(report: ScenarioReport) -> list[dict[str, object]]:
    """The results of all steps."""
    return [dict(step.result.facts) for step in report.played]
