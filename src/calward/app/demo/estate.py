"""Who works in the demo's company, on which devices and hosts, and how often?

A haulage company with a warehouse that runs on a terminal server of 2003, an ERP system of 2008 R2, a laboratory of 2012 R2, and
offices that have moved on.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from calward.domain.cals import CalType, HolderKind

__all__ = ["CROWDS", "DAYS", "HOSTS", "SERVER_NAME", "SERVER_VERSION", "Crowd", "DemoHost", "Person", "hardware_id"]

DAYS: Final = 152
"""Length of the history: five months."""
SERVER_NAME: Final = "LS1"
SERVER_VERSION: Final = "2022"
"""Not the newest: what is newer is refused, and says so."""


@dataclass(frozen=True, slots=True)
class DemoHost:
    """A session host as it is on the first day."""

    name: str
    version: str
    mode: CalType
    group: str


_DEVICE, _USER = CalType.PER_DEVICE, CalType.PER_USER

HOSTS: Final = (
    DemoHost("TS03-WAREHOUSE", "2003", _DEVICE, "warehouse"),
    DemoHost("TS08-ERP1", "2008R2", _DEVICE, "erp"),
    DemoHost("TS08-ERP2", "2008R2", _DEVICE, "erp"),
    DemoHost("SH12-LAB", "2012R2", _DEVICE, "laboratory"),
    DemoHost("SH16-OFFICE1", "2016", _USER, "office"),
    # Set to per device by mistake: the policy of its group wins.
    DemoHost("SH16-OFFICE2", "2016", _DEVICE, "office"),
    DemoHost("SH16-OFFICE3", "2016", _USER, "office"),
    DemoHost("SH19-FINANCE", "2019", _USER, "finance"),
    DemoHost("SH19-PLANT", "2019", _DEVICE, "plant"),
    DemoHost("SH22-REMOTE1", "2022", _USER, "remote"),
    DemoHost("SH22-REMOTE2", "2022", _USER, "remote"),
    DemoHost("SH22-KIOSK", "2022", _DEVICE, "kiosk"),
    # Newer than the license server: nobody gets in there.
    DemoHost("SH25-PILOT", "2025", _USER, "pilot"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A device or a user: ``key`` is what the license server compares, ``label`` what people say."""

    kind: HolderKind
    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """Holders who behave alike.

    ``share``: percent of working days on which one of them logs on; ``opens``: minute of the day (UTC) when the first do.
    ``visits``: hosts that they use instead now and then, ``visit_share`` percent of their logons.
    ``confirms``: whether their logons succeed; strangers' devices ask for a license and fail at the password.
    """

    members: tuple[Person, ...]
    hosts: tuple[str, ...]
    share: int
    opens: int = 7 * 60
    visits: tuple[str, ...] = ()
    visit_share: int = 0
    first_day: int = 1
    last_day: int = DAYS
    saturdays: bool = False
    confirms: bool = True


def hardware_id(device: str) -> str:
    """What the device of a name is known by: as random as a real one looks, and the same each time."""
    return hashlib.sha256(f"demo device {device}".encode()).hexdigest()[:40]


def _devices(prefix: str, first: int, last: int) -> tuple[Person, ...]:
    names = (f"{prefix}-{number:02}" for number in range(first, last + 1))
    return tuple(Person(HolderKind.DEVICE, hardware_id(name), name) for name in names)


_GIVEN_NAMES: Final = (
    "anna ben carla david elena felix greta hugo ines jonas katrin lukas "
    "maria nils olga paul rosa simon tina uwe vera yusuf zoe marek"
)
_FAMILY_NAMES: Final = (
    "arnold berg conti dietz engel fischer garcia horn ivanov jansen keller lang "
    "moreau novak otto pohl roth sauer thoma ulrich vogt weber yilmaz ziegler"
)


def _users(first: int, last: int) -> tuple[Person, ...]:
    """Users by number: no two of the first 576 have the same name."""
    given_names, family_names = _GIVEN_NAMES.split(), _FAMILY_NAMES.split()
    pairs = ((given_names[n % 24], family_names[(n * 5 + n // 24) % 24]) for n in range(first, last + 1))
    names = (f"{given}.{family}" for given, family in pairs)
    return tuple(Person(HolderKind.USER, name, name) for name in names)


_OFFICES: Final = ("SH16-OFFICE1", "SH16-OFFICE2")
_REMOTE: Final = ("SH22-REMOTE1", "SH22-REMOTE2")

CROWDS: Final = (
    Crowd(_devices("WMS", 1, 45), ("TS03-WAREHOUSE",), 70, opens=4 * 60, saturdays=True),
    Crowd(_devices("ERP-PC", 1, 47), ("TS08-ERP1", "TS08-ERP2"), 65),
    Crowd(_devices("ERP-PC", 48, 55), ("TS08-ERP1", "TS08-ERP2"), 65, visits=("SH19-PLANT",), visit_share=12),
    Crowd(_devices("LAB", 1, 18), ("SH12-LAB",), 60, opens=8 * 60),
    Crowd(_devices("PLANT", 1, 30), ("SH19-PLANT",), 75, opens=5 * 60, saturdays=True),
    Crowd(_devices("KIOSK", 1, 20), ("SH22-KIOSK",), 80, opens=6 * 60, first_day=8),
    Crowd(_devices("VISITOR", 1, 12), ("SH22-KIOSK", "SH19-PLANT"), 4, opens=9 * 60, confirms=False),
    Crowd(_users(1, 40), _OFFICES, 45),
    Crowd(_users(41, 58), _OFFICES, 55, visits=_REMOTE, visit_share=15, opens=6 * 60 + 30),
    Crowd(_users(59, 80), ("SH19-FINANCE",), 50),
    Crowd(_users(81, 105), _REMOTE, 50, visits=_OFFICES, visit_share=10, first_day=10),
    Crowd(_users(106, 112), ("SH16-OFFICE3",), 60, last_day=75),
    Crowd(_users(113, 122), _OFFICES, 50, first_day=20, last_day=85),
    Crowd(_users(101, 105), ("SH25-PILOT",), 20, first_day=130),
)
"""Some 180 devices and 120 users; some people belong to two crowds."""
