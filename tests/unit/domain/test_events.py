"""Are the bytes of an event the ones that its page promises?"""

import json
from dataclasses import replace

import pytest

from calward.domain.events import NUMBERS, Kind, decision_event, encode_event, read_event
from calward.domain.issuing import Decision, refuse_host
from calward.domain.licenses import Seat, Status
from calward.domain.reasons import Reason
from tests.support.builders import USER, a_holder, a_host, a_key_pack, a_license, an_asking, decide
from tests.support.clocks import DAY, NOW

PACK = a_key_pack("2019", row=7)
FROZEN_KINDS = """
license refusal proven expired revoked released act-refused pack-installed pack-removed activated deactivated settings
shortage not-activated server-made host-enrolled host-changed host-removed policy token-made token-ended holder-erased
"""


def event_of(decision: Decision, host=None):
    return decision_event(77, NOW, host or a_host(), a_holder(), decision)


def test_no_kind_that_was_ever_written_disappears():
    assert set(FROZEN_KINDS.split()) <= {kind.value for kind in Kind}


def test_an_event_is_one_canonical_line():
    text = encode_event({"kind": "license", "id": 3, "at": 5, "host": 'Zürich \u2028 "1"\n', "trace": ((1, 2),)})
    assert text == '{"at":5,"host":"Zürich \u2028 \\"1\\"\\n","id":3,"kind":"license","trace":[[1,2]]}'
    assert "\n" not in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_is_never_written(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_event({"id": 1, "at": value})


def test_an_event_is_read_as_it_was_written():
    event = {"at": 1, "id": 2, "kind": "proven", "license": 1}
    assert read_event(encode_event(event)) == event


def test_a_new_full_license_says_whose_it_is_and_which_cal_it_holds():
    event = event_of(decide(an_asking(packs=[PACK]), free=[PACK]))
    assert read_event(encode_event(event)) == {
        "id": 77,
        "at": NOW,
        "kind": "license",
        "for": "2016",
        "holder": "d:" + "A" * 22,
        "host": "SH1",
        "trace": [[1, 0], [2, 7], [3, 5]],
        "type": "per-device",
        "license": 77,
        "change": "new",
        "status": "active",
        "version": "2019",
        "expires": NOW + 60 * DAY,
        "pack": "P7",
        "seat": 1,
    }


def test_a_license_that_goes_on_keeps_its_number():
    held = a_license("2016", days=3, id=12)
    event = event_of(decide(an_asking(packs=[a_key_pack()], licenses=[held])))
    assert (event["license"], event["change"], event["pack"], event["seat"]) == (12, "renewed", "P1", 1)


def test_a_temporary_license_has_no_pack_and_says_why_it_is_not_a_full_one():
    event = event_of(decide(an_asking(proven_at=None)))
    assert event["status"] == "temporary"
    assert event["reasons"] == ["first-contact"]
    assert not {"pack", "seat", "number", "ends"} & set(event)


def test_a_refusal_has_its_reasons_and_nothing_of_a_license():
    event = event_of(refuse_host(Reason.HOST_NOT_AUTHORIZED))
    assert set(event) == {"id", "at", "kind", "for", "holder", "host", "trace", "type", "reasons"}
    assert (event["kind"], event["reasons"]) == ("refusal", ["host-not-authorized"])


def test_what_ended_with_a_decision_stands_in_it():
    temporary = a_license("2016", Status.TEMPORARY, id=5)
    decision = decide(an_asking(packs=[PACK], licenses=[temporary]), free=[PACK])
    event = event_of(replace(decision, expired=9))
    assert event["ends"] == [[5, "upgraded"], [9, "expired"]]
    assert event["number"] == 82


def test_a_devices_older_license_that_is_replaced_is_no_temporary_that_was_upgraded():
    older = a_license("2003", id=5)
    event = event_of(decide(an_asking(packs=[PACK], licenses=[older]), free=[PACK]))
    assert event["ends"] == [[5, "upgraded"]]
    assert "number" not in event


def test_a_users_upgrade_keeps_the_old_number():
    pack = a_key_pack(type_=USER)
    over = a_license(status=Status.OVER_USED, type_=USER, id=5)
    event = event_of(decide(an_asking(mode=USER, packs=[pack], licenses=[over]), free=[pack]), a_host(mode=USER))
    assert event["number"] == 4144
    assert event["type"] == "per-user"


def test_every_number_of_the_old_system_is_said_in_a_few_words():
    assert set(NUMBERS) == {4, 18, 20, 21, 81, 82, 4144}
    assert all(words[0].islower() or words.startswith("no CAL") for words in NUMBERS.values())


def test_events_are_plain_json_after_one_round():
    event = event_of(decide(an_asking(packs=[PACK]), free=[PACK]))
    again = json.loads(encode_event(event))
    assert encode_event(again) == encode_event(event)
    assert Seat("P7", 1) == Seat(again["pack"], again["seat"])
