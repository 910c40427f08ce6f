"""One door for every request: the same request gets the same bytes, whatever happened in between, and nothing is taken twice."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from calward.adapters.signing import load_signer
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.bundle import join, split
from calward.domain.cals import CalType
from calward.domain.pack_acceptance import payload_type_of
from calward.domain.pack_orders import InstallOffer, PackRef
from calward.domain.purchases import make_numbers
from calward.domain.statements import Activation, Channel, KeyPackStatement, PayloadType, Program
from calward.domain.trust import Role
from tests.support.asking_server import AskingServer
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.signed import STATEMENTS, STRANGER, a_signer, sealed

R = AcceptanceRefusal
ROOT = Path(__file__).parents[3]


@pytest.fixture
def numbers(desk: Clearinghouse) -> tuple[str, ...]:
    sale = AddPurchase(Program.VOLUME, "windows-server", "2016", CalType.PER_USER, 30)
    return desk.add_purchase(sale).numbers


def test_an_answer_begins_with_the_keyring_and_is_never_empty(new: AskingServer) -> None:
    answer = new.send(new.contact())
    assert isinstance(answer, bytes)
    assert [payload_type_of(one) for one in split(answer)] == [PayloadType.KEYRING]


def test_the_same_request_gets_the_same_bytes_whatever_happened_since(
    desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path, new: AskingServer, numbers: tuple[str, ...]
) -> None:
    requests = [
        new.seal(one) for one in (new.install(Program.VOLUME, *numbers, quantity=10), new.contact(), new.recover())
    ]
    answers = [new.send(one) for one in requests]
    wiring.publish_keyring(folder, "New name", 30, None)
    wiring.clock.pass_days(9)
    new.ask(new.install(Program.VOLUME, *numbers, quantity=5))
    again = replace(wiring.open_clearinghouse(folder))
    assert [again.answer(one + b"\n", Channel.ONLINE) for one in requests] == answers
    assert [again.answer(one, Channel.FILE) for one in requests] == answers
    assert sum(one.total for one in desk.overview().packs) == 15


def test_what_waits_comes_with_every_answer_until_the_server_says_that_it_has_it(
    new: AskingServer, numbers: tuple[str, ...]
) -> None:
    (pack,) = new.ask(new.install(Program.VOLUME, *numbers, quantity=10))
    assert new.ask(new.contact()) == [pack]
    assert new.ask(new.contact(PackRef(pack.pack_id, 1), PackRef("00" * 16, 1))) == []
    assert new.ask(new.contact()) == []


def test_a_preview_claims_nothing(desk: Clearinghouse, new: AskingServer, numbers: tuple[str, ...]) -> None:
    (offer,) = new.ask(new.install(Program.VOLUME, *numbers, quantity=10, preview=True))
    assert isinstance(offer, InstallOffer)
    assert (offer.quantity, offer.left, offer.version, offer.organization) == (10, 20, "2016", "-")
    assert not desk.overview().register
    (all_of_it,) = new.ask(new.install(Program.VOLUME, *numbers, preview=True))
    assert (all_of_it.quantity, all_of_it.left) == (30, 0)


@pytest.mark.parametrize(
    ("program", "typed", "quantity", "reason"),
    [
        (Program.VOLUME, "right", 31, R.NOTHING_LEFT),
        (Program.VOLUME, "slip", 1, R.NUMBER_UNKNOWN),
        (Program.SUBSCRIPTION, "right", 1, R.NUMBER_UNKNOWN),
        (Program.VOLUME, "another", 1, R.NUMBER_UNKNOWN),
    ],
)
def test_what_was_not_bought_is_not_installed(
    desk: Clearinghouse,
    new: AskingServer,
    numbers: tuple[str, ...],
    program: Program,
    typed: str,
    quantity: int,
    reason: R,
) -> None:
    other = make_numbers(Program.VOLUME, desk.entropy.token)[0]
    slip = numbers[0][:-1] + ("A" if numbers[0][-1] != "A" else "B")
    number = {"right": numbers[0], "slip": slip, "another": other}[typed]
    assert new.refused(new.install(program, number, quantity=quantity)) is reason
    assert not desk.overview().register


def test_another_request_with_an_old_nonce_is_refused(new: AskingServer, numbers: tuple[str, ...]) -> None:
    request = new.install(Program.VOLUME, *numbers, quantity=1)
    new.ask(request)
    assert new.refused(replace(request, quantity=2)) is R.REPLAYED
    assert new.refused(replace(new.contact(), head=request.head)) is R.REPLAYED


def test_a_refused_request_may_be_accepted_later(
    desk: Clearinghouse, new: AskingServer, numbers: tuple[str, ...]
) -> None:
    request = new.install(Program.OPEN, "1", "2")
    assert new.refused(request) is R.NUMBER_UNKNOWN
    assert new.refused(request) is R.NUMBER_UNKNOWN
    new.ask(replace(request, program=Program.VOLUME, numbers=numbers))


def test_several_requests_travel_together(desk: Clearinghouse, root_key: bytes, numbers: tuple[str, ...]) -> None:
    server = AskingServer(desk, root_key, "alone")
    install = server.install(Program.VOLUME, *numbers, quantity=3)
    right, pack = server.ask(server.activation_request(), install, server.contact(), channel=Channel.FILE)
    assert isinstance(right, Activation)
    assert isinstance(pack, KeyPackStatement)
    assert pack.total == 3


def test_the_first_refused_request_ends_a_bundle(
    desk: Clearinghouse, new: AskingServer, numbers: tuple[str, ...]
) -> None:
    first, wrong = new.install(Program.VOLUME, *numbers, quantity=3), new.install(Program.VOLUME, "x", quantity=3)
    last = new.install(Program.VOLUME, *numbers, quantity=4)
    assert new.refused(first, wrong, last) is R.NUMBER_UNKNOWN
    assert [one.total for one in desk.overview().packs] == [3]


@pytest.mark.parametrize("kind", [one for one in STATEMENTS if "request" not in one])
def test_what_is_no_request_of_this_server_is_refused(new: AskingServer, kind: PayloadType) -> None:
    answer = new.send(sealed(STATEMENTS[kind]()))
    assert isinstance(answer, NotAccepted)


@pytest.mark.parametrize("bundle", [b"", b"\n", b"{}", b"x\ny", b"\n\n" * 300])
def test_what_is_no_bundle_is_malformed(new: AskingServer, bundle: bytes) -> None:
    refused = new.desk.answer(bundle, Channel.ONLINE)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is R.MALFORMED


def test_nobody_asks_in_anothers_name(desk: Clearinghouse, new: AskingServer, old: AskingServer) -> None:
    forged = replace(new.contact(), head=replace(new.head(), server_id=old.server_id))
    assert new.refused(forged) is R.FOR_ANOTHER_SERVER
    assert new.refused(sealed(new.contact(), STRANGER)) is R.SERVER_NOT_KNOWN
    assert new.refused(new.seal(new.contact()).replace(b"A", b"B", 1)) in {R.SIGNATURE_INVALID, R.MALFORMED}


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from calward.adapters.system import SystemEntropy
from calward.bootstrap.clearinghouse import clearinghouse
from calward.domain.statements import Channel
from tests.support.clocks import SetClock

class Killing:
    def __init__(self, signer):
        self.public_key, self.keyid = signer.public_key, signer.keyid
    def sign(self, message):
        os.kill(os.getpid(), signal.SIGKILL)

desk = clearinghouse(Path(sys.argv[1]), SetClock(), SystemEntropy())
replace(desk, pack_signer=Killing(desk.pack_signer)).answer(Path(sys.argv[2]).read_bytes(), Channel.ONLINE)
"""


def test_a_kill_between_commit_and_signature_loses_nothing(
    desk: Clearinghouse, folder: Path, tmp_path: Path, new: AskingServer, numbers: tuple[str, ...]
) -> None:
    request = new.seal(new.install(Program.VOLUME, *numbers))
    (tmp_path / "request").write_bytes(join([request]))
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "request")],
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == -signal.SIGKILL
    (planned,) = desk.overview().register
    intents = desk.store.read(lambda book: book.papers.intents(PayloadType.KEY_PACK))
    assert [(one.payload, one.envelope) for one in intents] == [(planned.statement.to_payload(), None)]
    first = new.send(request)
    assert isinstance(first, bytes)
    assert new.open(first) == [planned.statement]
    assert new.send(request) == first
    assert not desk.overview().unfinished
    assert desk.audit().passed


RACING = """
import sys
from pathlib import Path
from calward.adapters.system import SystemEntropy
from calward.bootstrap.clearinghouse import clearinghouse
from calward.domain.statements import Channel
from tests.support.clocks import SetClock

desk = clearinghouse(Path(sys.argv[1]), SetClock(), SystemEntropy())
print("ready", flush=True)
sys.stdin.readline()
for line in Path(sys.argv[2]).read_bytes().splitlines():
    answer = desk.answer(line, Channel.ONLINE)
    print("got" if isinstance(answer, bytes) else answer.reason, flush=True)
"""


def test_two_processes_never_claim_more_than_was_bought(
    desk: Clearinghouse, folder: Path, tmp_path: Path, old: AskingServer, new: AskingServer
) -> None:
    sale = AddPurchase(Program.VOLUME, "windows-server", "2008", CalType.PER_DEVICE, 10)
    number = desk.add_purchase(sale).numbers[0]
    racers = []
    for server in (old, new):
        file = tmp_path / server.name
        file.write_bytes(join(server.seal(server.install(Program.VOLUME, number, quantity=1)) for _ in range(8)))
        racers.append(
            subprocess.Popen(
                [sys.executable, "-c", RACING, str(folder), str(file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        )
    for one in racers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in racers:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    heard = [line for one in racers for line in one.communicate(timeout=60)[0].split()]
    assert sorted(heard) == ["got"] * 10 + ["nothing-left"] * 6
    assert sum(one.total for one in desk.overview().packs) == 10
    assert desk.audit().passed


def test_what_waits_is_signed_again_when_its_key_is_taken_out_of_the_keyring(
    desk: Clearinghouse, folder: Path, new: AskingServer, numbers: tuple[str, ...]
) -> None:
    (pack,) = new.ask(new.install(Program.VOLUME, *numbers))
    contact = new.seal(new.contact())
    before = new.send(contact)
    rotated = replace(desk, pack_signer=a_signer("next pack key"))
    rotated.publish_keyring("Example CALs", load_signer(folder / "root.key", Role.ROOT), 30)
    asking = replace(new, desk=rotated)
    assert asking.ask(asking.contact()) == [pack], "signed with a key of the newest keyring"
    assert rotated.answer(contact, Channel.ONLINE) != before
