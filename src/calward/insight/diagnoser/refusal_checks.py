"""Who was refused lately and why, and what of the files could not be read?"""

import shlex
from typing import Final

from calward.domain.reasons import SENTENCES, Reason
from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.view import View
from calward.insight.diagnoser.words import counted, listing, verb
from calward.insight.estate import EstateFailure, PackType
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_LATELY: Final = 7 * SECONDS_PER_DAY
_KNOWN: Final = {reason.value: SENTENCES[reason] for reason in Reason}
_FIX: Final = {
    Reason.SERVER_VERSION_TOO_LOW.value: "let these hosts ask a license server of their version or newer",
    Reason.CAL_VERSION_TOO_LOW.value: "buy CALs of the hosts' version or newer",
    Reason.CAL_TYPE_DIFFERS_FROM_MODE.value: "set the hosts to the mode of the CALs that were bought, or buy the other type",
    Reason.HOST_NOT_AUTHORIZED.value: "enroll the host at this license server (in another system: add it to the local group)",
    Reason.SERVER_NOT_ACTIVATED.value: "activate the license server",
    Reason.ISSUING_RIGHT_ENDED.value: "renew the activation",
    Reason.LICENSE_UPGRADE_PREVENTED.value: "set prevent_license_upgrade to false, or buy CALs of the hosts' version",
}
_ELSE: Final = "free CALs that are not needed, or buy more"


def _refused(view: View) -> Said:
    lately = [one for one in view.estate.failures if one.at > view.now - _LATELY]
    if not view.estate.failures and view.imported:
        return NotLooked("the snapshot has no list of failed issuances")
    groups: dict[tuple[str, ...], list[EstateFailure]] = {}
    for one in lately:
        groups.setdefault(one.reasons, []).append(one)
    return found(
        (_told(view, why, them) for why, them in groups.items()),
        Fine("nobody within a week"),
    )


def _told(view: View, reasons: tuple[str, ...], failures: list[EstateFailure]) -> Trouble:
    holders = list(dict.fromkeys(one.holder for one in failures))
    hosts = list(dict.fromkeys(one.host for one in failures if one.host))
    times = sum(one.times for one in failures)
    number = len(holders)
    causes = "; ".join(_KNOWN.get(one, one) for one in reasons)
    fix = next((_FIX[one] for one in reasons if one in _FIX), _ELSE)
    return Trouble(
        Severity.ERROR,
        Subject(Kind.ESTATE, "+".join(reasons) or "unknown"),
        f"{counted(number, 'holder')} {verb(number, 'was', 'were')} refused {counted(times, 'time')} within a week",
        f"{listing(holders)}" + (f"; at {listing(hosts)}" if hosts else "; the snapshot does not say at which hosts"),
        causes or "the snapshot does not say why: see what else this diagnosis finds for the same version and type",
        fix if reasons else "look at the license server's events of that time (20, 21, 4105, 4141)",
        view.command(
            "calward explain --host",
            hosts[0],
            "--device" if failures[0].type is PackType.PER_DEVICE else "--user",
            holders[0],
        )
        if hosts
        else None,
        holders,
    )


def _unread(view: View) -> Said:
    problems = view.estate.problems
    if not view.imported:
        return NotLooked("our own ledger is not read from files")
    trouble = Trouble(
        Severity.INFO,
        Subject(Kind.ESTATE, "import"),
        f"{counted(len(problems), 'place')} of the imported files could not be read: what this diagnosis says may be incomplete",
        "; ".join(f"{one.file}:{one.line}: {one.reason}" for one in problems[:3]),
        "a column is missing, a value is of an unknown form, or the file was cut",
        "calward estate show lists all of them; export the file again",
        f"calward estate show {shlex.quote(view.estate.name)}",
    )
    return found([trouble] if problems else [], Fine("everything could be read"))


CHECKS: Final = (
    Check("refused-lately", "nobody was refused", About.BOTH, _refused),
    Check("import-incomplete", "all of the imported files could be read", About.ESTATE, _unread),
)
