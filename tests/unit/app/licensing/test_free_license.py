"""Who may take a license away, and how often?"""

import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.free_license import allowance_now, find_license
from calward.domain.answers import rfc3339
from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.reasons import Reason
from tests.support.builders import USER, a_host, family
from tests.support.clocks import DAY, NOW
from tests.support.office import Office

USERS = a_host("2016", USER, number=2)


def test_a_revoked_license_frees_its_cal_at_once():
    office = Office()
    pack = office.install(total=10)
    event = office.full()
    done = office.revoke(event["license"])
    assert isinstance(done, Done)
    assert (done.outcome, done.facts) == ("revoked", {"remaining": 1, "next_at": rfc3339(event["expires"])})
    assert office.held(pack) == 0
    [written] = office.events("revoked")
    assert written == {
        "id": done.event,
        "at": NOW,
        "kind": "revoked",
        "by": "root",
        "license": event["license"],
        "holder": event["holder"],
        "expires": event["expires"],
    }


def test_no_more_than_a_fifth_is_revoked_and_the_refusal_says_when_the_next_slot_opens():
    office = Office()
    office.install(total=3)
    first = office.full(who="PC1")
    second = office.full(who="PC2")
    office.revoke(first["license"])
    refused = office.revoke(second["license"])
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.REVOCATION_LIMIT,)
    assert refused.facts == {"remaining": 0, "next_at": rfc3339(first["expires"])}
    assert refused.detail.endswith(f"1 of 1, the next slot opens at {rfc3339(first['expires'])}")
    [written] = office.events("act-refused")
    assert (written["act"], written["number"], written["used"], written["limit"]) == ("revoke", 81, 1, 1)
    assert office.license(second["license"]).runs(office.now)


def test_a_slot_comes_back_when_the_revoked_license_would_have_expired():
    office = Office()
    office.install(total=3)
    office.revoke(office.full(who="PC1")["license"])
    office.pass_days(10)
    second = office.full(who="PC2")
    office.pass_days(50)
    assert isinstance(office.revoke(second["license"]), Done)


def test_each_family_has_its_own_slots():
    office = Office()
    office.install("2003")
    office.install("2022")
    old, new = office.full(a_host("2003"), "PC1"), office.full(a_host("2022", number=2), "PC2")
    assert isinstance(office.revoke(old["license"]), Done)
    assert isinstance(office.revoke(new["license"]), Done)


def test_versions_of_one_family_share_their_slots_and_per_user_cals_count_for_none():
    office = Office()
    office.install("2008", total=5)
    office.install("2008R2", total=5)
    office.install("2008", USER, total=100)
    assert allowance_now(office.book, family("2008R2"), office.now).limit == 2


def test_a_per_user_license_is_not_revoked():
    office = Office()
    office.install(type_=USER)
    refused = office.revoke(office.ask(USERS, "alice")["license"])
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.PER_USER_NOT_REVOCABLE,)


def test_a_temporary_license_holds_no_cal_that_could_be_freed():
    office = Office()
    refused = office.revoke(office.ask()["license"])
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.NOT_A_FULL_LICENSE,)
    assert office.events("act-refused")[0]["reasons"] == ["not-a-full-license"]


def test_a_released_user_gives_the_cal_to_the_next():
    office = Office()
    pack = office.install(type_=USER, total=1)
    event = office.ask(USERS, "alice")
    done = office.release(event["license"])
    assert isinstance(done, Done)
    assert done.outcome == "released"
    assert office.held(pack) == 0
    assert office.events("released")[0]["holder"] == event["holder"]
    assert office.ask(USERS, "bob")["status"] == "active"


def test_over_use_can_be_released_and_releases_are_not_rationed():
    office = Office()
    for n in range(5):
        assert isinstance(office.release(office.ask(USERS, f"user{n}")["license"]), Done)


def test_a_per_device_license_is_not_released():
    office = Office()
    office.install()
    refused = office.release(office.full()["license"])
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.PER_DEVICE_NOT_RELEASABLE,)


@pytest.mark.parametrize("act", ["revoke", "release"])
def test_what_was_never_issued_or_has_ended_is_not_found(act):
    office = Office()
    event = office.ask()
    with pytest.raises(LicensingError, match="L99 was never issued") as caught:
        getattr(office, act)(99)
    assert (caught.value.problem, caught.value.field) == (Problem.NOT_FOUND, "license")
    office.pass_days(90)
    with pytest.raises(LicensingError, match="has ended"):
        getattr(office, act)(event["license"])


def test_a_license_is_found_by_its_holder_the_full_and_newest_first():
    office = Office()
    office.install("2003")
    full = office.full(a_host("2003"))
    temporary = office.ask(a_host("2022", number=2))
    find = (office.book, HolderKind.DEVICE, "PC1", office.now)
    assert find_license(*find).id == full["license"]
    assert find_license(*find, family("2022")).id == temporary["license"]
    with pytest.raises(LicensingError, match="holds no running license here"):
        find_license(*find, family("2008"))


def test_who_was_never_seen_holds_nothing():
    with pytest.raises(LicensingError, match="user 'eve' holds no running license here") as caught:
        find_license(Office().book, HolderKind.USER, "eve", NOW + DAY)
    assert caught.value.problem is Problem.NOT_FOUND
