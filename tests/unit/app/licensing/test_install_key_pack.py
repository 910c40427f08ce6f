"""Which packs are installed, and when may one go?"""

import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.install_key_pack import InstallKeyPack
from calward.domain.errors import LicensingError, Problem
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.reasons import Reason
from tests.support.builders import DEVICE, a_server
from tests.support.clocks import DAY, NOW
from tests.support.office import Office


def a_pack(**changes):
    values = {"id": PackId("K1"), "version": "2008R2", "type": DEVICE, "total": 5, "expires_at": NEVER, "by": "root"}
    return InstallKeyPack(**(values | changes))


def test_an_installed_pack_lies_on_the_shelf_and_its_event_says_what_it_holds():
    office = Office()
    done = office.try_install(a_pack(version="2008r2"))
    assert isinstance(done, Done)
    assert office.book.shelf().by_id["K1"].version == "2008R2"
    [written] = office.events("pack-installed")
    assert written == {
        "id": done.event,
        "at": NOW,
        "kind": "pack-installed",
        "by": "root",
        "server": "LS1",
        "pack": "K1",
        "version": "2008R2",
        "type": "per-device",
        "total": 5,
        "expires": NEVER,
        "generation": 1,
        "bought_as": "2008R2",
    }


@pytest.mark.parametrize(
    ("server", "changes", "reason", "said"),
    [
        ("2003", {}, Reason.SERVER_VERSION_TOO_LOW, "versions that would do are 2008, 2008R2, 2012"),
        ("2025", {"expires_at": NOW}, Reason.PACK_EXPIRED, "ask for one with a later end"),
    ],
)
def test_a_pack_that_would_be_of_no_use_here_is_refused_with_what_helps(server, changes, reason, said):
    office = Office(a_server(server))
    refused = office.try_install(a_pack(**changes))
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (reason,)
    assert said in refused.detail
    assert not office.book.shelf().by_id
    [written] = office.events("act-refused")
    assert (written["act"], written["pack"], written["reasons"]) == ("install", "K1", [reason.value])


def test_a_2008_server_takes_packs_of_its_family():
    assert isinstance(Office(a_server("2008")).try_install(a_pack()), Done)


def test_a_server_that_is_not_activated_may_hold_packs():
    assert isinstance(Office(a_server(activated=False)).try_install(a_pack()), Done)


def test_a_pack_is_not_installed_twice():
    office = Office()
    office.try_install(a_pack())
    refused = office.try_install(a_pack(total=500))
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.PACK_ALREADY_INSTALLED,)
    assert office.book.shelf().by_id["K1"].total == 5


@pytest.mark.parametrize(
    ("changes", "said"), [({"version": "2007"}, "is no version of the ladder"), ({"total": 0}, "at least 1 CAL")]
)
def test_a_pack_of_nothing_known_is_an_error(changes, said):
    with pytest.raises(LicensingError, match=said):
        Office().try_install(a_pack(**changes))


def test_a_pack_that_nobody_uses_may_go():
    office = Office()
    office.install(id="K1")
    done = office.remove("K1")
    assert isinstance(done, Done)
    assert not office.book.shelf().by_id
    assert office.events("pack-removed") == [
        {"id": done.event, "at": NOW, "kind": "pack-removed", "by": "root", "pack": "K1"}
    ]


def test_a_pack_in_use_stays_and_says_how_many_hold_it():
    office = Office()
    office.install(id="K1")
    office.full()
    refused = office.remove("K1")
    assert isinstance(refused, RefusedAct)
    assert (refused.reasons, refused.facts["held"]) == ((Reason.PACK_IN_USE,), 1)
    assert refused.detail.startswith("1 of 2 CALs of pack K1 are held by running licenses")


def test_what_has_ended_on_a_pack_is_written_down_before_it_goes():
    office = Office()
    office.install(id="K1")
    event = office.full()
    office.pass_days(60)
    assert isinstance(office.remove("K1"), Done)
    assert office.license(event["license"]).ended_at == event["expires"]
    assert [x["kind"] for x in office.events()[-2:]] == ["expired", "pack-removed"]


def test_a_pack_that_is_not_there_is_not_found_and_those_that_are_get_named():
    office = Office()
    office.install(id="K1")
    with pytest.raises(LicensingError, match=r"no pack 'K2' is installed \(installed: K1\)") as caught:
        office.remove("K2")
    assert (caught.value.problem, caught.value.field) == (Problem.NOT_FOUND, "pack")
    with pytest.raises(LicensingError, match="installed: none"):
        Office().remove("K2")


def test_an_expired_pack_may_go_though_licenses_once_stood_on_it():
    office = Office()
    office.install(id="K1", expires_at=NOW + 5 * DAY)
    office.full()
    office.pass_days(5)
    assert isinstance(office.remove("K1"), Done)
