"""Does the server's own snapshot hold everything, and can it be read back?"""

import json
from collections import Counter

import pytest

from calward.app.estates.document import from_json
from calward.app.estates.own_estate import take_snapshot
from calward.app.estates.own_history import history_from
from calward.domain.answers import rfc3339
from calward.domain.cals import CalType
from calward.domain.roles import Role
from calward.domain.statements import Program
from calward.insight.estate import LicenseStatus, PackType, Source
from tests.support.builders import USER, ladder
from tests.support.clocks import DAY


@pytest.fixture
def used(server, admin):
    """Two packs, full, temporary and over-used licenses, a refusal that was repeated, and a group with a policy."""
    server.install("P1", total=1)
    server.install("P2", type_=USER, total=1, end=server.clock.now() + 30 * DAY)
    host = server.host("SH1", group="farm1")
    server.prove(host, "D1")
    server.ask(host, "D2")
    users = server.host("SH2", mode=USER)
    for user in ("alice", "bob"):
        server.ask(users, user)
    server.client.put(
        "/api/v1/policies/farm1", json={"servers": ["https://a.example", "https://b.example"]}, headers=admin
    )
    server.client.patch("/api/v1/server/settings", json={"per_user": "enforce"}, headers=admin)
    for number in range(3):
        server.ask(users, "carol", request_id=f"carol {number}")
    return server


def snapshot(server, role=Role.VIEWER):
    answer = server.client.get("/api/v1/estate", headers=server.admin(role))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return from_json(answer.content, lambda _: pytest.fail("the ladder stands in the snapshot"))


def test_a_snapshot_holds_packs_licenses_hosts_and_refusals(used):
    found = snapshot(used)
    assert (found.source, found.taken_at, found.ladder) == (Source.CALWARD, used.clock.now(), ladder())
    assert {(pack.id, pack.type, pack.total, pack.issued) for pack in found.packs} == {
        ("P1", PackType.PER_DEVICE, 1, 1),
        ("P2", PackType.PER_USER, 1, 1),
    }
    assert {pack.id: pack.expires_at for pack in found.packs} == {"P1": None, "P2": used.clock.now() + 30 * DAY}
    issued = {(one.hardware_id or one.user): (one.status, one.pack, one.host) for one in found.licenses}
    assert issued == {
        "D1": (LicenseStatus.ACTIVE, "P1", "SH1"),
        "D2": (LicenseStatus.TEMPORARY, None, "SH1"),
        "alice": (LicenseStatus.ACTIVE, "P2", "SH2"),
        "bob": (LicenseStatus.OVER_USED, None, "SH2"),
    }
    hosts = {host.name: (host.version, host.mode, host.servers) for host in found.hosts}
    assert hosts["SH1"] == ("2016", CalType.PER_DEVICE, ("https://a.example", "https://b.example"))
    (failure,) = found.failures
    assert (failure.holder, failure.host, failure.type, failure.times) == ("carol", "SH2", PackType.PER_USER, 3)
    assert failure.reasons


def test_it_says_why_a_license_is_no_full_one(used):
    assert {one.hardware_id for one in snapshot(used).licenses if one.type is PackType.PER_DEVICE and one.why} == {"D2"}


def test_a_host_gets_no_snapshot(server):
    assert server.client.get("/api/v1/estate", headers=server.host()).status_code == 401


def test_pages_hold_every_license_once(used, monkeypatch):
    whole = {one.id for one in snapshot(used).licenses}
    monkeypatch.setattr("calward.app.estates.own_estate._PAGE", 1)
    reader = used.services.reader
    found = take_snapshot(reader, ladder(), now=used.clock.now(), addresses=())
    assert sorted(one.id for one in found.licenses) == sorted(whole)
    assert len(list(found.failures)) == 1


def test_it_is_one_json_object_for_programs_that_are_not_ours(used):
    document = json.loads(used.client.get("/api/v1/estate", headers=used.admin(Role.OPERATOR)).content)
    assert document["format"] == "calward-estate/1"
    assert document["ladder"]["rungs"][0]["id"] == "2000"


def test_a_pack_says_by_which_program_it_was_bought_as_far_as_its_statement_does(server, admin):
    envelope = {"Content-Type": "application/vnd.dsse.envelope.v1+json"}
    ring, signed = server.clearinghouse.keyring(), server.clearinghouse.pack(program=Program.VOLUME)
    server.client.put("/api/v1/server/keyring", content=ring, headers=admin | envelope)
    assert (
        server.client.post("/api/v1/packs", content=signed, headers=admin | envelope).json()["outcome"] == "installed"
    )
    server.install("P9")
    assert {pack.id: pack.program for pack in snapshot(server).packs} == {f"{1:032x}": "volume", "P9": "key pack"}


def use_of(server, until):
    query, headers = {"until": rfc3339(until)}, server.admin(Role.VIEWER, f"viewer until {until}")
    return history_from(json.loads(server.client.get("/api/v1/estate/use", params=query, headers=headers).content))


def running(history):
    counts = Counter()
    for one in history.steps:
        counts[one.status.value] += one.number
    return +counts


def test_use_is_counted_by_the_day_and_knows_what_has_ended(used):
    now = used.clock.now()
    later = used.clock.pass_days(100)
    assert running(use_of(used, now)) == {"active": 2, "over-used": 1, "temporary": 1}
    assert running(use_of(used, now - DAY)) == {}
    after = use_of(used, later + 5)
    assert (after.until, running(after)) == (later, {})
    assert {one.days for one in after.steps if one.number > 0} == {100}


def test_packs_stand_in_it_from_when_to_when(used):
    found = use_of(used, used.clock.now()).holdings
    assert [(one.type, one.total, one.end) for one in found] == [
        (PackType.PER_DEVICE, 1, None),
        (PackType.PER_USER, 1, None),
    ]


def test_a_host_gets_no_history(server):
    assert server.client.get("/api/v1/estate/use", headers=server.host()).status_code == 401
