"""Does a question about one host, device or user get what concerns it, and nothing else?"""

import pytest

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.insight.diagnoser import CHECKS, Scope, diagnose
from calward.insight.diagnoser.check import About
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)
from tests.support.builders import ladder
from tests.support.clocks import DAY, NOW

DEVICE, USER = PackType.PER_DEVICE, PackType.PER_USER


def a_license(number, device=None, user=None, hardware_id=None, host=None, ends=0):
    type_ = DEVICE if user is None else USER
    names = {"device": device, "user": user, "hardware_id": hardware_id, "host": host}
    return EstateLicense(
        f"L{number}",
        "LS1",
        "1",
        type_,
        LicenseStatus.ACTIVE,
        "2016",
        issued_at=NOW - 90 * DAY,
        expires_at=NOW + ends,
        **names,
    )


ESTATE = Estate(
    "berlin",
    Source.IMPORT,
    NOW,
    ladder(),
    servers=[EstateServer("ls1.corp.example", "2022", activated=False), EstateServer("LS2", "2022", activated=False)],
    hosts=[
        EstateHost("SH1.corp.example", "2016", CalType.PER_DEVICE, ("ls1",), reach=(6,)),
        EstateHost("SH2", "2019", CalType.PER_USER, ("LS2",), reach=(5,), grace_until=NOW + DAY),
    ],
    packs=[
        EstatePack("1", "ls1.corp.example", "2016", DEVICE, "volume", 10, 10),
        EstatePack("2", "LS2", "2016", USER, "volume", 10, 10),
    ],
    licenses=[
        a_license(1, "PC1", hardware_id="0A", host="SH1.corp.example"),
        a_license(2, "PC2", host="SH1.corp.example"),
    ],
    failures=[
        EstateFailure(NOW - DAY, "LS2", "SH2", "anna", USER, "2019", ("cal-version-too-low",)),
        EstateFailure(NOW - DAY, "LS2", "SH2", "ben", USER, "2019", ("cal-version-too-low",)),
    ],
)
"""Two hosts, each with troubles of its own; two devices and two users with one each."""


def found(*scope, **named):
    return {(one.id, one.subject.name): one for one in diagnose(ESTATE, Scope(*scope, **named)).findings}


def test_without_a_question_everything_is_found():
    ids = {id_ for id_, _ in found()}
    assert {
        "server-not-activated",
        "server-unreachable",
        "host-not-in-group",
        "grace-ending",
        "cal-older-than-host",
    } <= ids


@pytest.mark.parametrize("name", ["SH1", "sh1.CORP.example"])
def test_a_host_is_found_by_its_short_and_its_whole_name_and_has_its_own_troubles_only(name):
    keys = found(name)
    assert ("server-unreachable", "ls1.corp.example") in keys
    assert ("server-not-activated", "ls1.corp.example") in keys
    assert not [key for key in keys if "LS2" in key[1]]
    assert not {"host-not-in-group", "grace-ending", "cal-older-than-host", "refused-lately"} & {id_ for id_, _ in keys}
    assert {name for one in keys.values() for name in one.names} <= {"SH1.corp.example", "PC1", "PC2"}


def test_the_other_host_has_the_others():
    ids = {id_ for id_, _ in found("SH2")}
    assert {"host-not-in-group", "grace-ending", "cal-older-than-host", "refused-lately"} <= ids
    assert "server-unreachable" not in ids


def test_a_host_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(LicensingError, match="SH1") as error:
        found("SH9")
    assert error.value.problem is Problem.NOT_FOUND


@pytest.mark.parametrize("name", ["PC1", "pc1", "0a"])
def test_a_device_is_found_by_its_name_and_its_hardware_id_and_has_its_own_licenses_only(name):
    keys = found(device=name)
    assert {name for one in keys.values() for name in one.names} == {"PC1"}
    assert {id_ for id_, _ in keys} == {"stale-devices"}


def test_a_user_has_their_own_refusals_only():
    (only,) = found(user="ANNA").values()
    assert (only.id, only.names) == ("refused-lately", ("anna",))
    assert not found(user="clara")


def test_a_question_about_a_holder_makes_no_checks_of_places():
    about = {one.check.about for one in diagnose(ESTATE, Scope(user="anna")).checked}
    assert about == {About.HOLDER, About.BOTH}
    assert About.ESTATE in {check.about for check in CHECKS}
