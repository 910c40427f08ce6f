"""What proves a device?"""

import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.domain.errors import LicensingError, Problem
from calward.domain.reasons import Reason
from tests.support.builders import USER, a_host
from tests.support.clocks import NOW
from tests.support.office import Office


def proven_at(office: Office) -> int | None:
    return next(iter(office.book._by_id.values())).proven_at


def test_a_confirmed_logon_proves_the_device_once_and_for_all():
    office = Office()
    event = office.ask()
    done = office.confirm(event["license"])
    assert isinstance(done, Done)
    [written] = office.events("proven")
    assert written == {
        "id": done.event,
        "at": NOW,
        "kind": "proven",
        "holder": event["holder"],
        "host": "SH1",
        "license": event["license"],
    }
    office.pass_days(1)
    assert office.confirm(event["license"]) == Done("confirmed")
    assert proven_at(office) == NOW
    assert len(office.events("proven")) == 1


def test_another_host_than_the_one_that_asked_may_see_the_logon():
    office = Office()
    event = office.ask(a_host(number=1))
    assert isinstance(office.confirm(event["license"], a_host("2003", number=2)), Done)
    assert office.events("proven")[0]["host"] == "SH2"


def test_a_user_needs_no_proof():
    office = Office()
    event = office.ask(a_host(mode=USER), "alice")
    assert office.confirm(event["license"]) == Done("confirmed")
    assert not office.events("proven")


def test_a_license_that_has_ended_proves_nothing():
    office = Office()
    event = office.ask()
    office.pass_days(90)
    refused = office.confirm(event["license"])
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.LICENSE_ENDED,)
    assert refused.detail == f"license L{event['license']} has ended: request a new one"
    assert proven_at(office) is None


def test_a_host_that_is_not_enrolled_proves_nothing():
    office = Office()
    refused = office.confirm(office.ask()["license"], a_host(enrolled=False))
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.HOST_NOT_AUTHORIZED,)
    assert proven_at(office) is None


def test_a_license_that_was_never_issued_is_not_found():
    with pytest.raises(LicensingError, match="no license L77 was issued") as caught:
        Office().confirm(77)
    assert (caught.value.problem, caught.value.field) == (Problem.NOT_FOUND, "license")


@pytest.mark.parametrize("days", [100, 400])
def test_a_device_stays_proven_after_its_licenses_have_ended(days):
    office = Office()
    office.install()
    office.full()
    office.pass_days(days)
    office.sweep()
    assert office.ask()["status"] == "active"


def test_a_temporary_license_that_ended_before_the_proof_counts_as_never_given():
    office = Office()
    office.ask()
    office.pass_days(91)
    second = office.log_on()
    assert second["status"] == "temporary"
    office.pass_days(91)
    assert office.ask()["reasons"] == ["no-cal-free", "temporary-license-expired"]
