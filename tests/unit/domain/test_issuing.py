"""Which CAL does a client get? Every sentence of the design's section 3 about issuing, one test each."""

from types import MappingProxyType

import pytest

from calward.domain.issuing import refuse_host
from calward.domain.licenses import Change, Ending, Status
from calward.domain.reasons import Reason
from calward.domain.trace import Rule, Verdict
from tests.support.builders import DEVICE, USER, a_key_pack, a_license, an_asking, decide
from tests.support.clocks import DAY, NOW

OLD = a_key_pack("2003", row=1)
SAME = a_key_pack("2016", row=2)
NEWER = a_key_pack("2019", row=3)
NEWEST = a_key_pack("2022", row=4)
UNPROVEN = MappingProxyType({"proven_at": None})
NOT_ACTIVATED = MappingProxyType({"blocked": Reason.SERVER_NOT_ACTIVATED})


# --- step 1: keep ---


def test_a_license_of_the_hosts_version_is_kept_as_it_is():
    held = a_license("2016", days=30)
    decision = decide(an_asking("2016", packs=[SAME, a_key_pack("2016")], licenses=[held]), free=[SAME])
    assert (decision.license, decision.change, decision.expires_at) == (held, Change.KEPT, held.expires_at)
    assert decision.trace == ((Rule.KEEP, Verdict.KEPT),)
    assert decision.granted
    assert not decision.writes


def test_a_license_of_a_newer_version_is_kept_though_a_cal_of_the_hosts_own_is_free():
    held = a_license("2022")
    decision = decide(an_asking("2016", packs=[SAME, a_key_pack("2022")], licenses=[held]), free=[SAME])
    assert decision.license is held
    assert decision.version == "2022"


def test_versions_of_one_family_keep_each_other():
    held = a_license("2008")
    assert decide(an_asking("2008R2", packs=[a_key_pack("2008")], licenses=[held])).license is held


@pytest.mark.parametrize(("seconds_left", "change"), [(7 * DAY, Change.RENEWED), (7 * DAY + 1, Change.KEPT)])
def test_a_device_is_renewed_when_at_most_seven_days_are_left(seconds_left, change):
    held = a_license(expires_at=NOW + seconds_left)
    decision = decide(an_asking(packs=[a_key_pack()], licenses=[held], full_days=77))
    assert decision.change is change
    assert decision.license is held
    assert decision.seat == held.seat
    assert decision.writes is (change is Change.RENEWED)
    assert decision.expires_at == (NOW + 77 * DAY if change is Change.RENEWED else held.expires_at)


def test_a_renewed_license_never_outlives_its_pack():
    pack = a_key_pack(expires_at=NOW + 10 * DAY)
    decision = decide(an_asking(packs=[pack], licenses=[a_license(days=3)]))
    assert decision.change is Change.RENEWED
    assert decision.expires_at == NOW + 10 * DAY


def test_a_license_that_ends_with_its_pack_has_nothing_to_be_renewed_to():
    pack = a_key_pack(expires_at=NOW + 3 * DAY)
    decision = decide(an_asking(packs=[pack], licenses=[a_license(days=3)]))
    assert (decision.change, decision.writes) == (Change.KEPT, False)
    assert decision.trace == ((Rule.KEEP, Verdict.KEPT),)


def test_a_renewal_never_shortens_a_license():
    rules = {"renew_within_days": 100}
    decision = decide(an_asking(packs=[a_key_pack()], licenses=[a_license(days=80)], rules=rules, full_days=52))
    assert (decision.change, decision.writes) == (Change.KEPT, False)


def test_a_users_license_lasts_sixty_days_from_the_last_logon():
    held = a_license(type_=USER, days=40)
    decision = decide(an_asking(mode=USER, packs=[a_key_pack(type_=USER)], licenses=[held]))
    assert (decision.change, decision.expires_at) == (Change.KEPT, NOW + 60 * DAY)
    assert decision.trace == ((Rule.KEEP, Verdict.EXTENDED),)
    assert decision.writes


def test_a_users_license_never_outlives_its_pack():
    pack = a_key_pack(type_=USER, expires_at=NOW + 50 * DAY)
    decision = decide(an_asking(mode=USER, packs=[pack], licenses=[a_license(type_=USER, days=40)]))
    assert decision.expires_at == NOW + 50 * DAY


@pytest.mark.parametrize("type_", [DEVICE, USER])
@pytest.mark.parametrize("why", [Reason.SERVER_NOT_ACTIVATED, Reason.ISSUING_RIGHT_ENDED])
def test_a_server_that_may_not_issue_keeps_what_runs_and_renews_nothing(type_, why):
    held = a_license(type_=type_, days=3)
    decision = decide(an_asking(mode=type_, packs=[a_key_pack(type_=type_)], licenses=[held], blocked=why))
    assert (decision.license, decision.change, decision.writes) == (held, Change.KEPT, False)
    assert decision.trace == ((Rule.KEEP, Verdict.NOT_EXTENDED),)


@pytest.mark.parametrize(("type_", "days"), [(DEVICE, 3), (DEVICE, 30), (USER, 40)])
def test_a_license_of_a_pack_that_is_moving_is_kept_as_it_is(type_, days):
    held = a_license(type_=type_, days=days)
    frozen = a_key_pack(type_=type_, transfer="7f" * 16, frozen_at=NOW)
    decision = decide(an_asking(mode=type_, packs=[frozen], licenses=[held]))
    assert (decision.license, decision.change, decision.writes) == (held, Change.KEPT, False)
    assert decision.trace == ((Rule.KEEP, Verdict.PACK_MOVING),)


def test_of_two_licenses_that_open_the_host_the_older_version_is_kept():
    newer, same = a_license("2022", id=1), a_license("2016", id=2)
    assert decide(an_asking(packs=[a_key_pack()], licenses=[newer, same])).license is same


def test_an_expired_license_is_not_kept():
    decision = decide(an_asking(packs=[SAME], licenses=[a_license(days=0)]), free=[SAME])
    assert (decision.change, decision.license) == (Change.NEW, None)
    assert decision.trace[0] == (Rule.KEEP, Verdict.NONE_HELD)


def test_a_license_of_the_other_type_is_not_looked_at():
    decision = decide(an_asking(mode=USER, licenses=[a_license(type_=DEVICE)]))
    assert decision.status is Status.OVER_USED


# --- steps 2 and 3: a free CAL ---


def test_a_free_cal_of_the_hosts_own_family_comes_before_newer_ones():
    decision = decide(an_asking(packs=[NEWER, SAME]), free=[NEWER, SAME])
    assert (decision.status, decision.version, decision.change) == (Status.ACTIVE, "2016", Change.NEW)
    assert decision.trace == ((Rule.KEEP, Verdict.NONE_HELD), (Rule.SAME_VERSION, Verdict.TAKEN))
    assert decision.reasons == ()
    assert decision.writes


def test_the_lowest_newer_family_is_taken_when_none_of_the_hosts_own_is_free():
    decision = decide(an_asking(packs=[NEWEST, NEWER, SAME]), free=[NEWER, NEWEST])
    assert decision.version == "2019"
    assert decision.trace[1:] == ((Rule.SAME_VERSION, Verdict.NONE_FREE, 2), (Rule.NEWER_VERSION, Verdict.TAKEN))


def test_a_pack_of_the_same_family_counts_as_the_hosts_own_and_bears_its_own_version():
    decision = decide(an_asking("2008", packs=[pack := a_key_pack("2008R2")]), free=[pack])
    assert decision.version == "2008R2"
    assert decision.trace[-1] == (Rule.SAME_VERSION, Verdict.TAKEN)


def test_an_older_cal_never_opens_a_newer_host():
    decision = decide(an_asking(packs=[OLD]), free=[OLD])
    assert decision.status is Status.TEMPORARY
    assert decision.reasons == (Reason.NO_CAL_FREE, Reason.CAL_VERSION_TOO_LOW)


def test_a_user_falls_up_like_a_device():
    pack = a_key_pack("2022", USER)
    decision = decide(an_asking("2016", USER, packs=[pack]), free=[pack])
    assert (decision.status, decision.version) == (Status.ACTIVE, "2022")
    assert decision.expires_at == NOW + 60 * DAY


def test_prevent_license_upgrade_keeps_newer_cals_for_newer_hosts():
    asking = an_asking(packs=[SAME, NEWER, NEWEST], rules={"prevent_license_upgrade": True})
    decision = decide(asking, free=[NEWER, NEWEST])
    assert decision.status is Status.TEMPORARY
    assert decision.reasons == (Reason.NO_CAL_FREE, Reason.LICENSE_UPGRADE_PREVENTED)
    assert (Rule.NEWER_VERSION, Verdict.PREVENTED, 2) in decision.trace


def test_prevent_license_upgrade_is_no_reason_where_no_newer_cal_is_free():
    asking = an_asking(packs=[SAME, NEWER], rules={"prevent_license_upgrade": True})
    assert decide(asking).reasons == (Reason.NO_CAL_FREE,)


def test_prevent_license_upgrade_does_not_touch_cals_of_the_hosts_own_family():
    asking = an_asking(packs=[SAME, NEWER], rules={"prevent_license_upgrade": True})
    assert decide(asking, free=[SAME]).version == "2016"


def test_a_new_full_license_never_outlives_its_pack():
    pack = a_key_pack(expires_at=NOW + 5 * DAY)
    assert decide(an_asking(packs=[pack]), free=[pack]).expires_at == NOW + 5 * DAY


def test_the_life_of_a_devices_license_is_what_was_drawn():
    assert decide(an_asking(packs=[SAME], full_days=89), free=[SAME]).expires_at == NOW + 89 * DAY


def test_an_expired_pack_issues_nothing():
    pack = a_key_pack(expires_at=NOW)
    decision = decide(an_asking(packs=[pack]), free=[pack])
    assert decision.status is Status.TEMPORARY
    assert (Rule.SAME_VERSION, Verdict.NOT_INSTALLED) in decision.trace


def test_a_full_license_ends_temporary_over_used_and_older_ones():
    temporary = a_license("2016", Status.TEMPORARY, id=1)
    older = a_license("2008", Status.ACTIVE, id=2)
    ended = a_license("2003", Status.TEMPORARY, id=3, days=-1)
    decision = decide(an_asking(packs=[SAME], licenses=[temporary, older, ended]), free=[SAME])
    assert decision.ends == (temporary, older)
    assert decision.change is Change.UPGRADED
    assert decision.trace[0] == (Rule.KEEP, Verdict.HELD_TOO_OLD)


def test_a_full_license_leaves_a_temporary_of_a_newer_host_alone():
    newer = a_license("2022", Status.TEMPORARY)
    decision = decide(an_asking(packs=[SAME], licenses=[newer]), free=[SAME])
    assert (decision.ends, decision.change) == ((), Change.NEW)


def test_an_over_used_record_becomes_a_cal_at_the_next_logon():
    over = a_license("2016", Status.OVER_USED, USER)
    pack = a_key_pack(type_=USER)
    decision = decide(an_asking(mode=USER, packs=[pack], licenses=[over]), free=[pack])
    assert (decision.status, decision.change, decision.ends) == (Status.ACTIVE, Change.UPGRADED, (over,))


def test_where_no_newer_cal_is_free_the_older_license_stays_and_the_temporary_comes_beside_it():
    older = a_license("2003")
    decision = decide(an_asking(packs=[a_key_pack("2003")], licenses=[older]))
    assert (decision.status, decision.change, decision.ends) == (Status.TEMPORARY, Change.NEW, ())


# --- step 4 per device: temporary ---


def test_a_strangers_first_license_is_temporary_though_cals_are_free():
    decision = decide(an_asking("2008R2", packs=[NEWER], **UNPROVEN), free=[NEWER])
    assert (decision.status, decision.version, decision.seat) == (Status.TEMPORARY, "2008R2", None)
    assert decision.expires_at == NOW + 90 * DAY
    assert decision.reasons == (Reason.FIRST_CONTACT,)
    assert decision.trace == (
        (Rule.KEEP, Verdict.NONE_HELD),
        (Rule.SAME_VERSION, Verdict.NOT_PROVEN),
        (Rule.FALL_BACK, Verdict.TEMPORARY_GIVEN),
    )


def test_an_unproven_device_goes_on_with_its_temporary_license():
    held = a_license(status=Status.TEMPORARY, days=12)
    decision = decide(an_asking(packs=[SAME], licenses=[held], **UNPROVEN), free=[SAME])
    assert (decision.license, decision.change, decision.writes) == (held, Change.KEPT, False)
    assert decision.reasons == (Reason.NOT_PROVEN,)
    assert decision.trace[-1] == (Rule.FALL_BACK, Verdict.TEMPORARY_KEPT)


def test_a_temporary_license_of_a_newer_host_opens_an_older_one():
    held = a_license("2022", Status.TEMPORARY)
    assert decide(an_asking("2016", licenses=[held])).license is held


def test_a_temporary_license_of_an_older_host_does_not_open_a_newer_one():
    held = a_license("2003", Status.TEMPORARY)
    decision = decide(an_asking("2016", licenses=[held]))
    assert (decision.change, decision.version) == (Change.NEW, "2016")


def test_a_device_gets_one_temporary_license_for_each_family():
    used = a_license(status=Status.TEMPORARY, days=-1)
    decision = decide(an_asking(licenses=[used]))
    assert not decision.granted
    assert decision.reasons == (Reason.NO_CAL_FREE, Reason.TEMPORARY_LICENSE_EXPIRED)
    assert decision.trace[-2:] == ((Rule.FALL_BACK, Verdict.TEMPORARY_USED_UP), (Rule.REFUSE, Verdict.REFUSED))
    assert decide(an_asking("2019", licenses=[used])).status is Status.TEMPORARY
    assert decide(an_asking("2012", licenses=[used])).status is Status.TEMPORARY


def test_a_temporary_license_that_ended_before_its_device_was_proven_counts_as_never_given():
    early = a_license(status=Status.TEMPORARY, days=-20)
    assert decide(an_asking(licenses=[early], proven_at=NOW - 10 * DAY)).status is Status.TEMPORARY
    assert decide(an_asking(licenses=[early], **UNPROVEN)).status is Status.TEMPORARY
    assert not decide(an_asking(licenses=[early], proven_at=NOW - 30 * DAY)).granted


def test_a_temporary_license_that_was_upgraded_has_been_used_up():
    upgraded = a_license(status=Status.TEMPORARY, days=60, ended_at=NOW - 5 * DAY)
    assert not decide(an_asking(licenses=[upgraded], proven_at=NOW - 6 * DAY)).granted


# --- step 4 per user: over-use ---


def test_a_user_without_a_cal_is_let_in_and_recorded_as_over_use():
    decision = decide(an_asking(mode=USER))
    assert (decision.status, decision.version, decision.expires_at) == (Status.OVER_USED, "2016", NOW + 60 * DAY)
    assert decision.reasons == (Reason.NO_CAL_FREE,)
    assert decision.trace[-1] == (Rule.FALL_BACK, Verdict.OVER_USED)


def test_over_use_goes_on_with_each_logon():
    over = a_license(status=Status.OVER_USED, type_=USER, days=10)
    decision = decide(an_asking(mode=USER, licenses=[over]))
    assert (decision.license, decision.change, decision.expires_at) == (over, Change.KEPT, NOW + 60 * DAY)


def test_a_server_that_enforces_refuses_the_user_instead():
    decision = decide(an_asking(mode=USER, rules={"per_user": "enforce"}))
    assert not decision.granted
    assert decision.reasons == (Reason.NO_CAL_FREE,)
    assert decision.trace[-2:] == ((Rule.FALL_BACK, Verdict.ENFORCED), (Rule.REFUSE, Verdict.REFUSED))


# --- a server that may issue temporary licenses only ---


@pytest.mark.parametrize(
    ("why", "verdict"),
    [(Reason.SERVER_NOT_ACTIVATED, Verdict.NOT_ACTIVATED), (Reason.ISSUING_RIGHT_ENDED, Verdict.RIGHT_ENDED)],
)
@pytest.mark.parametrize("type_", [DEVICE, USER])
def test_a_server_that_may_not_issue_gives_temporary_licenses_to_devices_and_users(type_, why, verdict):
    pack = a_key_pack(type_=type_)
    decision = decide(an_asking(mode=type_, packs=[pack], blocked=why), free=[pack])
    assert (decision.status, decision.expires_at) == (Status.TEMPORARY, NOW + 90 * DAY)
    assert decision.reasons == (why,)
    assert decision.trace[1] == (Rule.SAME_VERSION, verdict)


def test_running_over_use_goes_on_as_it_is_while_the_server_may_not_issue():
    held = a_license("2016", Status.OVER_USED, USER, days=12)
    decision = decide(an_asking(mode=USER, licenses=[held], blocked=Reason.SERVER_NOT_ACTIVATED))
    assert (decision.license, decision.change, decision.writes) == (held, Change.KEPT, False)
    assert decision.trace[-1] == (Rule.FALL_BACK, Verdict.OVER_USE_KEPT)


def test_a_temporary_license_that_was_upgraded_in_the_second_of_the_proof_has_been_used_up():
    used = a_license(status=Status.TEMPORARY, ended_at=NOW, ending=Ending.UPGRADED)
    assert Reason.TEMPORARY_LICENSE_EXPIRED in decide(an_asking(licenses=[used], proven_at=NOW)).reasons


def test_a_user_gets_one_temporary_license_for_each_family_too():
    used = a_license(status=Status.TEMPORARY, type_=USER, days=-1)
    decision = decide(an_asking(mode=USER, licenses=[used], **NOT_ACTIVATED))
    assert decision.reasons == (Reason.SERVER_NOT_ACTIVATED, Reason.TEMPORARY_LICENSE_EXPIRED)


def test_a_stranger_at_a_server_that_is_not_activated_hears_both_reasons():
    decision = decide(an_asking(**UNPROVEN, **NOT_ACTIVATED))
    assert decision.reasons == (Reason.FIRST_CONTACT, Reason.SERVER_NOT_ACTIVATED)


# --- step 5: everything that stood in the way ---


@pytest.mark.parametrize(
    ("installed", "reasons"),
    [
        ([], ()),
        ([SAME], ()),
        ([NEWER], ()),
        ([OLD], (Reason.CAL_VERSION_TOO_LOW,)),
        ([a_key_pack("2022", USER)], (Reason.CAL_TYPE_DIFFERS_FROM_MODE,)),
        ([a_key_pack("2003", USER)], ()),
        ([OLD, a_key_pack("2016", USER, row=9)], (Reason.CAL_VERSION_TOO_LOW, Reason.CAL_TYPE_DIFFERS_FROM_MODE)),
        ([OLD, SAME, a_key_pack("2016", USER, row=9)], ()),
    ],
)
def test_everything_that_stood_in_the_way_is_named(installed, reasons):
    assert decide(an_asking(packs=installed)).reasons == (Reason.NO_CAL_FREE, *reasons)


def test_a_user_hears_that_only_per_device_cals_would_fit():
    assert Reason.CAL_TYPE_DIFFERS_FROM_MODE in decide(an_asking(mode=USER, packs=[SAME])).reasons


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        (Reason.SERVER_VERSION_TOO_LOW, Verdict.SERVER_TOO_OLD),
        (Reason.HOST_NOT_AUTHORIZED, Verdict.NOT_ENROLLED),
    ],
)
def test_a_host_can_be_refused_before_its_client_counts(reason, verdict):
    decision = refuse_host(reason)
    assert not decision.granted
    assert decision.reasons == (reason,)
    assert decision.trace == ((Rule.HOST, verdict), (Rule.REFUSE, Verdict.REFUSED))
