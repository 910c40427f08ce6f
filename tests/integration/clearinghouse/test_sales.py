"""Organizations and purchases: what can be sold, under which numbers, and what cannot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import MAX_QUANTITY, AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.domain.acceptance import AcceptanceRefusal
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.pack_requests import MAX_PACKS
from calward.domain.purchases import FORMS, read_numbers
from calward.domain.statements import MAX_TOTAL, NO_END, Program
from tests.support.asking_server import AskingServer
from tests.support.signed import DAY, NOW

R = AcceptanceRefusal


def a_sale(**changes: Any) -> AddPurchase:
    sale = AddPurchase(Program.VOLUME, "windows-server", "2008r2", CalType.PER_USER, 50, order="A-1")
    return replace(sale, **changes)


def problem_of(call: Callable[[], object]) -> Problem:
    with pytest.raises(LicensingError) as caught:
        call()
    return caught.value.problem


@pytest.mark.parametrize("program", list(Program))
def test_each_program_is_claimed_with_its_numbers(desk: Clearinghouse, new: AskingServer, program: Program) -> None:
    end = NOW + 365 * DAY if program is Program.SUBSCRIPTION else NO_END
    bought = desk.add_purchase(a_sale(program=program, expires_at=end))
    assert len(bought.numbers) == len(FORMS[program])
    assert read_numbers(program, bought.numbers) == bought.numbers
    (pack,) = new.ask(new.install(program, *(one.lower() for one in bought.numbers)))
    assert (pack.program, pack.total, pack.version, pack.expires_at) == (program, 50, "2008R2", end)


def test_the_same_order_is_the_same_purchase(desk: Clearinghouse) -> None:
    desk.add_organization(AddOrganization("Example Ltd"))
    first = desk.add_purchase(a_sale(organization="Example Ltd"))
    assert desk.add_purchase(a_sale(organization=first.organization, version="2008R2")) == first
    assert desk.add_purchase(a_sale(order="A-2")) != first
    assert desk.add_purchase(a_sale(order=None)) != desk.add_purchase(a_sale(order=None))
    assert problem_of(lambda: desk.add_purchase(a_sale(quantity=51))) is Problem.CONFLICT
    assert problem_of(lambda: desk.add_purchase(a_sale())) is Problem.CONFLICT


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"quantity": 0}, Problem.MALFORMED),
        ({"quantity": MAX_QUANTITY + 1}, Problem.MALFORMED),
        ({"quantity": MAX_TOTAL + 1, "program": Program.RETAIL}, Problem.MALFORMED),
        ({"expires_at": NOW}, Problem.MALFORMED),
        ({"program": Program.SUBSCRIPTION}, Problem.MALFORMED),
        ({"order": "\x1b"}, Problem.MALFORMED),
        ({"version": "2050"}, Problem.NOT_FOUND),
        ({"ladder": "../x"}, Problem.NOT_FOUND),
        ({"organization": "Nobody"}, Problem.NOT_FOUND),
    ],
)
def test_what_makes_no_sense_is_not_sold(desk: Clearinghouse, change: dict[str, Any], problem: Problem) -> None:
    assert problem_of(lambda: desk.add_purchase(a_sale(**change))) is problem
    assert not desk.overview().purchases


def test_an_organization_has_a_name_of_its_own(desk: Clearinghouse) -> None:
    added = desk.add_organization(AddOrganization("Example Ltd", "Jo"))
    assert (added.name, added.contact) == ("Example Ltd", "Jo")
    assert problem_of(lambda: desk.add_organization(AddOrganization("Example Ltd"))) is Problem.CONFLICT
    assert problem_of(lambda: desk.add_organization(AddOrganization(""))) is Problem.MALFORMED
    assert problem_of(lambda: desk.add_organization(AddOrganization("X", "\x00"))) is Problem.MALFORMED
    assert list(desk.overview().organizations) == [added]


def test_a_server_joins_who_bought_and_claims_nothing_of_others(desk: Clearinghouse, new: AskingServer) -> None:
    ours, theirs = (desk.add_organization(AddOrganization(one)) for one in ("Example Ltd", "Another Ltd"))
    first = desk.add_purchase(a_sale(organization="Example Ltd"))
    other = desk.add_purchase(a_sale(organization=theirs.organization_id, order="A-2"))
    retail = desk.add_purchase(a_sale(program=Program.RETAIL, order="A-3"))
    (offer,) = new.ask(new.install(Program.VOLUME, *first.numbers, preview=True))
    assert offer.organization == "Example Ltd"
    assert [one.organization for one in desk.overview().servers] == [None]
    new.ask(new.install(Program.VOLUME, *first.numbers))
    assert [one.organization for one in desk.overview().servers] == [ours.organization_id]
    assert new.refused(new.install(Program.VOLUME, *other.numbers)) is R.NOT_SAME_ORGANIZATION
    new.ask(new.install(Program.RETAIL, *retail.numbers))


def test_a_subscription_ends_with_its_agreement(desk: Clearinghouse, new: AskingServer) -> None:
    bought = desk.add_purchase(a_sale(program=Program.SUBSCRIPTION, expires_at=NOW + 5 * DAY))
    desk.clock.set(desk.clock.now() + 5 * 86_400)
    assert new.refused(new.install(Program.SUBSCRIPTION, *bought.numbers)) is R.PACK_EXPIRED


def test_what_is_sold_straight_belongs_to_who_has_the_server(
    desk: Clearinghouse, old: AskingServer, new: AskingServer
) -> None:
    desk.add_organization(AddOrganization("Example Ltd"))
    bought = desk.add_purchase(a_sale(version="2008", organization="Example Ltd"))
    for server in (old, new):
        server.ask(server.install(Program.VOLUME, *bought.numbers, quantity=1))
    desk.sign_pack(SignKeyPack("A-9", old.server_id, "windows-server", "2003", CalType.PER_DEVICE, 5))
    sold = next(one for one in desk.overview().packs if one.total == 5)
    assert new.ask(new.move(old, sold.pack_id))[1:] == []


def test_expired_packs_take_no_room(desk: Clearinghouse, new: AskingServer) -> None:
    ends = desk.add_purchase(a_sale(program=Program.SUBSCRIPTION, expires_at=NOW + DAY, quantity=100))
    stays = desk.add_purchase(a_sale(order="A-2"))
    for _ in range(MAX_PACKS):
        new.send(new.install(Program.SUBSCRIPTION, *ends.numbers, quantity=1))
    assert new.refused(new.install(Program.VOLUME, *stays.numbers)) is R.NOTHING_LEFT
    desk.clock.set(desk.clock.now() + 86_400)
    assert isinstance(new.send(new.install(Program.VOLUME, *stays.numbers)), bytes)
