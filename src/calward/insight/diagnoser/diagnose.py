"""Which checks are there, in which order, and what do they say of an estate together?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from calward.insight.diagnoser.check import About, Check, Said
from calward.insight.diagnoser.directory_checks import CHECKS as DIRECTORY
from calward.insight.diagnoser.holder_checks import CHECKS as HOLDERS
from calward.insight.diagnoser.host_checks import CHECKS as HOSTS
from calward.insight.diagnoser.idle_checks import CHECKS as IDLE
from calward.insight.diagnoser.leaving_checks import CHECKS as LEAVING
from calward.insight.diagnoser.list_checks import CHECKS as LISTS
from calward.insight.diagnoser.logon import Answer, can_log_on
from calward.insight.diagnoser.pack_checks import CHECKS as PACKS
from calward.insight.diagnoser.pool_checks import CHECKS as POOLS
from calward.insight.diagnoser.reach_checks import CHECKS as REACH
from calward.insight.diagnoser.refusal_checks import CHECKS as REFUSALS
from calward.insight.diagnoser.scope import Scope
from calward.insight.diagnoser.server_checks import CHECKS as SERVERS
from calward.insight.diagnoser.supply_checks import CHECKS as SUPPLY
from calward.insight.diagnoser.temporary_checks import CHECKS as TEMPORARY
from calward.insight.diagnoser.view import View
from calward.insight.estate import Estate
from calward.insight.findings import Finding
from calward.insight.said import Fine, Found, NotLooked, Result

__all__ = ["CHECKS", "COUNTED", "Checked", "Diagnosis", "Result", "diagnose", "diagnose_counts"]

CHECKS: Final[tuple[Check, ...]] = (
    *SERVERS,
    *LISTS,
    *REACH,
    *DIRECTORY,
    *HOSTS,
    *SUPPLY,
    *POOLS,
    *TEMPORARY,
    *IDLE,
    *PACKS,
    *HOLDERS,
    *LEAVING,
    *REFUSALS,
)
"""From what must be right first to what comes last."""
COUNTED: Final = tuple(
    one
    for one in CHECKS
    if one.about in {About.ESTATE, About.PLACE} or one.id in {"over-used", "over-used-though-free"}
)
"""Those that find the same where the snapshot has no list of licenses and no refusals, but its packs have the counts."""
_EVERYTHING: Final = Scope()
_NO_PLACES: Final = NotLooked("the snapshot does not say at which hosts licenses were given")


@dataclass(frozen=True, slots=True)
class Checked:
    """One check and how it ended; ``detail``: what was seen, or why it was not looked at."""

    check: Check
    result: Result
    detail: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every check that concerns what was asked about, in order; ``answer``: whether one holder can log on to one host."""

    checked: tuple[Checked, ...]
    answer: Answer | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is wrong."""
        own = (finding for one in self.checked for finding in one.findings)
        answered = self.answer.finding() if self.answer else None
        return (*((answered,) if answered else ()), *own)

    def document(self) -> dict[str, Any]:
        """Give it as scripts read it."""
        return {
            "answer": self.answer.document() if self.answer else None,
            "findings": [finding.document() for finding in self.findings],
            "checked": [
                {"id": one.check.id, "looks_at": one.check.looks_at, "result": one.result.value, "detail": one.detail}
                for one in self.checked
            ],
        }


def diagnose(estate: Estate, scope: Scope = _EVERYTHING) -> Diagnosis:
    """Run the checks over a snapshot, or over the part of it that concerns a host, a device or a user.

    Each check passes over each list at most a few times. Raises: LicensingError(NOT_FOUND): there is no such host.
    """
    view = scope.view(estate)
    placed = scope.host is None or scope.holder is not None or any(one.host for one in estate.licenses)
    looks = ((check, _look(check, placed=placed)) for check in CHECKS if scope.takes(check.about))
    checked = tuple(_run(check, look, view) for check, look in looks)
    answer = can_log_on(estate, scope) if scope.host is not None and scope.holder is not None else None
    return Diagnosis(checked, answer)


def diagnose_counts(estate: Estate) -> Diagnosis:
    """Run the checks that need no list of licenses, however long that would be."""
    view = View(estate)
    return Diagnosis(tuple(_run(check, check.look, view) for check in COUNTED))


def _look(check: Check, *, placed: bool) -> Callable[[View], Said]:
    if check.about is About.HOLDER and not placed:
        return lambda _: _NO_PLACES
    return check.look


def _run(check: Check, look: Callable[[View], Said], view: View) -> Checked:
    match look(view):
        case Fine(seen):
            return Checked(check, Result.OK, seen)
        case NotLooked(why):
            return Checked(check, Result.NOT_CHECKED, why)
        case Found(troubles):
            findings = tuple(check.sign(one) for one in troubles)
            return Checked(check, Result.FOUND, findings[0].what, _apart(findings))


def _apart(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Number findings that would have one key: another system may have one pack id twice."""
    seen: dict[str, int] = {}
    made = []
    for one in findings:
        seen[one.key] = number = seen.get(one.key, 0) + 1
        subject = one.subject if number == 1 else replace(one.subject, name=f"{one.subject.name} #{number}")
        made.append(replace(one, subject=subject))
    return tuple(made)
