"""A pack from its purchase to one license server and on to another, with signed envelopes and a real store."""

from dataclasses import replace

import pytest

from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.cals import CalType, HolderKind
from calward.domain.handover import HandedLicense, Handover
from calward.domain.pack_orders import PackRef, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.statements import KeyPackStatement, Program
from tests.support.asking_server import AskingServer

A_LICENSE = HandedLicense(HolderKind.DEVICE, "0a" * 20, "PC1", 3, 1_772_000_000, 1_779_000_000, 1_772_100_000)


def ref(pack: KeyPackStatement) -> PackRef:
    return PackRef(pack.pack_id, pack.generation)


def test_a_pack_goes_from_its_purchase_to_a_server_and_on_to_the_next(
    desk: Clearinghouse, old: AskingServer, new: AskingServer
) -> None:
    desk.add_organization(AddOrganization("Example Ltd"))
    sale = AddPurchase(Program.OPEN, "windows-server", "2008", CalType.PER_DEVICE, 50, "Example Ltd")
    bought = desk.add_purchase(sale)

    (pack,) = old.ask(old.install(Program.OPEN, *bought.numbers, quantity=20))
    assert (pack.total, pack.generation, pack.version) == (20, 1, "2008")
    assert old.ask(old.contact(ref(pack))) == []

    assert new.ask(new.move(old, pack.pack_id, proof=bought.numbers[1])) == []
    (order,) = old.ask(old.contact(ref(pack)))
    assert isinstance(order, TransferOrder)
    assert (order.pack, order.target_id, order.target_name) == (ref(pack), new.server_id, "new")

    (end,) = old.ask(*old.release(order, A_LICENSE))
    assert isinstance(end, TransferEnd)
    assert (end.transfer_id, end.outcome) == (order.order_id, TransferOutcome.COMPLETED)

    moved, handed = new.ask(new.contact())
    assert moved == replace(
        pack, generation=2, server_id=new.server_id, issued_at=moved.issued_at, handover=moved.handover
    )
    assert isinstance(handed, Handover)
    assert handed.licenses == (A_LICENSE,)

    assert new.ask(new.contact(ref(moved))) == []
    assert old.ask(old.contact(done=(order.order_id, end.order_id))) == []
    assert [one.statement for one in desk.overview().register] == [moved]
    assert [claimed for _, claimed in desk.overview().purchases] == [20]


@pytest.fixture
def old(desk: Clearinghouse, root_key: bytes) -> AskingServer:
    return activated(AskingServer(desk, root_key, "old", "2008"))


@pytest.fixture
def new(desk: Clearinghouse, root_key: bytes) -> AskingServer:
    return activated(AskingServer(desk, root_key, "new", "2022"))


def activated(server: AskingServer) -> AskingServer:
    server.activate()
    return server
