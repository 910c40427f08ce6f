import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.erase_holder import EraseHolder, erase_holder
from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.reasons import Reason
from tests.support.builders import DEVICE
from tests.support.office import Office


def erase(office: Office, name: str = "PC1") -> Done | RefusedAct:
    return erase_holder(EraseHolder(HolderKind.DEVICE, name, "anna"), office.book, now=office.now)


def test_a_holder_without_a_running_license_is_forgotten_and_its_events_stay():
    office = Office()
    token = office.ask()["holder"]
    office.pass_days(91)
    assert erase(office).outcome == "erased"
    assert office.book.find_holder(HolderKind.DEVICE, "PC1") is None
    assert [event["holder"] for event in office.events("license")] == [token]
    assert office.events("holder-erased")[0]["holder"] == token


def test_who_comes_back_is_somebody_new():
    office = Office()
    office.install(type_=DEVICE)
    first = office.log_on()
    office.pass_days(91)
    erase(office)
    again = office.ask()
    assert again["holder"] != first["holder"]
    assert again["reasons"] == [Reason.FIRST_CONTACT], "what was proven is forgotten too"


def test_a_holder_with_a_running_license_is_not_forgotten():
    office = Office()
    office.ask()
    refused = erase(office)
    assert refused.outcome == "refused"
    assert refused.reasons == (Reason.LICENSE_RUNNING,)
    assert office.book.find_holder(HolderKind.DEVICE, "PC1")


def test_nobody_known_is_said_as_such():
    with pytest.raises(LicensingError) as caught:
        erase(Office(), "nobody")
    assert caught.value.problem is Problem.NOT_FOUND
