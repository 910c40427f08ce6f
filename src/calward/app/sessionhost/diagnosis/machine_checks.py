"""Does this host remember what it must, and how long does it do without its license servers?"""

from datetime import timedelta
from typing import Final

from calward.app.sessionhost.diagnosis.facts import HostFacts
from calward.app.sessionhost.diagnosis.findings import Check, Finding, Said, Severity
from calward.app.sessionhost.diagnosis.settings_checks import NO_SETTINGS
from calward.domain.grace import new_host_left, outage_left
from calward.domain.settings import Settings
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "SOON"]

SOON: Final = timedelta(days=14)
"""Before something ends: as long as buying and a holiday take."""
_DAY: Final = timedelta(days=1)


def _unwritable(facts: HostFacts) -> Said:
    state = facts.state
    if not facts.readable or state is None:
        return NO_SETTINGS
    finding = Finding(
        Severity.ERROR,
        "this host cannot remember anything",
        f"{state.folder}: {state.trouble}",
        "the folder belongs to another user, is open to others, or its disk is read-only or full; or the diagnosis does not run "
        "as the user of the agent, usually root",
        "give the folder to the user of the agent, for nobody else; while it cannot be used, grace and known users are forgotten",
        f"chmod 700 {state.folder}",
    )
    return found([finding] if state.trouble else [], Fine(str(state.folder)))


def _broken(facts: HostFacts) -> Said:
    state = facts.state
    if not facts.readable or state is None:
        return NO_SETTINGS
    if state.trouble:
        return NotLooked("the state folder cannot be used")
    finding = Finding(
        Severity.ERROR,
        "what this host remembers of itself is broken",
        state.broken,
        "a disk that failed, or somebody who changed it by hand",
        "restore it from a backup; until a license server answers, the host has the grace that on_trouble says",
    )
    return found([finding] if state.broken else [], Fine("readable" if state.memory else "nothing is remembered yet"))


def _grace(facts: HostFacts) -> Said:
    memory = facts.state.memory if facts.state else None
    if memory is None or memory.grace.first_connection is None:
        return NotLooked("nobody has connected yet, and the grace period is whole")
    days = _days(facts)
    if days == 0:
        return NotLooked("this host has no grace period")
    new = memory.grace.first_full is None
    left = (new_host_left if new else outage_left)(memory.grace, days, facts.now)
    whole = timedelta(days=days)
    if left > min(SOON, whole / 2):
        return Fine(f"{left / _DAY:.1f} of {days} days are left {'while this host is new' if new else 'for outages'}")
    so, cause, fix, command = _NEW if new else _OUTAGE
    finding = Finding(
        Severity.WARNING if left else Severity.ERROR,
        f"{'little' if left else 'nothing'} is left of this host's grace {'period' if new else 'budget'}",
        f"{left / _DAY:.1f} of {days} days, {so}",
        cause,
        fix,
        command,
    )
    return found([finding], NO_SETTINGS)


_NEW: Final = (
    "and this host never got a full license",
    "no license server could give one: none is listed, reachable, activated, or has a fitting CAL free",
    "mend that before the end: then whoever gets no license is refused",
    "calward explain",
)
_OUTAGE: Final = (
    "after which unknown clients are refused while no license server answers",
    "the license servers have been out of reach for long",
    "bring one back: the budget fills again at the pace at which it was spent",
    "calward agent doctor",
)


def _days(facts: HostFacts) -> int:
    """As the agent has it: the settings, then what was told or remembered."""
    memory = facts.state.memory if facts.state else None
    remembered = memory.policy.grace_days if memory and memory.policy else None
    told = facts.told.grace_days if facts.told else None
    return next((one for one in (facts.grace_days, told, remembered) if one is not None), Settings().grace_days)


CHECKS: Final = (
    Check("state-unwritable", "the host can remember", _unwritable),
    Check("state-broken", "what it remembers is whole", _broken),
    Check("grace-low", "enough grace is left", _grace),
)
