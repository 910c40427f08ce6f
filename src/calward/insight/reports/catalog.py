"""Which reports are there?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from calward.insight.estate import Estate
from calward.insight.reports.compliance import compliance
from calward.insight.reports.failed import failed
from calward.insight.reports.history import history, look, look_back
from calward.insight.reports.purchases import hosts, packs
from calward.insight.reports.report import Report
from calward.insight.reports.summary import summary
from calward.insight.reports.usage import devices, usage, users

__all__ = ["REPORTS", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A report: what it answers, and how it is made of an estate and the words for what was left out of it."""

    answers: str
    make: Callable[[Estate, str], Report]


def _history(estate: Estate, filtered: str) -> Report:
    return history(estate, [*look_back(estate), look(estate)], filtered)


REPORTS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "usage": Kind("Every issued license, one a row.", usage),
        "devices": Kind("What each device holds.", devices),
        "users": Kind("What each user holds.", users),
        "packs": Kind("What was bought, by program, against what is used.", packs),
        "summary": Kind("CALs installed, issued and available, by version and type.", summary),
        "failed": Kind("Failed issuances, by host, device or user, and reason.", failed),
        "compliance": Kind("Whether there were CALs for everybody on a day.", compliance),
        "history": Kind("CALs and their use over time.", _history),
        "hosts": Kind("The session hosts and what they are set to.", hosts),
    }
)
"""By name, in the order of the help page."""
