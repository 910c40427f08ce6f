"""Which checks are there, in which order, and what do they say of a host together?"""

import shlex
from dataclasses import dataclass, replace
from typing import Any, Final

from calward.app.sessionhost.diagnosis.agent_checks import CHECKS as AGENT
from calward.app.sessionhost.diagnosis.agreement_checks import CHECKS as AGREEMENT
from calward.app.sessionhost.diagnosis.facts import HostFacts
from calward.app.sessionhost.diagnosis.findings import Check, Finding
from calward.app.sessionhost.diagnosis.machine_checks import CHECKS as MACHINE
from calward.app.sessionhost.diagnosis.relay_checks import CHECKS as RELAY
from calward.app.sessionhost.diagnosis.server_checks import CHECKS as SERVER
from calward.app.sessionhost.diagnosis.settings_checks import CHECKS as SETTINGS
from calward.insight.said import Fine, Found, NotLooked, Result

__all__ = ["CHECKS", "Checked", "Diagnosis", "Result", "diagnose"]

CHECKS: Final[tuple[Check, ...]] = (
    *SETTINGS,
    *SERVER,
    *AGREEMENT,
    *AGENT,
    *RELAY,
    *MACHINE,
)
"""From what must be right first to what comes last."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check and how it ended; ``detail``: what was seen, or why it was not looked at."""

    check: Check
    result: Result
    detail: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every check, in order."""

    checked: tuple[Checked, ...]

    @property
    def findings(self) -> tuple[tuple[Check, Finding], ...]:
        """All that is wrong, with the check that found it."""
        return tuple((one.check, finding) for one in self.checked for finding in one.findings)

    def without(self, ids: frozenset[str]) -> "Diagnosis":
        """Leave checks out whose findings are known and accepted."""
        return Diagnosis(tuple(one for one in self.checked if one.check.id not in ids))

    def document(self) -> dict[str, Any]:
        """Give it as scripts read it."""
        return {
            "findings": [_finding(check, finding) for check, finding in self.findings],
            "checked": [
                {"id": one.check.id, "looks_at": one.check.looks_at, "result": one.result.value, "detail": one.detail}
                for one in self.checked
            ],
        }


def diagnose(facts: HostFacts) -> Diagnosis:
    """Run every check over what is known of a host."""
    return Diagnosis(tuple(_run(check, facts) for check in CHECKS))


def _run(check: Check, facts: HostFacts) -> Checked:
    match check.look(facts):
        case Fine(seen):
            return Checked(check, Result.OK, seen)
        case NotLooked(why):
            return Checked(check, Result.NOT_CHECKED, why)
        case Found(findings):
            named = tuple(_with_settings(one, facts) for one in findings)
            return Checked(check, Result.FOUND, named[0].what, named)


def _with_settings(finding: Finding, facts: HostFacts) -> Finding:
    """Name the settings in commands that would look at others by themselves."""
    command = finding.command
    if command is None or not facts.settings_named or "calward agent " not in command or "--config" in command:
        return finding
    return replace(finding, command=f"{command} --config {shlex.quote(str(facts.settings))}")


def _finding(check: Check, finding: Finding) -> dict[str, Any]:
    return {
        "id": check.id,
        "severity": finding.severity.value,
        "what": finding.what,
        "evidence": finding.evidence,
        "cause": finding.cause,
        "fix": finding.fix,
        "command": finding.command,
        "page": check.page,
    }
