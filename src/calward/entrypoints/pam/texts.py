"""What does a user read when a session host lets them in or not?"""

from math import ceil

from calward.domain.grace import Admission, HostOutcome
from calward.domain.reasons import SENTENCES, Reason

__all__ = ["for_administrator", "for_user"]

_NOT_FOR_USERS = frozenset({Reason.FIRST_CONTACT, Reason.NOT_PROVEN})
"""Say nothing that a user could act on."""


def for_user(admission: Admission) -> str | None:
    """One to three plain sentences, None where there is nothing to say: a license was found."""
    if admission.outcome is HostOutcome.GRANTED:
        return None
    why = "; ".join(_sentence(reason) for reason in admission.reasons if reason not in _NOT_FOR_USERS)
    if admission.outcome is HostOutcome.REFUSED:
        return f"No remote desktop license: {why}. Please tell your administrator."
    return f"No remote desktop license ({why}). You are let in by this host's grace period: {_left(admission)} left."


def for_administrator(user: str, admission: Admission) -> str:
    """One line for the log: machine names, nothing that needs translation."""
    held = admission.license.id if admission.license else "none"
    reasons = ",".join(admission.reasons) or "none"
    grace = "" if admission.grace_left is None else f" days_left_in_grace={admission.days_left_in_grace:.2f}"
    return f"account user={user!a} outcome={admission.outcome} license={held} reasons={reasons}{grace}"


def _sentence(reason: str) -> str:
    """A reason that a newer server made up is shown by its name."""
    try:
        return SENTENCES[Reason(reason)]
    except ValueError:
        return reason if reason.isprintable() else ascii(reason)


def _left(admission: Admission) -> str:
    days = ceil(admission.days_left_in_grace or 0)
    return "1 day" if days == 1 else f"{days} days"
