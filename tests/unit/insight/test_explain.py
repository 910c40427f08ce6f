"""Is said why a license is what it is, and what would change it?"""

import pytest

from calward.domain.reasons import Reason
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)
from calward.insight.explain import CHANGES, explain, would_change
from tests.support.builders import ladder
from tests.support.clocks import DAY, NOW

DEVICE, USER = PackType.PER_DEVICE, PackType.PER_USER
NOT_IN_DECISIONS = {
    "license-ended", "license-running", "revocation-limit", "per-user-not-revocable", "per-device-not-releasable", "not-a-full-license",
    "pack-already-installed", "pack-in-use", "pack-expired", "nothing-to-do", "above-what-was-bought",
}  # fmt: skip
"""Reasons of what administrators are refused."""


def an_estate(*licenses, packs=(), activated=True) -> Estate:
    servers = [EstateServer("LS1", "2022", activated=activated)]
    return Estate("berlin", Source.IMPORT, NOW, ladder(), servers, (), packs, licenses)


def a_license(status=LicenseStatus.TEMPORARY, type_=DEVICE, version="2016", days=50, **changes) -> EstateLicense:
    values = {"device": "PC1", "user": None, "hardware_id": "AB12"} | changes
    return EstateLicense(
        "7", "LS1", "3", type_, status, version, issued_at=NOW - DAY, expires_at=NOW + days * DAY, **values
    )


def a_pack(version="2016", type_=DEVICE, total=10, issued=10, **changes) -> EstatePack:
    return EstatePack("3", "LS1", version, type_, "volume", total, issued, **changes)


def only(estate: Estate, name: str = "pc1"):
    (found,) = explain(estate, name)
    return found


@pytest.mark.parametrize("name", ["7", "pc1", "PC1", "ab12"])
def test_a_license_is_found_by_its_id_and_by_each_name_of_its_holder(name):
    assert only(an_estate(a_license()), name).subject == "license 7"


def test_what_nobody_is_called_gets_no_explanation():
    assert explain(an_estate(a_license(), packs=[a_pack()]), "PC2") == ()


def test_a_temporary_license_without_a_free_cal_counts_what_there_is():
    found = only(an_estate(a_license(), packs=[a_pack(), a_pack("2019", total=5, issued=5), a_pack("2012", issued=0)]))
    assert found.headline == "PC1: temporary license of 2016/per-device on LS1, ends 2026-04-20 (in 50 days)"
    assert found.steps == (
        "of its own version: 0 of 10 2016/per-device CALs free",
        "of a newer version: 0 of 5 2019/per-device CALs free",
        "of an older version: 10 of 10 2012/2012R2/per-device CALs free, which do not open its host",
        "so no full license could be given",
    )
    assert found.changes == (CHANGES[Reason.NO_CAL_FREE], "without it: from 2026-04-20 on this device is refused")
    assert found.inferred


def test_a_temporary_license_beside_free_cals_is_a_first_one():
    found = only(an_estate(a_license(), packs=[a_pack(issued=9)]))
    assert found.steps[0] == "of its own version: 1 of 10 2016/per-device CALs free"
    assert "first license is temporary, 1 day ago" in found.steps[-1]
    assert found.changes == ("its next request after a logon: it then gets a full license",)


def test_a_server_that_is_not_activated_is_the_cause_whatever_is_free():
    found = only(an_estate(a_license(), packs=[a_pack(issued=0)], activated=False))
    assert "not activated" in found.steps[-1]
    assert found.changes == (CHANGES[Reason.SERVER_NOT_ACTIVATED],)


def test_a_recorded_reason_goes_before_what_is_concluded():
    found = only(an_estate(a_license(why=("not-proven",)), packs=[a_pack(issued=0)]))
    assert found.steps[0] == "recorded reason: not-proven"
    assert found.changes == (CHANGES[Reason.NOT_PROVEN],)


def test_a_full_license_names_its_pack_and_counts():
    found = only(an_estate(a_license(LicenseStatus.ACTIVE), packs=[a_pack()]))
    assert found.steps == ("it holds a CAL of pack 3; 10 of 10 in use",)
    assert "has not come back" in only(an_estate(a_license(LicenseStatus.ACTIVE, days=-1))).steps[-1]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (LicenseStatus.REVOKED, "counts against what may be revoked until 2026-04-20"),
        (LicenseStatus.UPGRADED, "newer version in its place"),
        (LicenseStatus.UNKNOWN, "holds a CAL"),
    ],
)
def test_every_status_is_explained(status, word):
    assert any(word in step for step in only(an_estate(a_license(status))).steps)


def test_an_over_used_license_says_whether_anything_would_serve():
    over = a_license(LicenseStatus.OVER_USED, USER, device=None, user="anna", hardware_id=None)
    assert only(an_estate(over), "Anna").changes == (CHANGES[Reason.NO_CAL_FREE],)
    assert "next logon" in only(an_estate(over, packs=[a_pack("2019", USER, issued=0)]), "anna").changes[0]


def test_an_over_used_pack_says_by_how_much_and_what_lies_idle():
    packs = [a_pack(type_=USER, issued=13, over_used=3), EstatePack("4", "LS1", "2019", USER, "volume", 9, 2)]
    found = only(an_estate(packs=packs), "3")
    assert found.headline == "2016/per-user on LS1, over-used by 3"
    assert "of a newer version: 7 of 9 2019/per-user CALs free" in found.steps
    assert found.steps[-1].startswith("the old system does not count users of older hosts")
    assert found.changes == ("3 more CALs of 2016/per-user or newer, or 3 users fewer",)
    assert not only(an_estate(packs=packs), "4").changes


def test_every_reason_of_a_decision_says_what_would_change_it():
    assert {reason.value for reason in Reason} - {reason.value for reason in CHANGES} == NOT_IN_DECISIONS
    assert would_change(["first-contact", "not-proven", "of-a-newer-release"]) == [CHANGES[Reason.NOT_PROVEN]]


def test_cals_that_lie_idle_and_do_not_help_are_named():
    packs = [a_pack("2012", issued=4), a_pack(), a_pack("2019", USER, issued=1), a_pack("2012", USER, issued=0)]
    found = only(an_estate(a_license(), packs=packs))
    assert found.steps == (
        "of its own version: 0 of 10 2016/per-device CALs free",
        "of an older version: 6 of 10 2012/2012R2/per-device CALs free, which do not open its host",
        "of the other type: 9 of 10 2019/per-user CALs free, which a host set to per-device does not take",
        "so no full license could be given",
    )


def a_refusal(**changes) -> EstateFailure:
    values = {"host": None, "holder": "CORP\\anna", "type": USER, "version": "2016", "reasons": ()} | changes
    return EstateFailure(NOW - DAY, "LS1", **values)


def a_refused(refusal, *packs):
    servers = [EstateServer("LS1", "2022", activated=True)]
    return Estate("berlin", Source.IMPORT, NOW, ladder(), servers, (), packs, failures=[refusal])


def test_a_refusal_is_explained_by_what_is_there():
    found = only(a_refused(a_refusal(), a_pack(type_=USER)), "corp\\ANNA")
    assert (found.subject, found.inferred) == ("refusal of 2026-02-28", True)
    assert found.headline == "CORP\\anna got no license of 2016/per-user from LS1"
    assert found.steps == ("of its own version: 0 of 10 2016/per-user CALs free, 2026-03-01", "so none could be given")
    assert found.changes == (CHANGES[Reason.NO_CAL_FREE],)
    free = only(a_refused(a_refusal(), a_pack(type_=USER, issued=9)), "corp\\anna")
    assert "not then" in free.steps[-1]
    assert "next logon" in free.changes[0]


def test_a_refusal_with_a_recorded_reason_is_not_inferred():
    refusal = a_refusal(reasons=("server-version-too-low",), host="SH1", times=3)
    found = only(a_refused(refusal), "corp\\anna")
    assert (found.steps[0], found.inferred) == ("recorded reason: server-version-too-low", False)
    assert found.headline.endswith("from LS1 at SH1, 3 times since")
    assert found.changes == (CHANGES[Reason.SERVER_VERSION_TOO_LOW],)
