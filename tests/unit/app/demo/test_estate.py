"""Does the demo's story fit together?"""

from collections import Counter

import pytest

from calward.app.demo import acts
from calward.app.demo.estate import CROWDS, DAYS, HOSTS, hardware_id
from calward.app.demo.history import HISTORY
from calward.domain.cals import CalType, HolderKind
from tests.support.builders import ladder

ADDED = {act.name: act for act in HISTORY if isinstance(act, acts.AddHost)}
PEOPLE = {person for crowd in CROWDS for person in crowd.members}
PACKS = [act for act in HISTORY if isinstance(act, acts.InstallPack)]


def test_every_host_of_the_estate_is_added_on_the_first_day():
    assert {host.name for host in HOSTS} == {name for name, act in ADDED.items() if act.day == 0}


def test_there_are_hosts_from_2003_to_2022_in_both_modes():
    assert {"2003", "2008R2", "2012R2", "2016", "2019", "2022"} <= {host.version for host in HOSTS}
    assert {host.mode for host in HOSTS} == set(CalType)


def test_everybody_logs_on_at_hosts_that_exist_in_a_mode_that_fits():
    office = {"SH16-OFFICE2"}  # The policy of its group turns it into a per-user host.
    for crowd in CROWDS:
        for name in {*crowd.hosts, *crowd.visits} - office:
            assert {person.kind for person in crowd.members} == {ADDED[name].mode.holder_kind}, name


def test_some_hundred_devices_and_users_have_names_of_their_own():
    kinds = Counter(person.kind for person in PEOPLE)
    assert kinds[HolderKind.DEVICE] >= 150
    assert kinds[HolderKind.USER] >= 100
    assert len({person.label for person in PEOPLE}) == len(PEOPLE) == len({person.key for person in PEOPLE})


def test_a_device_is_known_by_its_hardware_id_not_its_name():
    device = next(person for person in PEOPLE if person.label == "ERP-PC-07")
    assert device.key == hardware_id("ERP-PC-07") != device.label


def test_every_act_happens_within_the_history_at_a_minute_of_its_day():
    assert all(0 <= act.day <= DAYS and 0 <= act.minute < 24 * 60 for act in HISTORY)


def test_every_version_and_setting_that_is_named_exists():
    rungs = ladder()
    for act in HISTORY:
        if isinstance(act, acts.InstallPack | acts.AddHost | acts.ChangeHost):
            assert rungs.canonical(act.version) == act.version


@pytest.mark.parametrize("act", [x for x in HISTORY if isinstance(x, acts.Revoke | acts.Release)], ids=str)
def test_licenses_are_taken_from_people_who_exist(act):
    name, kind = (act.device, HolderKind.DEVICE) if isinstance(act, acts.Revoke) else (act.user, HolderKind.USER)
    assert any(person.label == name and person.kind is kind for person in PEOPLE)


def test_each_order_is_one_pack_and_both_types_are_bought():
    assert len({pack.order for pack in PACKS}) == len(PACKS)
    assert {pack.type for pack in PACKS} == set(CalType)


def test_one_pack_has_expired_today_and_one_will_within_a_month():
    ends = [pack.ends for pack in PACKS if pack.ends]
    assert any(end < DAYS for end in ends)
    assert any(DAYS < end < DAYS + 30 for end in ends)
