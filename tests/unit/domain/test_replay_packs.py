"""Does the fold of events know what packs are that froze, left, came, changed, and what cannot have happened to them?"""

from typing import Any

import pytest

from calward.domain.replay import Replay
from calward.domain.replay_state import Share
from tests.support.builders import family
from tests.unit.domain.test_replay import DEVICE, a_license, a_pack, replay, wrong

TEMPORARY = {"status": "temporary", "pack": None, "seat": None}


def frozen(**changes: Any) -> dict[str, Any]:
    return {"kind": "pack-frozen", "pack": "P1", "generation": 1, "transfer": "T1", "target": "LS2"} | changes


def unfrozen(**changes: Any) -> dict[str, Any]:
    return {"kind": "pack-unfrozen", "pack": "P1", "transfer": "T1"} | changes


def moved_out(**changes: Any) -> dict[str, Any]:
    return {"kind": "pack-moved-out", "pack": "P1", "generation": 1, "transfer": "T1"} | changes


def adopted(**changes: Any) -> dict[str, Any]:
    event = {"kind": "license-adopted", "holder": DEVICE, "pack": "P1", "seat": 4, "issued": 50, "expires": 800}
    return event | changes


def changed(**changes: Any) -> dict[str, Any]:
    event = {"kind": "pack-changed", "pack": "P1", "version": "2012", "type": "per-device", "total": 5, "expires": 999}
    return event | {"generation": 2, "bought_as": "2016", "order": "O1"} | changes


def reseated(*licenses: list[int], pack: str = "P1") -> dict[str, Any]:
    return {"kind": "licenses-reseated", "pack": pack, "licenses": list(licenses)}


def set_aside(count: int) -> dict[str, Any]:
    return {"kind": "cals-set-aside", "pack": "P1", "count": count}


def the_pack(found: Replay) -> Any:
    return found.packs[1]


def test_a_pack_has_the_generation_in_which_it_came_and_the_version_that_was_paid_for():
    pack = the_pack(replay(a_pack(generation=3, bought_as="2019")))
    assert (pack.generation, pack.bought_as) == (3, "2019")
    assert (the_pack(replay(a_pack())).generation, the_pack(replay(a_pack())).bought_as) == (1, "")


def test_a_pack_is_frozen_for_a_transfer_until_it_is_unfrozen():
    pack = the_pack(replay(a_pack(), frozen()))
    assert (pack.transfer, pack.frozen_at, pack.removed_at) == ("T1", 102, None)
    pack = the_pack(replay(a_pack(), frozen(), unfrozen()))
    assert (pack.transfer, pack.frozen_at) == (None, None)


def test_a_pack_that_moves_out_ends_its_running_licenses_and_no_others():
    found = replay(
        a_pack(),
        a_license(license=2),
        a_license(license=3, seat=4),
        {"kind": "expired", "licenses": [3]},
        a_license(license=5, pack="P2"),
        frozen(),
        moved_out(),
    )
    ends = {number: (x.ended_at, x.ending) for number, x in found.licenses.items()}
    assert ends == {2: (107, "moved"), 3: (900, "expired"), 5: (None, None)}
    assert (the_pack(found).removed_at, the_pack(found).transfer) == (107, "T1")
    assert not found.findings
    assert found.installed == {}


def test_a_pack_that_left_may_come_back_as_another_row():
    found = replay(a_pack(), moved_out(), a_pack(generation=3))
    assert (found.packs[1].removed_at, found.packs[3].removed_at) == (102, None)
    assert found.installed == {"P1": 3}


def test_an_adopted_license_is_one_of_its_pack_with_the_events_number():
    found = replay(a_pack(), adopted())
    state = found.licenses[2]
    assert (state.type, state.status, state.version, state.family) == ("per-device", "active", "2016", family("2016"))
    assert (state.pack, state.seat, state.issued_at, state.expires_at, state.decision) == ("P1", 4, 50, 800, 2)
    assert found.holders == {DEVICE: None}


def test_an_adopted_license_ends_what_it_replaces():
    found = replay(a_license(), a_pack(), adopted(ends=[[1, "upgraded"]]))
    assert (found.licenses[1].ended_at, found.licenses[1].ending) == (103, "upgraded")


def test_a_device_that_was_proven_elsewhere_is_so_here_and_one_that_was_so_before_stays_so():
    assert replay(a_pack(), adopted(proven=40)).holders == {DEVICE: 40}
    proven = {"kind": "proven", "holder": DEVICE, "license": 9, "host": "SH1"}
    assert replay(a_pack(), proven, adopted(proven=40)).holders == {DEVICE: 102}


def test_a_changed_pack_takes_its_running_licenses_along():
    found = replay(
        a_pack(),
        a_license(license=2),
        a_license(license=3, seat=4),
        {"kind": "revoked", "license": 3},
        a_license(license=5, pack="P2"),
        set_aside(2),
        changed(total=4),
    )
    pack = the_pack(found)
    assert (pack.version, pack.family, pack.total, pack.generation) == ("2012", family("2012"), 4, 2)
    assert (pack.bought_as, pack.aside) == ("2016", 0)
    assert {number: x.version for number, x in found.licenses.items()} == {2: "2012", 3: "2016", 5: "2016"}
    assert found.licenses[2].family == family("2012")


def test_reseated_licenses_hold_the_cals_that_the_event_names():
    found = replay(
        a_pack(), a_license(license=2), a_pack(pack="P2", version="2012"), reseated([2, 1], [99, 2], pack="P2")
    )
    state = found.licenses[2]
    assert (state.pack, state.seat, state.version, state.family) == ("P2", 1, "2012", family("2012"))


def test_cals_wait_for_a_change_until_they_wait_no_longer():
    assert the_pack(replay(a_pack(), set_aside(3))).aside == 3
    assert the_pack(replay(a_pack(), set_aside(3), set_aside(0))).aside == 0
    assert the_pack(replay(a_pack(), set_aside(3), moved_out())).aside == 0


def test_a_barred_pack_changes_no_table():
    found = replay({"kind": "pack-barred", "pack": "P1", "generation": 1, "transfer": "T1"})
    assert (found.packs, found.findings) == ({}, [])


@pytest.mark.parametrize(
    "event", [frozen(), unfrozen(), moved_out(), adopted(), changed(), reseated([1, 2]), set_aside(1)]
)
def test_what_happens_to_a_pack_that_is_not_installed_cannot_have_happened(event):
    found = replay(event)
    assert wrong(found) == [f"event 1 ({event['kind']})"]
    assert not found.licenses


def test_a_pack_is_not_frozen_twice_nor_unfrozen_for_another_transfer():
    assert wrong(replay(a_pack(), frozen(), frozen(transfer="T2"))) == ["event 3 (pack-frozen)"]
    assert wrong(replay(a_pack(), frozen(), unfrozen(transfer="T2"))) == ["event 3 (pack-unfrozen)"]


def test_each_share_folds_its_own_licenses_and_holders():
    events = (a_pack(), adopted(proven=40), adopted(seat=5, proven=41))
    shares = [replay(*events, share=Share(part, 2)) for part in (0, 1)]
    assert [sorted(x.licenses) for x in shares] == [[2], [3]]
    assert sum(DEVICE in x.holders for x in shares) == 1
