"""Does each check of an estate find what it is there for, and nothing else?

``CASES`` has for every check estates that have the trouble, and estates that come near and do not; each is as small as it can be.
"""

import re
import shlex
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import click
import pytest

from calward.domain.cals import CalType
from calward.entrypoints.cli.reference import commands
from calward.insight.diagnoser import CHECKS, Result, diagnose
from calward.insight.diagnoser.leaving_checks import REVOKED_FACT
from calward.insight.diagnoser.logon import CANNOT_LOG_ON
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    ImportProblem,
    LicenseStatus,
    PackType,
    Source,
)
from calward.insight.findings import Severity
from tests.support.builders import ladder
from tests.support.clocks import DAY, NOW

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "diagnosis.md"
DEVICE, USER = PackType.PER_DEVICE, PackType.PER_USER
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def estate(**changes) -> Estate:
    """Files of another system."""
    return Estate("berlin", Source.IMPORT, NOW, ladder(), **changes)


def ours(**changes) -> Estate:
    """The snapshot of a license server of ours."""
    return Estate("LS1", Source.CALWARD, NOW, ladder(), **({"servers": [a_server()]} | changes))


def a_server(name="LS1", version="2022", **changes) -> EstateServer:
    return EstateServer(name, version, **({"activated": True} | changes))


def a_host(name="SH1", version="2016", mode=CalType.PER_USER, servers=("LS1", "LS2"), **changes) -> EstateHost:
    return EstateHost(name, version, mode, servers, **changes)


def a_pack(version="2016", type_=USER, total=10, issued=5, **changes) -> EstatePack:
    values = {"id": "P1", "server": "LS1", "program": "volume"} | changes
    return EstatePack(version=version, type=type_, total=total, issued=issued, **values)


def a_license(number=1, version="2016", type_=DEVICE, status=LicenseStatus.ACTIVE, **changes) -> EstateLicense:
    name = {"device": f"PC{number}"} if type_ is DEVICE else {"user": f"user{number}"}
    values = {
        "id": f"L{number}",
        "server": "LS1",
        "pack": "P1",
        "device": None,
        "user": None,
        "hardware_id": None,
        "issued_at": NOW - 30 * DAY,
        "expires_at": NOW + 50 * DAY,
    }
    return EstateLicense(type=type_, status=status, version=version, **(values | name | changes))


def temporary(number=1, version="2016", **changes):
    return a_license(number, version, status=LicenseStatus.TEMPORARY, **({"pack": None} | changes))


def over_use(number=1, version="2016", **changes):
    return a_license(number, version, USER, LicenseStatus.OVER_USED, **({"pack": None} | changes))


def two_servers(first="2022", second="2022"):
    return [a_server("LS1", first), a_server("LS2", second)]


def asked_by(*hosts, packs=(), servers=None, **changes):
    return estate(servers=servers or two_servers(), hosts=list(hosts), packs=list(packs), **changes)


def issued(*licenses, packs=(), **changes):
    return estate(servers=two_servers(), licenses=list(licenses), packs=list(packs), **changes)


@dataclass(frozen=True)
class Case:
    """``bad``: severity, a word of evidence or cause, and an estate; ``near``: estates in which the check is fine or has no object."""

    bad: tuple[tuple[Severity, str, Estate], ...]
    near: tuple[Estate, ...]


PER_DEVICE_HOST = a_host(mode=CalType.PER_DEVICE)
PREVENTS = a_server(settings=(("prevent_license_upgrade", "True"),))
ENDING_PACK = a_pack(expires_at=NOW + 40 * DAY)
REVOKED = LicenseStatus.REVOKED
FAILURE = EstateFailure(NOW - DAY, "LS1", "SH1", "anna", USER, "2016", ("no-cal-free",), 3)

UNLISTED = a_host(servers=(), unset=("servers",))
OUTSIDE = (("InDirectoryGroup", "False"),)
WORKGROUP = (("ServerRole", "0"),)

CASES: dict[str, Case] = {
    "server-not-activated": Case(
        ((ERROR, "activated: no", ours(servers=[a_server(activated=False)])),),
        (ours(), estate(servers=[a_server(activated=None)])),
    ),
    "issuing-right-ends": Case(
        (
            (WARNING, "in 14 days", ours(servers=[a_server(issue_until=NOW + 14 * DAY)])),
            (ERROR, "1 day ago", ours(servers=[a_server(issue_until=NOW - DAY)])),
        ),
        (
            ours(servers=[a_server(issue_until=NOW + 15 * DAY)]),
            ours(servers=[a_server(activated=False, issue_until=NOW)]),
        ),
    ),
    "server-older-than-host": Case(
        ((ERROR, "SH1", asked_by(a_host(version="2019"), servers=two_servers("2016"))),),
        # One family: a server of 2008 serves hosts of 2008 R2. And a host that asks the other server only.
        (
            asked_by(a_host(version="2008R2"), servers=two_servers("2008")),
            asked_by(a_host(version="2019", servers=("LS2",)), servers=two_servers("2016")),
        ),
    ),
    "server-older-than-cal": Case(
        ((ERROR, "5 of 10", estate(servers=[a_server(version="2012")], packs=[a_pack("2016")])),),
        (estate(servers=[a_server(version="2012")], packs=[a_pack("2012R2")]),),
    ),
    "servers-disagree": Case(
        ((WARNING, "LS1 (2022), LS2 (2019)", asked_by(a_host(), servers=two_servers("2022", "2019"))),),
        (
            asked_by(a_host(), servers=two_servers("2012", "2012R2")),
            asked_by(a_host(servers=("LS1",)), servers=two_servers("2022", "2019")),
        ),
    ),
    "no-license-server": Case(
        (
            (WARNING, "SH2", asked_by(a_host(), a_host("SH2", servers=()))),
            (ERROR, "SH2", asked_by(a_host(), a_host("SH2", servers=(), grace_until=NOW - DAY))),
            (WARNING, "SH1", asked_by(UNLISTED)),
            (ERROR, "SH1", asked_by(replace(UNLISTED, grace_until=NOW - DAY))),
        ),
        (asked_by(a_host()), asked_by(a_host(servers=()))),
    ),
    "server-in-list-twice": Case(
        (
            (WARNING, "LS1 and ls1.corp.example", asked_by(a_host(servers=("LS1", "ls1.corp.example")))),
            (WARNING, "LS1 and LS1", asked_by(a_host(servers=("LS1", "LS1")))),
        ),
        (
            asked_by(a_host(servers=("LS1", "LS2", "ls1.corp.example")), servers=[a_server("ls1.other.example")]),
            ours(hosts=[a_host(servers=("https://ls1:8443", "https://ls1:9443"))]),
        ),
    ),
    "server-unknown": Case(
        ((WARNING, "on SH1", asked_by(a_host(servers=("LS1", "LS3")))),),
        (asked_by(a_host(servers=("ls1", "https://ls2.corp.example:8443/"))), ours(hosts=[a_host(servers=("LS3",))])),
    ),
    "single-server": Case(
        (
            (WARNING, "SH1", asked_by(a_host(servers=("LS1",)))),
            (WARNING, "SH1", asked_by(a_host(servers=("LS1", "ls1")))),
            (INFO, "SH1", ours(hosts=[a_host(servers=("https://ls1:8443",))])),
        ),
        (asked_by(a_host()), ours(hosts=[a_host(servers=("https://ls1:8443", "https://ls1:9443"))])),
    ),
    "server-unreachable": Case(
        (
            (WARNING, "LS2: SH1", asked_by(a_host(reach=(11, 6)))),
            (ERROR, "SH1 has no other", asked_by(a_host(reach=(6, 6)))),
            (WARNING, "event 1131: SH1", asked_by(a_host(events=(1131,)))),
        ),
        (
            asked_by(a_host(reach=(11, 9))),
            asked_by(a_host()),
            # What it logged lately, and its connections are fine now.
            asked_by(a_host(reach=(11, 11), events=(1131,))),
            ours(hosts=[a_host(reach=(6,))]),
        ),
    ),
    "server-not-readable": Case(
        ((INFO, "LS1: SH1", asked_by(a_host(reach=(8, 11)))),),
        (asked_by(a_host(reach=(11, 11))), asked_by(a_host(events=(1131,)))),
    ),
    "host-not-in-group": Case(
        (
            (ERROR, "LS1: SH1", asked_by(a_host(reach=(5, 11)))),
            (ERROR, "event 1043", asked_by(a_host(events=(1043,)))),
        ),
        (asked_by(a_host(reach=(11, 11))), asked_by(a_host(events=()))),
    ),
    "server-refuses-version": Case(
        (
            (ERROR, "LS1: SH1", asked_by(a_host(reach=(4, 11)), servers=[a_server(version=None), a_server("LS2")])),
            (ERROR, "event 1132", asked_by(a_host(events=(1132,)))),
        ),
        # The second is told by server-older-than-host.
        (
            asked_by(a_host(reach=(11, 11))),
            asked_by(a_host(version="2019", reach=(4, 11)), servers=two_servers("2016")),
        ),
    ),
    "build-mismatch": Case(
        ((ERROR, "LS2: SH1", asked_by(a_host(reach=(11, 3)))),),
        (asked_by(a_host(reach=(11, 11))), asked_by(a_host(reach=(0, 7)))),
    ),
    "host-certificate-invalid": Case(
        (
            (ERROR, "event 1133: SH1", asked_by(a_host(events=(1131, 1133)))),
            (ERROR, "event 1159: SH1", asked_by(a_host(events=(1159,), reach=(11, 11)))),
        ),
        (asked_by(a_host(events=(1131,))), asked_by(a_host(reach=(6, 6)))),
    ),
    "server-not-in-directory-group": Case(
        ((WARNING, "InDirectoryGroup: no", estate(servers=[a_server(settings=OUTSIDE)], packs=[a_pack()])),),
        (
            estate(servers=[a_server(settings=(("InDirectoryGroup", "1"),))], packs=[a_pack()]),
            estate(servers=[a_server(settings=OUTSIDE)], packs=[a_pack(type_=DEVICE)]),
            estate(servers=[a_server()], packs=[a_pack()]),
        ),
    ),
    "discovery-scope": Case(
        ((WARNING, "without a list: SH1", asked_by(UNLISTED, servers=[a_server(settings=WORKGROUP)])),),
        (
            asked_by(UNLISTED, servers=[a_server(settings=(("ServerRole", "1"),))]),
            asked_by(a_host(), servers=[a_server(settings=WORKGROUP)]),
            asked_by(UNLISTED),
        ),
    ),
    "mode-not-set": Case(
        (
            (ERROR, "SH2", asked_by(a_host(), a_host("SH2", mode=None))),
            (ERROR, "SH1: it has no mode", asked_by(a_host(mode=None, unset=("mode",)))),
        ),
        (asked_by(a_host()), asked_by(a_host(mode=None))),
    ),
    "host-version-unknown": Case(
        (
            (INFO, "SH2", asked_by(a_host(), a_host("SH2", version=None))),
            (INFO, "SH2", asked_by(a_host(), a_host("SH2", version="NT 3.51"))),
        ),
        (asked_by(a_host()), asked_by(a_host(version=None))),
    ),
    "grace-ending": Case(
        (
            (WARNING, "in 30 days", asked_by(a_host(grace_until=NOW + 30 * DAY), packs=[a_pack()])),
            (ERROR, "no CALs that open it", asked_by(a_host(grace_until=NOW + 30 * DAY), packs=[a_pack("2012")])),
            (ERROR, "1 day ago", asked_by(a_host(grace_until=NOW - DAY))),
        ),
        (
            asked_by(a_host(grace_until=NOW + 31 * DAY)),
            # Over, as it is for every host that has had its first license.
            asked_by(a_host(grace_until=NOW - DAY), packs=[a_pack()]),
        ),
    ),
    "host-not-seen": Case(
        (
            (WARNING, "SH1 (never)", ours(hosts=[a_host()])),
            (WARNING, "SH1 (", asked_by(a_host(seen_at=NOW - 8 * DAY))),
        ),
        (ours(hosts=[a_host(seen_at=NOW - 7 * DAY)]), asked_by(a_host())),
    ),
    "cal-type-differs": Case(
        (
            (ERROR, "5 per-user CALs free", asked_by(PER_DEVICE_HOST, packs=[a_pack()])),
            (ERROR, "no per-user CAL of 2016", asked_by(a_host(), packs=[a_pack("2012"), a_pack("2019", DEVICE)])),
        ),
        (
            asked_by(PER_DEVICE_HOST, packs=[a_pack(), a_pack("2019", DEVICE)]),
            asked_by(PER_DEVICE_HOST, packs=[a_pack("2012R2")]),
        ),
    ),
    "cal-older-than-host": Case(
        ((ERROR, "per-user CALs of 2012/2012R2", asked_by(a_host(), packs=[a_pack("2012R2")])),),
        (
            asked_by(a_host(version="2012R2"), packs=[a_pack("2012")]),
            asked_by(a_host(), packs=[a_pack("2012R2"), a_pack("2019", server="LS2")]),
        ),
    ),
    "no-pack-for-host": Case(
        (
            (ERROR, "available for clients: 0", asked_by(a_host())),
            (ERROR, "available for clients: 0", asked_by(a_host(servers=("LS2",)), packs=[a_pack()])),
            (ERROR, "available for clients: 0", asked_by(a_host(), packs=[a_pack(expires_at=NOW)])),
            (
                ERROR,
                "clients: 0",
                asked_by(PER_DEVICE_HOST, packs=[a_pack(type_=DEVICE, total=None, program="temporary")]),
            ),
        ),
        (asked_by(a_host(), packs=[a_pack()]), asked_by(a_host(servers=("LS3",)))),
    ),
    "no-cal-free": Case(
        ((WARNING, "all 2016/per-user CALs", asked_by(a_host(), packs=[a_pack(issued=10)])),),
        (
            asked_by(a_host(), packs=[a_pack(issued=10), a_pack("2019", issued=9, server="LS2")]),
            asked_by(a_host(), packs=[a_pack(total=None)]),
        ),
    ),
    "headroom": Case(
        (
            (WARNING, "0 of 10", estate(packs=[a_pack(issued=10)])),
            (WARNING, "1 of 11", estate(packs=[a_pack(total=11, issued=10)])),
        ),
        # Exactly a tenth; more where two packs are one pool.
        (
            estate(packs=[a_pack(issued=9)]),
            estate(packs=[a_pack(issued=10), a_pack(id="P2")]),
            estate(packs=[a_pack(total=None)]),
        ),
    ),
    "over-used": Case(
        (
            (WARNING, "10 CALs of it are bought", estate(packs=[a_pack(issued=13, over_used=3)])),
            (WARNING, "user1", issued(over_use())),
        ),
        (estate(packs=[a_pack(issued=10)]), issued(over_use(expires_at=NOW))),
    ),
    "over-used-though-free": Case(
        (
            (WARNING, "free: 5 2019/per-user", issued(over_use(), packs=[a_pack("2019")])),
            (WARNING, "free: 5 2016/per-user", issued(over_use(), packs=[a_pack()])),
        ),
        # Older CALs, CALs of the other type, none free, or of another server.
        (
            issued(over_use(), packs=[a_pack("2012R2"), a_pack("2019", DEVICE), a_pack("2019", issued=10)]),
            issued(over_use(), packs=[a_pack("2019", server="LS2")]),
        ),
    ),
    "temporary-though-free": Case(
        (
            (WARNING, "free: 5 2016/per-device", issued(temporary(), packs=[a_pack(type_=DEVICE)])),
            (INFO, "1 first-contact", ours(licenses=[temporary(why=("first-contact",))], packs=[a_pack(type_=DEVICE)])),
            (WARNING, "1 no-cal-free", ours(licenses=[temporary(why=("no-cal-free",))], packs=[a_pack(type_=DEVICE)])),
        ),
        (
            issued(temporary(), packs=[a_pack(type_=DEVICE, issued=10), a_pack()]),
            issued(temporary(expires_at=NOW), packs=[a_pack(type_=DEVICE)]),
            issued(a_license(), packs=[a_pack(type_=DEVICE)]),
        ),
    ),
    "upgrade-prevented": Case(
        ((WARNING, "2019/per-user", ours(servers=[PREVENTS], licenses=[over_use()], packs=[a_pack("2019")])),),
        (
            ours(servers=[PREVENTS], licenses=[over_use()], packs=[a_pack(), a_pack("2019")]),
            ours(
                servers=[a_server(settings=(("prevent_license_upgrade", "False"),))],
                licenses=[over_use()],
                packs=[a_pack("2019")],
            ),
        ),
    ),
    "temporary-ends": Case(
        ((ERROR, "PC1", issued(temporary(expires_at=NOW + 14 * DAY), packs=[a_pack(type_=DEVICE, issued=10)])),),
        (
            issued(temporary(expires_at=NOW + 14 * DAY), packs=[a_pack("2019", DEVICE)]),
            issued(temporary(expires_at=NOW + 15 * DAY)),
        ),
    ),
    "nothing-issued": Case(
        (
            (WARNING, "not activated", ours(servers=[a_server(activated=False)], packs=[a_pack(issued=0)])),
            (WARNING, "older version than these", estate(servers=[a_server(version="2012")], packs=[a_pack(issued=0)])),
            (WARNING, "no host lists LS2", asked_by(a_host(servers=("LS1",)), packs=[a_pack(issued=0, server="LS2")])),
            (WARNING, "set to per-device", asked_by(PER_DEVICE_HOST, packs=[a_pack(issued=0)])),
            (WARNING, "all hosts of this mode are newer", asked_by(a_host(), packs=[a_pack("2012", issued=0)])),
            (INFO, "another pack of the same", estate(packs=[a_pack(issued=0), a_pack(id="P2")])),
            (INFO, "its own version", ours(servers=[PREVENTS], hosts=[a_host()], packs=[a_pack("2019", issued=0)])),
            (INFO, "those of 2016", estate(packs=[a_pack("2019", issued=0), a_pack(id="P2")])),
            (INFO, "second logon", issued(temporary(), packs=[a_pack(type_=DEVICE, issued=0)])),
            (INFO, "on its way", ours(packs=[a_pack(issued=0, moving=True)])),
            (WARNING, "nobody has asked", estate(packs=[a_pack(issued=0)])),
        ),
        (
            estate(packs=[a_pack(issued=1)]),
            ours(packs=[a_pack(issued=0, installed_at=NOW - DAY + 1)]),
            estate(packs=[a_pack(issued=0, total=0)]),
            estate(packs=[a_pack(issued=0, total=None, program="temporary", type_=DEVICE)]),
        ),
    ),
    "pack-expiring": Case(
        (
            (WARNING, "0 others", estate(packs=[a_pack(expires_at=NOW + 60 * DAY)])),
            (ERROR, "0 others", estate(packs=[a_pack(expires_at=NOW + 14 * DAY)])),
            (WARNING, "5 others", estate(packs=[a_pack(expires_at=NOW + 14 * DAY), a_pack("2019", id="P2")])),
        ),
        (estate(packs=[a_pack(expires_at=NOW + 61 * DAY)]), estate(packs=[a_pack(expires_at=NOW)])),
    ),
    "pack-expired": Case(
        (
            (WARNING, "5 of its CALs", estate(packs=[a_pack(expires_at=NOW)])),
            (INFO, "0 of its CALs", estate(packs=[a_pack(issued=0, expires_at=NOW)])),
        ),
        (estate(packs=[a_pack(expires_at=NOW + 1)]),),
    ),
    "pack-moving": Case(
        ((WARNING, "5 of 10 CALs", ours(packs=[a_pack(moving=True)])),),
        (ours(packs=[a_pack()]), estate(packs=[a_pack()])),
    ),
    "pack-left-behind": Case(
        (
            (WARNING, "LS2", estate(servers=two_servers("2016"), packs=[a_pack(), a_pack(server="LS2")])),
            (WARNING, "LS2", asked_by(a_host(servers=("LS2",)), packs=[a_pack(), a_pack(server="LS2")])),
        ),
        # CALs that were split evenly for an outage; another number of CALs.
        (
            asked_by(a_host(), packs=[a_pack(), a_pack(server="LS2")]),
            estate(servers=two_servers("2016"), packs=[a_pack(), a_pack(server="LS2", total=11)]),
        ),
    ),
    "device-reimaged": Case(
        (
            (WARNING, "PC1 (L1, L2)", issued(a_license(hardware_id="a"), a_license(2, device="pc1", hardware_id="b"))),
            (INFO, "PC1 (L1, L2)", issued(a_license(hardware_id="a"), temporary(2, device="PC1", hardware_id="b"))),
        ),
        (
            issued(a_license(hardware_id="a"), temporary(2, device="PC1", hardware_id="a")),
            issued(a_license(hardware_id="a"), a_license(2, device="PC1", hardware_id="b", expires_at=NOW)),
            issued(a_license(), a_license(2, device="PC1")),
        ),
    ),
    "device-renamed": Case(
        ((WARNING, "PC1 (L1, L2)", issued(a_license(hardware_id="a"), a_license(2, hardware_id="A"))),),
        (issued(a_license(hardware_id="a"), a_license(2, hardware_id="b")),),
    ),
    "device-several-licenses": Case(
        (
            (WARNING, "PC1 (L1, L2)", issued(a_license(), a_license(2, "2019", device="PC1"))),
            (WARNING, "PC1 (L1, L2)", issued(a_license(hardware_id="a"), a_license(2, device=None, hardware_id="a"))),
        ),
        # A temporary license stands beside an older full one where no newer CAL is free.
        (
            issued(a_license(), temporary(2, "2019", device="PC1")),
            issued(a_license(), a_license(2, device="PC1", server="LS2")),
        ),
    ),
    "device-on-several-servers": Case(
        ((WARNING, "servers LS1, LS2", issued(a_license(), a_license(2, device="PC1", server="LS2"))),),
        (
            issued(a_license(), a_license(2, server="LS2")),
            issued(a_license(), temporary(2, device="PC1", server="LS2")),
        ),
    ),
    "user-on-several-servers": Case(
        ((WARNING, "user1", issued(a_license(type_=USER), a_license(2, type_=USER, user="USER1", server="LS2"))),),
        (
            issued(a_license(type_=USER), a_license(2, type_=USER, server="LS2")),
            issued(a_license(type_=USER), over_use(2, user="user1", server="LS2")),
        ),
    ),
    "stale-devices": Case(
        (
            (WARNING, "PC1", issued(a_license(expires_at=NOW))),
            (INFO, "PC1", issued(a_license(expires_at=NOW + 2 * DAY))),
        ),
        (
            issued(a_license(expires_at=NOW + 2 * DAY + 1)),
            # Its pack ends then; or nothing is renewed by its server.
            issued(a_license(expires_at=NOW + DAY), packs=[a_pack(type_=DEVICE, expires_at=NOW + DAY)]),
            ours(servers=[a_server(activated=False)], licenses=[a_license(expires_at=NOW + DAY)]),
            issued(temporary(expires_at=NOW)),
        ),
    ),
    "stale-users": Case(
        (
            (INFO, "user1", issued(a_license(type_=USER, expires_at=NOW + 30 * DAY))),
            (
                INFO,
                "user1",
                ours(
                    servers=[a_server(settings=(("user_days", "90"),))],
                    licenses=[a_license(type_=USER, expires_at=NOW + 50 * DAY)],
                ),
            ),
        ),
        (
            issued(a_license(type_=USER, expires_at=NOW + 31 * DAY)),
            issued(a_license(type_=USER, expires_at=NOW + 5 * DAY), packs=[a_pack(expires_at=NOW + 5 * DAY)]),
        ),
    ),
    "revocation-used-up": Case(
        (
            (
                WARNING,
                "2 of 2",
                issued(a_license(status=REVOKED), a_license(2, status=REVOKED), packs=[a_pack(type_=DEVICE)]),
            ),
            (
                WARNING,
                "1 of 1",
                ours(packs=[a_pack(type_=DEVICE, total=4)], facts={REVOKED_FACT + "2016": str(NOW + 9)}),
            ),
        ),
        (
            issued(a_license(status=REVOKED), packs=[a_pack(type_=DEVICE)]),
            issued(
                a_license(status=REVOKED), a_license(2, status=REVOKED, expires_at=NOW), packs=[a_pack(type_=DEVICE)]
            ),
            issued(a_license(status=REVOKED), a_license(2, "2019", status=REVOKED), packs=[a_pack(type_=DEVICE)]),
        ),
    ),
    "refused-lately": Case(
        (
            (ERROR, "anna; at SH1", ours(failures=[FAILURE])),
            (ERROR, "does not say why", estate(failures=[replace(FAILURE, reasons=(), host=None)])),
        ),
        (ours(failures=[replace(FAILURE, at=NOW - 7 * DAY)]), estate()),
    ),
    "import-incomplete": Case(
        ((INFO, "packs.csv:3: cut", estate(problems=[ImportProblem("packs.csv", 3, "cut")])),),
        (estate(),),
    ),
}


def said(check_id: str, found: Estate):
    return next(one for one in diagnose(found).checked if one.check.id == check_id)


def test_every_check_has_estates_that_trigger_it_and_such_that_do_not():
    assert list(CASES) == [check.id for check in CHECKS]
    assert not [check for check, case in CASES.items() if not case.bad or not case.near]


@pytest.mark.parametrize(
    ("check", "severity", "word", "found"), [(check, *bad) for check, case in CASES.items() for bad in case.bad]
)
def test_a_check_finds_its_trouble(check, severity, word, found):
    one = said(check, found)
    assert one.result is Result.FOUND, one.detail
    assert severity in {finding.severity for finding in one.findings}
    first = one.findings[0]
    assert word in f"{first.evidence} {first.cause}"
    assert all((first.what, first.evidence, first.cause, first.fix, first.subject.name))


@pytest.mark.parametrize(("check", "found"), [(check, near) for check, case in CASES.items() for near in case.near])
def test_a_check_finds_nothing_where_it_comes_near(check, found):
    one = said(check, found)
    assert one.result is not Result.FOUND, one.findings
    assert one.detail


def test_nothing_is_found_where_all_is_well():
    known = (("InDirectoryGroup", "True"), ("ServerRole", "1"))
    server = [a_server("LS1", issue_until=NOW + 100 * DAY, settings=known), a_server("LS2", settings=known)]
    packs = [a_pack(type_=kind, id=f"P{number}") for number, kind in enumerate((DEVICE, USER))]
    held = [a_license(hardware_id="a"), a_license(2, type_=USER)]
    well = {"seen_at": NOW, "reach": (11, 11), "events": ()}
    hosts = [a_host(grace_until=NOW - DAY, **well), a_host("SH2", mode=CalType.PER_DEVICE, **well)]
    found = diagnose(estate(servers=server, packs=packs, licenses=held, hosts=hosts))
    assert found.findings == ()
    looked = {one.check.id for one in found.checked if one.result is Result.OK}
    assert len(looked) > len(CHECKS) / 2


def test_an_empty_estate_gets_reasons_instead_of_verdicts():
    for empty in (estate(), ours(servers=[])):
        found = diagnose(empty)
        assert found.findings == ()
        assert sum(one.result is Result.NOT_CHECKED for one in found.checked) > len(CHECKS) / 2


def test_what_is_concluded_from_files_is_marked_and_what_stands_in_them_is_not():
    found = {
        one.check.id: one.findings[0].inferred
        for case in CASES.values()
        for _, _, bad in case.bad
        for one in diagnose(bad).checked
        if one.findings
    }
    assert found["pack-left-behind"]
    assert found["device-reimaged"]
    assert not found["pack-expired"]
    assert not found["server-older-than-host"]


def test_every_key_of_a_diagnosis_is_another_also_where_a_pack_id_stands_twice():
    expiring = [a_pack(expires_at=NOW + DAY), a_pack("2019", expires_at=NOW + DAY)]
    keys = [one.key for one in diagnose(estate(packs=expiring)).findings]
    assert keys == ["pack-expiring@LS1 P1", "pack-expiring@LS1 P1 #2"]


def test_every_check_has_its_heading_in_the_documentation():
    text = PAGE.read_text()
    headings = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted([*(check.id for check in CHECKS), CANNOT_LOG_ON])


def test_shares_of_a_server_are_its_own():
    server = a_server(settings=(("low_share", str(Decimal("0.6"))), ("revocable_share", "0")))
    assert said("headroom", ours(servers=[server], packs=[a_pack()])).result is Result.FOUND


class Counted(list):
    """A list that counts how many of its items have been looked at."""

    looks = 0

    def __iter__(self):
        for one in super().__iter__():
            self.looks += 1
            yield one


def looks(number: int) -> tuple[int, int, int]:
    devices = [
        a_license(one, hardware_id=f"{one % 7}-{one}", device=f"PC{one // 2}", expires_at=NOW + one % 60 * DAY)
        for one in range(number)
    ]
    packs = [
        a_pack(("2012", "2016", "2019")[one % 3], (DEVICE, USER)[one % 2], id=f"P{one}", issued=one % 11)
        for one in range(number // 10)
    ]
    hosts = [
        a_host(f"SH{one}", ("2012", "2016")[one % 2], (CalType.PER_USER, CalType.PER_DEVICE)[one % 2])
        for one in range(number // 10)
    ]
    lists = Counted(hosts), Counted(packs), Counted(devices)
    diagnose(estate(servers=two_servers(), hosts=lists[0], packs=lists[1], licenses=lists[2]))
    return tuple(one.looks for one in lists)


def test_ten_times_as_much_is_looked_at_ten_times_as_often():
    small, large = looks(300), looks(3000)
    assert [many / few for few, many in zip(small, large, strict=True)] == pytest.approx([10, 10, 10], rel=0.1)
    assert large[2] <= 40 * 3000
    assert large[1] <= 40 * 300
    assert large[0] <= 80 * 300


ALL_COMMANDS = dict(commands())


def test_every_command_that_is_advised_is_there_with_its_options():
    advised = {
        finding.command
        for case in CASES.values()
        for _, _, bad in case.bad
        for found in (bad, replace(bad, source=Source.CALWARD))
        for finding in diagnose(found).findings
        if finding.command
    }
    assert len(advised) > 10
    for words in map(shlex.split, advised):
        named = next(words[:count] for count in (3, 2) if " ".join(words[:count]) in ALL_COMMANDS)
        command = ALL_COMMANDS[" ".join(named)]
        assert not isinstance(command, click.Group)
        with click.Context(command) as context:
            command.make_parser(context).parse_args(words[len(named) :])


OLD_PROBLEMS, COMPLAINTS = 16, 25
"""Rows of the catalogue of the old diagnoser, and of what administrators complain about (rd-licensing 10.2, 13)."""


def rows_of(heading: str) -> list[str]:
    """The second cells of a table of the page."""
    text = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line.split("|")[2].strip() for line in text.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize(
    ("heading", "number"),
    [("What the old diagnoser said", OLD_PROBLEMS), ("What administrators complain about", COMPLAINTS)],
)
def test_every_problem_and_complaint_has_a_check_or_a_command_that_is_there(heading, number):
    answers = rows_of(heading)
    assert len(answers) == number
    known = {*(check.id for check in CHECKS), CANNOT_LOG_ON}
    for answer in answers:
        ids, commands_ = re.findall(r"\[([a-z-]+)\]\(#\1\)", answer), re.findall(r"`(calward [a-z -]+)`", answer)
        assert ids or commands_ or answer == "exit code 0", answer
        assert set(ids) <= known, answer
        for command in commands_:
            assert command in ALL_COMMANDS or command.rpartition(" ")[0] in ALL_COMMANDS, command


def test_every_check_answers_a_problem_or_a_complaint_or_is_of_our_own():
    answered = set(re.findall(r"\[([a-z-]+)\]", " ".join(map(str, map(rows_of, HEADINGS)))))
    ours_alone = {"issuing-right-ends", "host-version-unknown", "pack-expiring", "pack-expired", "import-incomplete"}
    assert answered | ours_alone == {*(check.id for check in CHECKS), CANNOT_LOG_ON}


HEADINGS = ("What the old diagnoser said", "What administrators complain about")
