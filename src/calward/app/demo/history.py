"""What happened in the demo's company in five months, beside people going to work?"""

from typing import Final

from calward.app.demo.acts import (
    Act,
    Activate,
    AddHost,
    ChangeHost,
    Deactivate,
    GivePolicy,
    GiveToken,
    InstallPack,
    Release,
    RemoveHost,
    RemovePack,
    Revoke,
    Set,
)
from calward.app.demo.estate import HOSTS
from calward.domain.cals import CalType
from calward.domain.roles import Role

__all__ = ["HISTORY"]

_DEVICE, _USER = CalType.PER_DEVICE, CalType.PER_USER
_EVENING: Final = 18 * 60
_NOON: Final = 12 * 60

_BEGINNING: Final[tuple[Act, ...]] = (
    Activate(0),
    *(AddHost(0, host.name, host.version, host.mode, host.group, minute=_NOON) for host in HOSTS),
    GivePolicy(0, "office", _USER, minute=_NOON + 30),
    GivePolicy(0, "warehouse", _DEVICE, minute=_NOON + 30),
    GiveToken(0, "monitoring", Role.VIEWER, minute=_EVENING),
    GiveToken(0, "helpdesk", Role.OPERATOR, minute=_EVENING),
    GiveToken(0, "revision", Role.AUDITOR, minute=_EVENING),
)

_PACKS: Final[tuple[Act, ...]] = (
    InstallPack(0, "warehouse terminals", "2003", _DEVICE, 40),
    InstallPack(0, "erp", "2008R2", _DEVICE, 60),
    # Expires in the history: the laboratory's devices fall up to newer CALs, and when these are out, to temporary licenses.
    InstallPack(0, "laboratory", "2012R2", _DEVICE, 20, ends=118),
    InstallPack(0, "plant", "2019", _DEVICE, 40),
    InstallPack(0, "offices", "2016", _USER, 60),
    InstallPack(0, "finance", "2019", _USER, 15),
    # These two end soon after today.
    InstallPack(8, "kiosks", "2022", _DEVICE, 25, ends=170),
    InstallPack(10, "remote, a year", "2022", _USER, 10, ends=181),
    InstallPack(12, "remote", "2022", _USER, 30),
    # Bought by mistake and removed again; bought too early: the server is too old for it.
    InstallPack(3, "mistake", "2016", _DEVICE, 10, minute=_EVENING),
    RemovePack(3, "mistake", minute=_EVENING + 20),
    InstallPack(126, "pilot", "2025", _USER, 10),
    # In use: refused.
    RemovePack(40, "finance", minute=_EVENING),
)

_RIGHT_TO_ISSUE: Final[tuple[Act, ...]] = (
    *(Activate(day, minute=3 * 60) for day in (14, 28, 42, 68, 82, 96, 110, 124, 138, 150)),
    # A week without it: the machine had moved, and nobody had thought of it.
    Deactivate(47, minute=_EVENING),
    Activate(54, minute=_NOON),
)

_CHANGES: Final[tuple[Act, ...]] = (
    # A trial of strictness: users without a CAL were refused for a week; then over-use was recorded again.
    Set(96, "per_user", "enforce", minute=_EVENING),
    Set(103, "per_user", "track", minute=_NOON),
    RemoveHost(90, "SH16-OFFICE3", minute=_EVENING),
    ChangeHost(124, "SH12-LAB", "2019", minute=_EVENING),
    AddHost(126, "SH22-LAB", "2022", _DEVICE, "laboratory"),
)

_LOST: Final[tuple[Act, ...]] = (
    Revoke(33, "ERP-PC-07", minute=_EVENING),
    Revoke(71, "PLANT-11", minute=_EVENING),
    *(
        Revoke(118, f"KIOSK-{number:02}", minute=_EVENING + number) for number in range(3, 10)
    ),  # More than may be at a time.
    Revoke(139, "ERP-PC-31", minute=_EVENING),
    *(Release(92, user, minute=_EVENING) for user in ("maria.roth", "paul.horn")),
    Release(141, "nils.ulrich", minute=_EVENING),
)

HISTORY: Final[tuple[Act, ...]] = (*_BEGINNING, *_PACKS, *_RIGHT_TO_ISSUE, *_CHANGES, *_LOST)
"""In no order: the player sorts it by time."""
