"""Several license servers: a holder of CALs on more than one is found, and which CAL is spare."""

from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.ladders import load_ladder
from calward.domain.cals import CalType
from calward.domain.several_servers import HeldCal, duplicates

FAMILY_OF = load_ladder("windows-server").family_of
DEVICE, USER = CalType.PER_DEVICE, CalType.PER_USER


def held(server: str, holder: str, version: str = "2008R2", type_: CalType = DEVICE) -> HeldCal:
    return HeldCal(server, type_, holder, holder.upper(), f"L-{server}-{holder}-{version}", version)


def test_a_device_on_two_servers_is_a_duplicate_and_the_newest_license_is_the_one_it_needs() -> None:
    old, new = held("LS1", "pc1", "2003"), held("LS2", "pc1", "2008R2")
    [found] = duplicates([old, new, held("LS1", "pc2")], FAMILY_OF)
    assert (found.label, found.needed, found.spare) == ("PC1", new, (old,))


def test_of_equal_licenses_the_first_server_keeps_its_own() -> None:
    first, second = held("LS1", "pc1", "2008"), held("LS2", "pc1", "2008R2")
    assert duplicates([first, second], FAMILY_OF)[0].needed is first


def test_a_user_and_a_device_of_one_name_are_two_holders() -> None:
    assert duplicates([held("LS1", "pc1"), held("LS2", "pc1", type_=USER)], FAMILY_OF) == []


def test_several_licenses_on_one_server_are_its_own_business() -> None:
    assert duplicates([held("LS1", "pc1", "2003"), held("LS1", "pc1", "2022")], FAMILY_OF) == []


CALS = st.builds(
    held, st.sampled_from(["LS1", "LS2", "LS3"]), st.sampled_from("abc"), st.sampled_from(["2003", "2022"])
)


@given(st.lists(CALS, max_size=12, unique=True))
def test_nothing_is_lost_and_one_license_always_stays(cals: list[HeldCal]) -> None:
    for found in duplicates(cals, FAMILY_OF):
        all_of_it = {one for one in cals if one.holder == found.holder}
        assert {found.needed, *found.spare} == all_of_it
        assert len({one.server for one in all_of_it}) > 1
        assert all(FAMILY_OF(one.version) <= FAMILY_OF(found.needed.version) for one in found.spare)
