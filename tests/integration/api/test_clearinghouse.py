"""The clearinghouse's side of the administration API: requests, answers, previews, and what goes wrong."""

import base64
import json
from functools import partial
from pathlib import Path

import pytest

from calward.adapters.signing import seal
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.demo.stage import NearClearinghouse
from calward.domain.bundle import split
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.pack_acceptance import payload_type_of
from calward.domain.statements import Channel, PayloadType, Program
from calward.entrypoints.api.guard import MAX_BODY
from tests.support.api_server import an_api_server
from tests.support.asking_server import AskingServer
from tests.support.builders import USER
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.signed import STRANGER

ASK, REQUEST, TAKE = (f"/api/v1/clearinghouse:{verb}" for verb in ("ask", "request", "take"))
ADDRESS = {"clearinghouse": "https://ch.example"}


class Line(NearClearinghouse):
    """May break: before the clearinghouse hears, or after it has answered."""

    broken = ""

    def ask(self, bundle):
        if Line.broken == "before":
            raise LicensingError(Problem.UNREACHABLE, "the clearinghouse cannot be asked")
        found = super().ask(bundle)
        if Line.broken == "after":
            raise LicensingError(Problem.UNREACHABLE, "its answer did not come")
        return found


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(Line, "broken", "")
    wiring = ClearinghouseWiring()
    desk, root = wiring.init_clearinghouse(tmp_path / "ch", "Example CALs", 1825)
    return desk, root


@pytest.fixture
def server(tmp_path: Path, house):
    desk, root = house
    with an_api_server(tmp_path, clearinghouse=lambda _: Line(desk)) as found:
        signatures = found.services.signatures
        object.__setattr__(signatures, "roots", frozenset({root}))
        yield found


@pytest.fixture
def ask(server):
    headers = server.admin()

    def ask(target=ASK, **body):
        return server.client.post(target, json=body, headers=headers)

    return ask


@pytest.fixture
def active(ask):
    said = ask(kind="activate", **ADDRESS).json()
    assert said["outcome"] == "activated", said
    return ask


def buy(house, version="2016", quantity=5, **more):
    command = AddPurchase(Program.VOLUME, "windows-server", version, CalType.PER_USER, quantity, **more)
    return list(house[0].add_purchase(command).numbers)


def kinds(said):
    return [(one["kind"], one["outcome"]) for one in said["results"]]


def test_without_an_address_it_says_what_helps(ask):
    refused = ask(kind="contact")
    assert (refused.status_code, refused.json()["field"]) == (400, "clearinghouse")


def test_the_right_to_issue_comes_with_the_keyring(active, server):
    until = server.client.get("/api/v1/server", headers=server.admin(name="other")).json()["issue_until"]
    assert until is not None


@pytest.mark.parametrize("broken", ["before", "after"])
def test_what_was_asked_goes_on_when_it_is_asked_again(active, house, monkeypatch, broken):
    numbers = buy(house)
    body = {"kind": "install", "program": "volume", "numbers": numbers} | ADDRESS
    monkeypatch.setattr(Line, "broken", broken)
    assert active(**body).status_code == 502
    monkeypatch.setattr(Line, "broken", "")
    said = active(**body).json()
    assert ("key-pack", "installed") in kinds(said)
    assert house[0].overview().purchases[0][1] == 5


def test_a_preview_claims_nothing_and_the_same_numbers_install_afterwards(active, house):
    numbers = buy(house)
    body = {"kind": "install", "program": "volume", "numbers": numbers, "quantity": 2} | ADDRESS
    (offer,) = [one for one in active(**body, preview=True).json()["results"] if one["kind"] == "install-offer"]
    assert (offer["quantity"], offer["left"], offer["fits"]) == (2, 3, True)
    assert house[0].overview().purchases[0][1] == 0
    assert ("key-pack", "installed") in kinds(active(**body).json())


def test_the_clearinghouse_s_no_is_an_answer_with_its_reason(active, house):
    said = active(kind="install", program="volume", numbers=["2VQ7-ZK5D-Y81M-6TNE"], **ADDRESS).json()
    assert (said["outcome"], said["reason"]) == ("refused", ["number-unknown"])
    assert "paper" in said["detail"]
    assert house[0].overview().register == []


def test_a_downgrade_shows_who_would_lose_what_and_changes_all_in_one(active, house, server):
    active(kind="install", program="volume", numbers=buy(house), **ADDRESS)
    host = server.host("SH1", "2016", USER)
    server.ask(host, "alice")
    (pack,) = server.client.get("/api/v1/packs", headers=server.admin(name="other")).json()["items"]
    body = {"kind": "change", "change": "downgrade", "pack": pack["id"], "to": "2012R2"}
    seen = active(**body, preview=True).json()
    assert (seen["outcome"], seen["free"], seen["hosts"]) == ("preview", 4, ["SH1"])
    assert [one["holder"] for one in seen["licenses"]] == ["alice"]
    assert "2016" in seen["lost"]
    assert ("pack-change", "changed") in kinds(active(**body, **ADDRESS).json())
    up = active(kind="change", change="upgrade", pack=pack["id"], to="2016", **ADDRESS).json()
    assert ("pack-change", "changed") in kinds(up)
    above = active(kind="change", change="upgrade", pack=pack["id"], to="2019", **ADDRESS).json()
    assert (above["outcome"], above["reason"]) == ("refused", ["above-what-was-bought"])


def test_cals_that_wait_for_a_conversion_can_be_given_back(active, house, server):
    active(kind="install", program="volume", numbers=buy(house, convertible=True), **ADDRESS)
    headers = server.admin(name="other")
    (pack,) = server.client.get("/api/v1/packs", headers=headers).json()["items"]
    made = active(REQUEST, kind="change", change="convert", pack=pack["id"], to="per-device", count=2)
    assert payload_type_of(split(made.content)[0]) is PayloadType.CHANGE_REQUEST
    given = server.client.post(f"/api/v1/packs/{pack['id']}:give-up-change", headers=headers).json()
    assert given["outcome"] == "given up"


def test_a_request_that_refuses_itself_is_json(active, house, server):
    active(kind="install", program="volume", numbers=buy(house), **ADDRESS)
    (pack,) = server.client.get("/api/v1/packs", headers=server.admin(name="other")).json()["items"]
    made = active(REQUEST, kind="change", change="upgrade", pack=pack["id"], to="2012R2")
    assert made.headers["content-type"] == "application/json"
    assert made.json()["outcome"] == "refused"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"{}\n{}\n", b"\n", b"\xff" * 100])
def test_what_is_no_answer_changes_nothing(active, server, content):
    headers = server.admin(name="other")
    said = server.client.post(TAKE, content=content, headers=headers)
    assert said.status_code in {200, 400}
    if said.status_code == 200:
        assert all(one["reason"] for one in said.json()["results"])


def test_an_answer_may_be_long_and_all_else_may_not(active, server):
    headers = server.admin(name="other")
    assert server.client.post(TAKE, content=b"x" * (MAX_BODY + 1), headers=headers).status_code != 413
    assert server.client.post(ASK, content=b"x" * (MAX_BODY + 1), headers=headers).status_code == 413


def test_a_server_that_gave_its_right_up_tells_so_before_anything_else(active, server, house):
    headers = server.admin(name="other")
    server.client.post("/api/v1/server:deactivate", headers=headers)
    assert house[0].overview().servers[0].issue_until is not None
    active(kind="contact", **ADDRESS)
    assert house[0].overview().servers[0].issue_until is None
    assert server.client.get("/api/v1/server", headers=headers).json()["activated"] is False


def test_deactivating_works_without_a_clearinghouse_and_says_that_nobody_was_told(active):
    said = active(kind="deactivate").json()
    assert (said["outcome"], said["told"]) == ("deactivated", False)


def tampered(pack, keyring):
    """A key pack's envelope, and each way in which somebody could have been at it."""
    envelope = json.loads(pack)
    payload, type_ = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    more = base64.b64encode(payload.replace(b'"total":5', b'"total":9')).decode()
    write = partial(json.dumps, separators=(",", ":"), sort_keys=True)
    return {
        "cut": (pack[: len(pack) // 2], "malformed"),
        "forged": (seal(type_, payload, STRANGER), "key-not-trusted"),
        "changed": (write(envelope | {"payload": more}).encode(), "signature-invalid"),
        "swapped type": (
            write(envelope | {"payloadType": PayloadType.ACTIVATION.value}).encode(),
            "key-not-trusted",
        ),
        "type of another role": (
            write(envelope | {"payloadType": PayloadType.TRANSFER_END.value}).encode(),
            "signature-invalid",
        ),
        "a keyring that a stranger signed": (
            seal(PayloadType.KEYRING, base64.b64decode(json.loads(keyring)["payload"]), STRANGER),
            "key-not-trusted",
        ),
    }


WAYS = ["cut", "forged", "changed", "swapped type", "type of another role", "a keyring that a stranger signed"]


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_somebody_was_at_is_not_taken_and_says_why(active, house, server, way):
    headers = server.admin(name="other")
    body = {"kind": "install", "program": "volume", "numbers": buy(house)}
    answer = house[0].answer(active(REQUEST, **body).content, Channel.FILE)
    keyring, pack, *rest = split(answer)
    assert (payload_type_of(pack), rest) == (PayloadType.KEY_PACK, [])
    content, reason = tampered(pack, keyring)[way]
    said = server.client.post(TAKE, content=content, headers=headers).json()
    assert said["results"][0]["reason"] == [reason], said
    assert said["results"][0]["detail"]
    assert server.client.get("/api/v1/packs", headers=headers).json()["items"] == []
    server.client.post(TAKE, content=answer, headers=headers)
    assert len(server.client.get("/api/v1/packs", headers=headers).json()["items"]) == 1
    again = server.client.post(TAKE, content=answer, headers=headers).json()
    assert [one["outcome"] for one in again["results"]].count("installed") == 0 or not again["results"][1].get("event")
    assert len(server.client.get("/api/v1/packs", headers=headers).json()["items"]) == 1


def test_a_pack_for_another_server_is_none_of_ours(active, house, server):
    headers = server.admin(name="other")
    desk, root = house
    stranger = AskingServer(desk, root, "neighbor")
    stranger.activate()
    answer = stranger.send(stranger.install(Program.VOLUME, *buy(house)))
    said = server.client.post(TAKE, content=answer, headers=headers).json()
    assert said["results"][-1]["reason"] == ["for-another-server"]
    assert server.client.get("/api/v1/packs", headers=headers).json()["items"] == []
