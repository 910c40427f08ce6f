"""How is a diagnosis shown: to people on a terminal or in a pipe, to scripts, to a terminal without letters?"""

import os
import sys
from pathlib import Path

import pytest

from calward.app.sessionhost.diagnosis import Diagnosis, HostFacts, diagnose
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.insight import findings_view
from calward.entrypoints.cli.sessionhost import agent_doctor
from tests.support.command_line import Ran, calward
from tests.support.host_facts import a_host, a_server, an_agent

ALONE = a_host(servers=(a_server(),), agent=an_agent(servers=((a_server().name, ""),)))


class Diagnosing:
    """The context object: a host that is as the test says."""

    def __init__(self, facts: HostFacts) -> None:
        self.facts = facts
        self.asked: list[tuple[Path | None, Path]] = []

    def diagnose_host(self, config: Path | None, pam_folder: Path) -> Diagnosis:
        self.asked.append((config, pam_folder))
        return diagnose(self.facts)


def doctor(facts: HostFacts, *more: str, encoding: str = "utf-8") -> Ran:
    return calward("agent", "doctor", *more, wiring=Diagnosing(facts), encoding=encoding)


def test_a_healthy_host_ends_with_0_and_shows_what_was_looked_at():
    ran = doctor(a_host())
    assert (ran.code, ran.err) == (Exit.OK, "")
    assert any(line.startswith("✓ license servers know this host") for line in ran.lines)
    assert ran.lines[-1] == "nothing is wrong; 38 checks are fine, 3 were not made"


def test_a_finding_ends_with_7_and_stands_below_the_list_in_whole_lines():
    ran = doctor(ALONE)
    assert ran.code == Exit.FINDINGS
    assert any(line.startswith("✗ there is a second license server") for line in ran.lines)
    begin = ran.lines.index("✗ note: only one license server is listed")
    assert [line.split()[0] for line in ran.lines[begin + 1 : begin + 5]] == ["seen", "cause", "fix", "more"]
    assert ran.lines[-1].startswith("1 note; ")


def test_an_accepted_finding_ends_with_0():
    assert doctor(ALONE, "--ignore", "single-server").code == Exit.OK


def test_only_checks_that_there_are_can_be_ignored():
    assert doctor(ALONE, "--ignore", "everything").code == Exit.USAGE


def test_checks_that_were_not_made_are_one_line_for_each_reason():
    lines = [
        line for line in doctor(a_host(relay=None)).lines if line.startswith("- not checked, as there is no relay: ")
    ]
    assert len(lines) == 1
    assert "relay-without-per-device, relay-not-listening, host-program-down, " in lines[0]


def test_json_is_the_whole_diagnosis():
    ran = doctor(ALONE, "--json")
    assert ran.code == Exit.FINDINGS
    assert [one["id"] for one in ran.json["findings"]] == ["single-server"]
    assert len(ran.json["checked"]) == len(diagnose(ALONE).checked)


def test_a_terminal_without_our_marks_gets_others():
    ran = doctor(ALONE, encoding="latin-1")
    assert any(line.startswith("! there is a second") for line in ran.lines)
    assert any(line.startswith("+ ") for line in ran.lines)


def test_what_a_stranger_says_cannot_do_anything_to_a_terminal():
    ran = doctor(a_host(servers=(a_server(1, ready=False, not_ready="\x1b[2J"), a_server(2))))
    assert "\x1b" not in ran.out
    assert "\\x1b[2J" in ran.out


def test_a_narrow_terminal_gets_whole_words(monkeypatch: pytest.MonkeyPatch):
    found = diagnose(ALONE)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(findings_view.shutil, "get_terminal_size", lambda: os.terminal_size((60, 20)))
    lines = list(agent_doctor._lines(found, findings_view.MARKS))
    fix = next(place for place, line in enumerate(lines) if line.startswith("    fix"))
    assert all(len(line) <= 60 for line in lines[fix : fix + 2])
    assert lines[fix + 1].startswith(" " * 13)


def test_it_looks_where_it_is_told():
    wiring = Diagnosing(a_host())
    calward("agent", "doctor", "--config", "./host.toml", "--pam-folder", "./pam.d", wiring=wiring)
    calward("agent", "doctor", wiring=wiring)
    assert wiring.asked == [(Path("host.toml"), Path("pam.d")), (None, Path("/etc/pam.d"))]
