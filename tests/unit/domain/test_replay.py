"""Does the fold of events lead to the state that they tell of, and does it notice what cannot have happened?"""

from typing import Any

import pytest

from calward.domain.errors import LicensingError
from calward.domain.events import Kind
from calward.domain.replay import Replay
from calward.domain.replay_state import Check, Finding, LicenseState, PackState, Share, difference
from tests.support.builders import family

DEVICE = "d:AAAAAAAAAAAAAAAAAAAAAA"
OTHER = "d:BBBBBBBBBBBBBBBBBBBBBB"


def replay(*events: dict[str, Any], share: Share | None = None) -> Replay:
    """Fold events that are numbered from 1 and happen a second apart, unless they say otherwise."""
    found = Replay(family, share or Share())
    for number, event in enumerate(events, 1):
        found.apply({"id": number, "at": 100 + number} | event)
    return found


def a_license(**changes: Any) -> dict[str, Any]:
    """A full license, newly issued as event 1."""
    license_ = {
        "kind": "license",
        "license": 1,
        "holder": DEVICE,
        "type": "per-device",
        "status": "active",
        "version": "2016",
        "expires": 900,
        "pack": "P1",
        "seat": 3,
    }
    return license_ | changes


def a_pack(**changes: Any) -> dict[str, Any]:
    pack = {"kind": "pack-installed", "pack": "P1", "version": "2016", "type": "per-device", "total": 5, "expires": 999}
    return pack | changes


def a_host(kind: str = "host-changed", **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "host": "SH1", "version": "2016", "mode": "per-user", "group": ""} | changes


def wrong(found: Replay) -> list[str]:
    return [finding.where for finding in found.findings]


# --- licenses ---


def test_a_new_license_is_as_its_event_says():
    [(number, state)] = replay(a_license()).licenses.items()
    assert number == 1
    assert state == LicenseState(
        DEVICE, "per-device", "active", "2016", family("2016"), "P1", 3, issued_at=101, expires_at=900, decision=1
    )


def test_a_temporary_license_holds_no_cal():
    event = a_license(status="temporary")
    del event["pack"], event["seat"]
    state = replay(event).licenses[1]
    assert (state.pack, state.seat) == (None, None)


def test_a_license_that_goes_on_has_another_end_and_another_decision():
    state = replay(a_license(), a_license(expires=1200)).licenses[1]
    assert (state.issued_at, state.expires_at, state.decision) == (101, 1200, 2)


def test_an_upgrade_ends_the_old_license_when_the_new_one_begins():
    found = replay(a_license(), a_license(license=2, ends=[[1, "upgraded"]]))
    assert (found.licenses[1].ended_at, found.licenses[1].ending) == (102, "upgraded")
    assert found.licenses[2].ended_at is None


def test_a_license_whose_cal_was_claimed_after_its_end_ended_when_it_expired():
    found = replay(a_license(), a_license(license=2, holder=OTHER, ends=[[1, "expired"]]))
    assert (found.licenses[1].ended_at, found.licenses[1].ending) == (900, "expired")


@pytest.mark.parametrize(
    ("event", "ended_at", "ending"),
    [
        ({"kind": "expired", "licenses": [1]}, 900, "expired"),
        ({"kind": "revoked", "license": 1}, 102, "revoked"),
        ({"kind": "released", "license": 1}, 102, "released"),
    ],
)
def test_each_ending_is_written_with_its_time(event, ended_at, ending):
    state = replay(a_license(), event).licenses[1]
    assert (state.ended_at, state.ending) == (ended_at, ending)


@pytest.mark.parametrize(
    "event",
    [
        a_license(license=7),
        a_license(holder=OTHER),
        {"kind": "expired", "licenses": [7]},
        {"kind": "revoked", "license": 7},
        a_license(license=2, ends=[[7, "upgraded"]]),
    ],
)
def test_what_happens_to_a_license_that_was_not_issued_is_found(event):
    assert wrong(replay(a_license(), event)) == [f"event 2 ({event['kind']})"]


@pytest.mark.parametrize("event", [a_license(), {"kind": "released", "license": 1}])
def test_what_happens_to_a_license_after_its_end_is_found(event):
    assert wrong(replay(a_license(), {"kind": "revoked", "license": 1}, event)) == [f"event 3 ({event['kind']})"]


@pytest.mark.parametrize("key", ["license", "holder", "type", "status", "version", "expires"])
def test_a_key_that_is_missing_is_an_error(key):
    event = a_license()
    del event[key]
    with pytest.raises(KeyError):
        replay(event)


def test_a_version_that_the_ladder_does_not_know_is_an_error():
    with pytest.raises(LicensingError):
        replay(a_license(version="1999"))


# --- holders ---


def test_a_holder_is_known_from_its_first_event_and_proven_from_its_proof():
    found = replay({"kind": "refusal", "holder": OTHER}, a_license(license=2), {"kind": "proven", "holder": DEVICE})
    assert found.holders == {OTHER: None, DEVICE: 103}


def test_a_proof_outlives_everything_that_follows():
    found = replay({"kind": "proven", "holder": DEVICE}, a_license(license=2), {"kind": "revoked", "license": 2})
    assert found.holders == {DEVICE: 101}


def test_an_erased_holder_is_remembered_as_erased():
    assert replay({"kind": "holder-erased", "holder": DEVICE}).erased == {DEVICE}


# --- packs ---


def test_a_pack_is_as_it_was_installed():
    assert replay(a_pack()).packs == {1: PackState("P1", "2016", "per-device", family("2016"), 5, 101, 999)}


def test_a_removed_pack_can_be_installed_again_under_a_new_number():
    found = replay(a_pack(), {"kind": "pack-removed", "pack": "P1"}, a_pack(total=9))
    assert [(number, pack.total, pack.removed_at) for number, pack in found.packs.items()] == [
        (1, 5, 102),
        (3, 9, None),
    ]
    assert (found.installed, found.findings) == ({"P1": 3}, [])


def test_a_pack_installed_twice_or_removed_unseen_is_found():
    assert wrong(replay(a_pack(), a_pack())) == ["event 2 (pack-installed)"]
    assert wrong(replay({"kind": "pack-removed", "pack": "P1"})) == ["event 1 (pack-removed)"]


# --- server, hosts, policies, tokens ---

MADE = {"kind": "server-made", "server": "LS1", "server_id": "5e", "version": "2022", "ladder": "windows-server"}


def test_a_server_is_made_activated_set_and_deactivated():
    found = replay(MADE | {"values": {"user_days": "60"}}, {"kind": "activated", "until": 5})
    assert found.server == {
        "id": "5e",
        "name": "LS1",
        "version": "2022",
        "family": family("2022"),
        "ladder": "windows-server",
        "issue_until": 5,
        "quarantined_at": None,
        "recovered_at": None,
    }
    assert found.settings == {"user_days": "60"}
    found.apply({"id": 3, "at": 3, "kind": "settings", "values": {"user_days": "9"}})
    found.apply({"id": 4, "at": 4, "kind": "deactivated"})
    assert (found.server["issue_until"], found.settings) == (None, {"user_days": "9"})


def test_a_host_is_added_enrolled_changed_and_removed():
    known = {"version": "2016", "mode": "per-user", "family": family("2016"), "group": None, "removed_at": None}
    found = replay(a_host())
    assert found.hosts == {"SH1": known | {"enrolled_at": None}}
    found.apply({"id": 2, "at": 50} | a_host("host-enrolled"))
    found.apply({"id": 3, "at": 60} | a_host(group="g"))
    assert found.hosts["SH1"] == known | {"enrolled_at": 50, "group": "g"}
    found.apply({"id": 4, "at": 70, "kind": "host-removed", "host": "SH1"})
    assert (found.hosts["SH1"]["enrolled_at"], found.hosts["SH1"]["removed_at"]) == (None, 70)
    found.apply({"id": 5, "at": 80} | a_host())
    assert found.hosts["SH1"]["removed_at"] is None


def test_a_policy_is_set_changed_and_removed():
    policy = {"kind": "policy", "group": "g", "servers": ["https://a"]}
    found = replay(policy, policy | {"mode": "per-user", "servers": []})
    assert found.policies == {"g": {"mode": "per-user", "servers": []}}
    found.apply({"id": 3, "at": 3, "kind": "policy", "group": "g", "removed": True})
    assert found.policies == {}


def test_a_token_is_made_and_ended():
    found = replay({"kind": "token-made", "name": "me", "role": "viewer", "expires": 9})
    assert found.tokens == {1: {"name": "me", "role": "viewer", "made_at": 101, "expires_at": 9, "ended_at": None}}
    found.apply({"id": 2, "at": 5, "kind": "token-ended", "token": 1})
    assert found.tokens[1]["ended_at"] == 5


@pytest.mark.parametrize("kind", [Kind.REFUSAL, Kind.ACT_REFUSED, Kind.SHORTAGE, Kind.NOT_ACTIVATED])
def test_kinds_that_only_tell_change_nothing(kind):
    assert replay({"kind": kind.value}) == replay()


# --- shares ---


def test_shares_together_are_the_whole():
    events = [a_license(license=n, holder=f"d:{n:022}") for n in range(1, 40)]
    events += [{"kind": "proven", "holder": f"d:{n:022}"} for n in range(1, 40)]
    events += [{"kind": "revoked", "license": n} for n in range(1, 40, 3)]
    events += [a_license(license=2, holder=f"d:{2:022}"), {"kind": "holder-erased", "holder": f"d:{5:022}"}]
    whole, parts = replay(*events), [replay(*events, share=Share(part, 3)) for part in range(3)]
    assert whole.findings == []
    for name in ("licenses", "holders"):
        found = [getattr(part, name) for part in parts]
        assert sum(len(x) for x in found) == len(getattr(whole, name))
        assert {key: value for x in found for key, value in x.items()} == getattr(whole, name)
    assert set().union(*(part.erased for part in parts)) == whole.erased


# --- differences ---


def test_a_difference_names_what_differs_and_nothing_else():
    expected, there = {"total": 5, "type": "d", "gone": 1}, {"total": 6, "type": "d", "more": 1}
    found = difference(Check.PACK, "pack P1", expected, there)
    assert found == Finding(Check.PACK, "pack P1", "total 5, gone 1", "total 6, gone None")


def test_equal_records_differ_in_nothing():
    assert difference(Check.PACK, "pack P1", {"total": 5}, {"total": 5, "more": 1}) is None


def test_a_quarantine_lasts_until_it_is_ended_and_a_recovery_is_remembered():
    found = {"kind": "quarantined", "since": 100, "cause": "older", "own": 7}
    assert replay(MADE, found).server["quarantined_at"] == 100
    ended = replay(MADE, found, {"kind": "ledger-recovered"}, {"kind": "quarantine-ended"}).server
    assert (ended["quarantined_at"], ended["recovered_at"]) == (None, 103)
