"""The door for license servers over HTTP: what anybody may send, what only a known server may, and how often."""

import base64
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from http import HTTPStatus
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from calward.adapters.signing import seal
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.acceptance import AcceptanceRefusal
from calward.domain.bundle import join, split
from calward.domain.cals import CalType, HolderKind
from calward.domain.handover import HandedLicense, Handover
from calward.domain.pack_orders import PackRef
from calward.domain.pack_requests import CancelRequest, ChangeKind, Release
from calward.domain.statements import Channel, PayloadType, Program
from calward.entrypoints.clearinghouse import request_door
from calward.entrypoints.clearinghouse.app import clearinghouse_app
from calward.entrypoints.clearinghouse.limits import Rate, RateLimit
from calward.entrypoints.clearinghouse.request_door import MAX_LONG, MAX_SMALL, RequestDoor
from tests.support.asking_server import AskingServer
from tests.support.clocks import DAY, NOW
from tests.support.signed import STRANGER


@pytest.fixture
def client(desk: Clearinghouse) -> Iterator[TestClient]:
    with TestClient(clearinghouse_app(desk)) as client:
        yield client


def state(desk: Clearinghouse) -> str:
    """Everything that an act could change."""
    found = desk.overview()
    return repr((found.servers, found.register, found.transfers, found.purchases, found.activations))


def reason_of(answer: Any) -> str:
    assert answer.status_code in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["reason"]
    return found


def test_a_bundle_gets_a_bundle_and_the_same_again(client: TestClient, new: AskingServer) -> None:
    request = new.seal(new.contact())
    first = client.post("/v1/requests", content=request)
    assert first.status_code == HTTPStatus.OK
    assert client.post("/v1/requests", content=request).content == first.content
    assert split(first.content)


MAKERS: dict[str, Callable[[AskingServer, AskingServer], Any]] = {
    "install": lambda new, _: new.install(Program.RETAIL, "3B6XQ-9QZ4T-R6V2A-V1GKC-W0NDE"),
    "move": lambda new, old: new.move(old),
    "change": lambda new, _: new.change(PackRef("2" * 32, 1), ChangeKind.DOWNGRADE, "2019"),
    "cancel": lambda new, _: new.cancel("0" * 32),
    "recover": lambda new, _: new.recover(),
    "contact": lambda new, _: new.contact(),
    "release": lambda new, _: Release(new.head(), "1" * 32, "2" * 32, 1, b"\0" * 32, 0),
    "deactivation": lambda new, _: new.deactivation(),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_each_way_to_tamper_has_its_own_answer_and_changes_nothing(
    client: TestClient, desk: Clearinghouse, old: AskingServer, new: AskingServer, kind: str
) -> None:
    good = new.seal(MAKERS[kind](new, old))
    envelope = json.loads(good)
    payload, type_ = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    other_type = PayloadType.CONTACT if kind != "contact" else PayloadType.CANCEL_REQUEST
    changed = base64.b64encode(payload.replace(b"2026-", b"2027-", 1)).decode()
    stranger = AskingServer(desk, b"", "nobody")
    before = state(desk)
    told = {
        "cut": good[: len(good) // 2],
        "forged by a stranger": seal(type_, payload, STRANGER),
        "signed by a server that is not known": seal(type_, payload, stranger.signer),
        "re-addressed": seal(type_, payload, old.signer),
        "changed": _canonical(envelope | {"payload": changed}),
        "swapped type": _canonical(envelope | {"payloadType": other_type.value}),
        "swapped type, signed": seal(other_type, payload, new.signer),
        "an answer, not a request": seal(PayloadType.KEY_PACK, payload, new.signer),
        "empty": b"",
    }
    reasons = {what: reason_of(client.post("/v1/requests", content=content)) for what, content in told.items()}
    assert reasons == {
        "cut": "malformed",
        "forged by a stranger": "server-not-known",
        "signed by a server that is not known": "server-not-known",
        "re-addressed": "for-another-server",
        "changed": "signature-invalid",
        "swapped type": "signature-invalid",
        "swapped type, signed": "malformed",
        "an answer, not a request": "wrong-payload-type",
        "empty": "malformed",
    }
    assert state(desk) == before


def _canonical(envelope: dict[str, Any]) -> bytes:
    return json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()


def test_a_replayed_nonce_is_refused(client: TestClient, new: AskingServer) -> None:
    contact = new.contact()
    assert client.post("/v1/requests", content=new.seal(contact)).status_code == HTTPStatus.OK
    reused = CancelRequest(contact.head, "0" * 32)
    assert reason_of(client.post("/v1/requests", content=new.seal(reused))) == "replayed"


def test_only_a_release_of_a_known_server_may_be_long(
    client: TestClient, desk: Clearinghouse, new: AskingServer, root_key: bytes
) -> None:
    stranger = AskingServer(desk, root_key, "nobody")
    filler = b"x" * MAX_SMALL
    before = state(desk)
    for first in (filler, new.seal(new.contact()), _release(stranger, 1000), _release(new, 0), b"\n"):
        answer = client.post("/v1/requests", content=first + b"\n" + filler)
        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE, first[:80]
    answer = client.post("/v1/requests", content=_release(new, 100) + b"\n" + filler)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, answer.text  # It was read, and is no list.
    assert state(desk) == before


def test_a_list_is_not_longer_than_so_many_licenses_can_be(client: TestClient, new: AskingServer) -> None:
    body = _release(new, 1) + b"\n" + b"x" * (MAX_SMALL + request_door.PER_LICENSE)
    assert client.post("/v1/requests", content=body).status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert MAX_LONG == 256 * 1024 * 1024


def _release(server: AskingServer, licenses: int) -> bytes:

    return server.seal(Release(server.head(), "1" * 32, "2" * 32, 1, b"\0" * 32, licenses))


def limited(desk: Clearinghouse, **limits: RateLimit) -> TestClient:
    return TestClient(clearinghouse_app(desk, RequestDoor(desk, **limits)))


def few() -> RateLimit:
    """Three requests, while time stands still."""
    return RateLimit(Rate(3, 60), clock=lambda: 0.0)


@pytest.mark.parametrize("limit", ["by_address", "by_server"])
def test_who_asks_too_often_is_told_when_to_come_again(desk: Clearinghouse, new: AskingServer, limit: str) -> None:
    with limited(desk, **{limit: few()}) as client:
        answers = [client.post("/v1/requests", content=new.seal(new.contact())) for _ in range(4)]
    assert [one.status_code for one in answers] == [HTTPStatus.OK] * 3 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_nobody_uses_up_what_another_server_may_ask(desk: Clearinghouse, new: AskingServer, old: AskingServer) -> None:
    forged = seal(PayloadType.CONTACT, new.contact().to_payload(), STRANGER)
    with limited(desk, by_server=few()) as client:
        for _ in range(5):
            client.post("/v1/requests", content=forged)
        assert client.post("/v1/requests", content=new.seal(new.contact())).status_code == HTTPStatus.OK


def test_first_activations_are_counted_too(desk: Clearinghouse, new: AskingServer) -> None:
    with limited(desk, by_address=few()) as client:
        found = [client.post("/v1/activations", content=b"{}").status_code for _ in range(4)]
    assert found[-1] == HTTPStatus.TOO_MANY_REQUESTS


def test_a_bucket_fills_with_time_and_the_table_has_a_bound() -> None:
    now = [0.0]
    limit = RateLimit(Rate(2, 60), clock=lambda: now[0], most=2)
    assert [limit.take("a") for _ in range(3)] == [0, 0, 1]
    now[0] = 1.0
    assert [limit.take("a") for _ in range(2)] == [0, 1]
    limit.take("b")
    limit.take("c")  # "a" is forgotten.
    assert limit.take("a") == 0


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_release_without_its_list_or_in_another_order_moves_nothing(
    client: TestClient, desk: Clearinghouse, old: AskingServer, new: AskingServer, order: tuple[int, int]
) -> None:
    sold = _sold(desk)
    old.ask(old.install(Program.OPEN, *sold))
    (pack,) = desk.overview().register
    new.ask(new.move(old, proof=sold[1]))
    (transfer,) = desk.overview().transfers
    handover = Handover(old.server_id, transfer.transfer_id, PackRef(pack.statement.pack_id, 1), ())
    listed = old.seal(handover)

    digest = sha256(listed).digest()
    release = old.seal(Release(old.head(), transfer.transfer_id, pack.statement.pack_id, 1, digest, 0))
    both = (release, listed)
    alone = client.post("/v1/requests", content=release)
    assert reason_of(alone) == "handover-missing"
    answer = client.post("/v1/requests", content=join(both[at] for at in order))
    moved = desk.overview().register[0].statement.server_id == new.server_id
    assert moved is (order == (0, 1)), answer.text


def _sold(desk: Clearinghouse) -> tuple[str, ...]:

    return desk.add_purchase(AddPurchase(Program.OPEN, "windows-server", "2008", CalType.PER_USER, 5)).numbers


BYTES = st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 5000), patch=st.binary(max_size=4), cut=st.booleans(), other=BYTES, whole=st.booleans())
def test_no_bytes_make_it_fail_or_move_anything(
    desk: Clearinghouse, new: AskingServer, at: int, patch: bytes, cut: bool, other: bytes, whole: bool
) -> None:
    good = join([new.seal(new.contact()), new.seal(new.cancel("0" * 32))])
    at %= len(good)
    damaged = other if whole else good[:at] + (b"" if cut else patch + good[at + len(patch) :])
    before = desk.overview()
    desk.recognize(damaged.partition(b"\n")[0])
    found = desk.answer(damaged, Channel.ONLINE)
    assert isinstance(found, bytes) or found.reason in AcceptanceRefusal
    after = desk.overview()
    assert (after.register, after.transfers, after.purchases) == (before.register, before.transfers, before.purchases)


@pytest.mark.parametrize("licenses", [2_000])
def test_a_long_list_of_licenses_comes_in_and_goes_on_to_the_target(
    client: TestClient, desk: Clearinghouse, old: AskingServer, new: AskingServer, licenses: int
) -> None:
    command = AddPurchase(Program.OPEN, "windows-server", "2008", CalType.PER_USER, licenses)
    sold = desk.add_purchase(command).numbers
    old.ask(old.install(Program.OPEN, *sold))
    (pack,) = desk.overview().register
    new.ask(new.move(old, proof=sold[1]))
    (transfer,) = desk.overview().transfers
    holders = tuple(_handed(n) for n in range(1, licenses + 1))
    listed = old.seal(Handover(old.server_id, transfer.transfer_id, PackRef(pack.statement.pack_id, 1), holders))
    assert len(listed) > MAX_SMALL * 2
    digest = sha256(listed).digest()
    release = old.seal(Release(old.head(), transfer.transfer_id, pack.statement.pack_id, 1, digest, licenses))
    body = join([release, listed])
    cut = client.post("/v1/requests", content=body[: len(body) // 2])
    assert cut.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert desk.overview().register[0].statement.server_id == old.server_id
    assert client.post("/v1/requests", content=body).status_code == HTTPStatus.OK
    answer = client.post("/v1/requests", content=new.seal(new.contact()))
    assert listed in split(answer.content, max_size=len(answer.content))


def _handed(n: int) -> HandedLicense:
    return HandedLicense(HolderKind.USER, f"user{n:05}", f"User {n}", n, NOW, NOW + 60 * DAY)
