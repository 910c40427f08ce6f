"""Which packs serve a host, and in which order?"""

from calward.domain.key_packs import Shelf
from calward.domain.licenses import NEVER
from tests.support.builders import DEVICE, USER, a_key_pack, family
from tests.support.clocks import DAY, NOW

H2016 = family("2016")


def ids(packs):
    return [pack.id for pack in packs]


def test_among_packs_of_one_family_the_one_that_expires_first_comes_first_then_the_oldest():
    never = a_key_pack(row=1, installed_at=NOW - 9 * DAY)
    younger = a_key_pack(row=2, installed_at=NOW - DAY)
    soon = a_key_pack(row=3, expires_at=NOW + DAY, installed_at=NOW)
    shelf = Shelf.of([never, younger, soon])
    assert ids(shelf.same_family(DEVICE, H2016, NOW)) == ["P3", "P1", "P2"]


def test_newer_families_come_lowest_first_whatever_their_ends():
    shelf = Shelf.of([a_key_pack("2022", row=1, expires_at=NOW + DAY), a_key_pack("2019", row=2)])
    assert ids(shelf.higher_families(DEVICE, H2016, NOW)) == ["P2", "P1"]


def test_versions_that_share_a_cal_lie_together():
    shelf = Shelf.of([a_key_pack("2008", row=1), a_key_pack("2008R2", row=2), a_key_pack("2012", row=3)])
    assert ids(shelf.same_family(DEVICE, family("2008R2"), NOW)) == ["P1", "P2"]
    assert ids(shelf.higher_families(DEVICE, family("2008"), NOW)) == ["P3"]
    assert ids(shelf.older_families(DEVICE, family("2012R2"), NOW)) == ["P1", "P2"]


def test_the_types_lie_apart():
    shelf = Shelf.of([a_key_pack(row=1), a_key_pack(type_=USER, row=2)])
    assert ids(shelf.same_family(USER, H2016, NOW)) == ["P2"]


def test_a_pack_is_gone_from_the_second_in_which_it_expires():
    shelf = Shelf.of([a_key_pack(total=7, expires_at=NOW), a_key_pack("2022", row=2, total=5, expires_at=NOW)])
    assert shelf.installed(DEVICE, H2016, NOW - 1) == 7
    assert shelf.installed(DEVICE, H2016, NOW) == 0
    assert ids(shelf.higher_families(DEVICE, H2016, NOW - 1)) == ["P2"]
    assert ids(shelf.higher_families(DEVICE, H2016, NOW)) == []
    assert ids(shelf.older_families(DEVICE, family("2025"), NOW)) == []


def test_a_frozen_pack_counts_as_an_expired_one():
    frozen = a_key_pack(total=7, transfer="7f" * 16, frozen_at=NOW)
    shelf = Shelf.of([frozen, a_key_pack(row=2, total=5)])
    assert shelf.installed(DEVICE, H2016, NOW) == 5
    assert ids(shelf.same_family(DEVICE, H2016, NOW)) == ["P2"]
    assert ids(shelf.older_families(DEVICE, family("2025"), NOW)) == ["P2"]
    assert shelf.by_id["P1"] is frozen


def test_a_clock_that_was_put_back_finds_again_what_had_expired():
    shelf = Shelf.of([a_key_pack(row=1, expires_at=NOW), a_key_pack(row=2, expires_at=NOW + 9 * DAY)])
    assert ids(shelf.same_family(DEVICE, H2016, NOW)) == ["P2"]
    assert ids(shelf.same_family(DEVICE, H2016, NOW - 1)) == ["P1", "P2"]


def test_all_packs_are_found_by_id_the_expired_too():
    gone = a_key_pack(expires_at=NOW - DAY)
    assert Shelf.of([gone]).by_id == {"P1": gone}
    assert NEVER > NOW
