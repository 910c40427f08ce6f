"""Does a pack become another one together with its licenses, on every ledger, and is no CAL lost or doubled?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from calward.app.licensing.install_key_pack import RemoveKeyPack, remove_key_pack
from calward.app.licensing.plan_change import ChangePlan, Preview, plan_change, preview_change
from calward.app.licensing.request_packs import ask_change, give_up_change, open_asks
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.key_packs import PackId
from calward.domain.pack_orders import PackRef
from calward.domain.pack_requests import ChangeKind
from calward.domain.reasons import Reason
from tests.support.builders import a_host, ladder
from tests.support.clocks import DAY, SetClock
from tests.support.house import House
from tests.support.ledgers import LEDGERS
from tests.support.moving import PACK_ID, SOURCE, a_statement

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])
PART_ID = "0b" * 16
OLD_HOST = a_host("2012", number=2)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A server with a pack of five CALs of 2016; PC1, PC2 and PC3 hold one each, in this order."""
    place: Any = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else tmp_path
    clock = SetClock()
    with LEDGERS[request.param](place, clock) as ledger:
        house = House(ledger, SOURCE, clock)
        house.receive()
        for who in ("PC1", "PC2", "PC3"):
            house.full(who)
            clock.pass_days(1)
        yield house
        assert not house.audit()


def itself(**changes: Any) -> Any:
    return a_statement(generation=2, **changes)


def part(total: int, **changes: Any) -> Any:
    return a_statement(pack_id=PART_ID, total=total, **changes)


def a_plan(kind: ChangeKind, to: str, count: int | None = None) -> ChangePlan:
    return ChangePlan(PackId(PACK_ID), kind, to, count, "anna")


def request(house: House, plan: ChangePlan) -> Any:
    rest = (house.signatures, house.entropy)
    return house.look(lambda book: ask_change(plan, book, ladder(), *rest, now=book.now()))


def test_a_downgraded_pack_takes_its_licenses_along_and_remembers_what_it_was(house):
    number = house.ask("PC1")["license"]
    done = house.change(itself(version="2012"))
    assert (done.outcome, done.facts["licenses"]) == ("changed", 3)
    pack = house.pack()
    assert (pack.version, pack.generation, pack.bought_as, pack.total) == ("2012", 2, "2016", 5)
    assert house.license(number).version == "2012"
    assert house.ask("PC1", OLD_HOST)["change"] == "kept"
    assert Reason.CAL_VERSION_TOO_LOW in house.ask("PC1")["reasons"]


def test_a_change_that_comes_twice_changes_nothing_more(house):
    house.change(itself(version="2012"))
    again = house.change(itself(version="2012"))
    assert (again.outcome, again.event) == ("changed", 0)
    assert house.pack().generation == 2


def test_a_downgraded_pack_is_raised_again_and_its_licenses_with_it(house):
    number = house.ask("PC1")["license"]
    house.change(itself(version="2012"))
    house.change(a_statement(generation=3), kind=ChangeKind.UPGRADE, generation=2, order_id="0e" * 16)
    assert house.license(number).version == "2016"
    assert house.ask("PC1")["change"] == "kept"


def test_free_cals_are_split_off_first(house):
    house.change(itself(total=3), part(2, version="2012"))
    assert (house.free(), house.free(PART_ID)) == (0, 2)
    assert sorted(house.seats().values()) == [1, 2, 3]


def test_then_those_whose_licenses_expire_first_and_all_go_on(house):
    before = {who: house.ask(who)["license"] for who in ("PC1", "PC2", "PC3")}
    first = min(before, key=lambda who: house.license(before[who]).expires_at)
    house.change(itself(total=2), part(3, version="2012"))
    assert set(house.seats(PART_ID)) == {first}
    assert sorted(house.seats().values()) == [1, 2]
    assert house.license(before[first]).version == "2012"
    for who in set(before) - {first}:
        found = house.license(before[who])
        assert (found.version, found.seat.pack) == ("2016", PACK_ID)
        assert house.ask(who)["license"] == before[who]
    assert house.full("PC4")["status"] == "temporary"
    assert house.full("PC5", OLD_HOST)["version"] == "2012"


def test_a_part_may_take_all_but_one_and_a_split_pack_may_be_split_again(house):
    house.change(itself(total=1), part(4, version="2012"))
    assert (len(house.seats()), len(house.seats(PART_ID))) == (1, 2)
    ending = {who: house.license(house.ask(who, OLD_HOST)["license"]).expires_at for who in ("PC1", "PC2", "PC3")}
    assert set(house.seats()) == {max(ending, key=ending.get)}


def test_a_part_that_becomes_per_user_must_be_free(house):
    per_user = part(3, cal_type=CalType.PER_USER)
    refused = house.change(itself(total=2), per_user, kind=ChangeKind.CONVERT)
    assert refused.reasons == (Reason.PACK_IN_USE,)
    assert (house.pack().total, house.pack().generation) == (5, 1)
    per_user = part(2, cal_type=CalType.PER_USER)
    assert house.change(itself(total=3), per_user, kind=ChangeKind.CONVERT).outcome == "changed"
    assert house.pack(PART_ID).type is CalType.PER_USER
    assert house.ask("ann", a_host("2016", CalType.PER_USER, number=3))["status"] == "active"


def test_cals_that_are_to_be_converted_are_set_aside_and_asked_for_once(house):
    plan = a_plan(ChangeKind.CONVERT, "per-user", 2)
    first = request(house, plan)
    assert request(house, plan) == first
    assert (house.pack().aside, house.free()) == (2, 0)
    assert house.full("PC4")["status"] == "temporary"
    assert (
        house.change(itself(total=3), part(2, cal_type=CalType.PER_USER), kind=ChangeKind.CONVERT).outcome == "changed"
    )
    assert house.free(PART_ID) == 2


def test_more_cals_than_are_free_are_not_asked_for(house):
    refused = request(house, a_plan(ChangeKind.CONVERT, "per-user", 3))
    assert refused.reasons == (Reason.PACK_IN_USE,)
    assert house.free() == 2


def test_a_conversion_that_is_given_up_lets_its_cals_be_issued(house):
    plan = a_plan(ChangeKind.CONVERT, "per-user", 2)
    first = request(house, plan)
    assert house.act(give_up_change, PackId(PACK_ID), by="anna").outcome == "given up"
    assert house.look(lambda book: list(open_asks(book))) == []
    assert house.full("PC4")["status"] == "active"
    assert request(house, a_plan(ChangeKind.CONVERT, "per-user", 1)) != first


def test_a_frozen_pack_is_not_changed(house):
    house.release()
    assert house.change(itself(version="2012")).reasons == (Reason.PACK_MOVING,)
    assert request(house, a_plan(ChangeKind.DOWNGRADE, "2012")).reasons == (Reason.PACK_MOVING,)


def test_an_order_that_would_lose_cals_is_refused(house):
    assert house.change(itself(total=4)).reasons == (Reason.NOTHING_TO_DO,)
    assert house.change(itself(total=4), part(2)).reasons == (Reason.NOTHING_TO_DO,)
    assert house.pack().total == 5


def test_an_order_for_another_generation_waits(house):
    refused = house.change(a_statement(generation=8), generation=7)
    assert refused.reasons == (Reason.NOTHING_TO_DO,)


@pytest.mark.parametrize(
    ("kind", "to", "reason"),
    [
        (ChangeKind.UPGRADE, "2019", Reason.ABOVE_WHAT_WAS_BOUGHT),
        (ChangeKind.UPGRADE, "2012", Reason.NOTHING_TO_DO),
        (ChangeKind.DOWNGRADE, "2016", Reason.NOTHING_TO_DO),
        (ChangeKind.CONVERT, "per-device", Reason.NOTHING_TO_DO),
    ],
)
def test_what_cannot_be_is_refused_before_anyone_is_asked(house, kind, to, reason):
    assert house.act(plan_change, a_plan(kind, to), ladder=ladder()).reasons == (reason,)


def test_more_cals_than_the_pack_has_are_an_error(house):
    with pytest.raises(LicensingError, match="has 5 CALs, not 6"):
        house.act(plan_change, a_plan(ChangeKind.DOWNGRADE, "2012", 6), ladder=ladder())


def test_a_preview_says_who_would_lose_which_hosts(house):
    hosts = [a_host("2016"), OLD_HOST, a_host("2016", CalType.PER_USER, number=3)]
    found = house.act(preview_change, a_plan(ChangeKind.DOWNGRADE, "2012", 3), ladder=ladder(), hosts=hosts)
    assert isinstance(found, Preview)
    assert (len(found.licenses), found.free, found.lost, found.hosts) == (1, 2, ("2016",), ("SH1",))
    assert house.pack().generation == 1


def test_a_pack_that_was_removed_before_its_change_came_is_installed_as_it_is_now(house):
    house.clock.pass_days(200)
    house.act(remove_key_pack, RemoveKeyPack(PackId(PACK_ID), "anna"))
    assert house.change(itself(version="2012")).outcome == "installed"
    assert house.pack().version == "2012"


def test_a_part_whose_id_was_here_is_refused(house):
    house.receive(1, pack_id=PART_ID)
    assert house.change(itself(total=3), part(2)).reasons == (Reason.PACK_ALREADY_INSTALLED,)


def test_a_pack_is_not_raised_above_the_server(house):
    house.change(itself(version="2012", bought_as="2025"))
    made = house.look(lambda book: book.server())
    house.look(lambda book: book.set_server(replace(made, version="2016", family=ladder().family_of("2016"))))
    raised = a_statement(generation=3, version="2019", bought_as="2025")
    assert house.change(raised, kind=ChangeKind.UPGRADE, generation=2).reasons == (Reason.SERVER_VERSION_TOO_LOW,)
    plan = a_plan(ChangeKind.UPGRADE, "2019")
    assert house.act(plan_change, plan, ladder=ladder()).reasons == (Reason.SERVER_VERSION_TOO_LOW,)
    house.look(lambda book: book.set_server(made))


def test_an_expired_pack_is_not_changed_any_more(house):
    ends = datetime.fromtimestamp(house.clock.now() + DAY, UTC)
    house.receive(1, pack_id=PART_ID, expires_at=ends)
    house.clock.pass_days(1)
    plan = ChangePlan(PackId(PART_ID), ChangeKind.DOWNGRADE, "2012", None, "anna")
    assert house.act(plan_change, plan, ladder=ladder()).reasons == (Reason.PACK_EXPIRED,)
    order = {"pack": PackRef(PART_ID, 1)}
    changed = a_statement(pack_id=PART_ID, generation=2, version="2012", expires_at=ends)
    assert house.change(changed, **order).reasons == (Reason.PACK_EXPIRED,)


def test_a_preview_of_a_conversion_says_that_too_few_are_free(house):
    plan = a_plan(ChangeKind.CONVERT, "per-user", 3)
    found = house.act(preview_change, plan, ladder=ladder(), hosts=[])
    assert (found.reasons, found.licenses, found.lost) == ((Reason.PACK_IN_USE,), (), ())


def test_a_preview_of_what_cannot_be_is_refused(house):
    plan = a_plan(ChangeKind.UPGRADE, "2019")
    assert house.act(preview_change, plan, ladder=ladder(), hosts=[]).reasons == (Reason.ABOVE_WHAT_WAS_BOUGHT,)


def test_what_waits_for_no_change_cannot_be_given_up(house):
    assert house.act(give_up_change, PackId(PACK_ID), by="anna").reasons == (Reason.NOTHING_TO_DO,)


def test_a_whole_pack_that_nobody_uses_changes_its_type(house):
    house.receive(1, pack_id=PART_ID)
    converted = a_statement(pack_id=PART_ID, generation=2, cal_type=CalType.PER_USER)
    done = house.change(converted, kind=ChangeKind.CONVERT, pack=PackRef(PART_ID, 1))
    assert (done.outcome, house.pack(PART_ID).type) == ("changed", CalType.PER_USER)


def test_a_change_of_a_pack_that_went_elsewhere_brings_nothing_back(house):
    house.release()
    house.end()
    assert house.change(itself(version="2012")).outcome == "installed"  # A later generation is this server's again.
    assert house.change(itself(version="2012"), order_id="0c" * 16).event == 0
