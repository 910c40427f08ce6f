"""What does a host read about a decision?"""

import pytest

from calward.domain.answers import (
    LicenseView,
    answer_from,
    as_json,
    decision_name,
    license_name,
    numbered,
    rfc3339,
)
from calward.domain.events import decision_event, encode_event, read_event
from calward.domain.issuing import refuse_host
from calward.domain.licenses import NEVER
from calward.domain.reasons import Reason
from tests.support.builders import a_holder, a_host, a_key_pack, an_asking, decide
from tests.support.clocks import NOW

PACK = a_key_pack("2019", row=7)


def stored(decision, number=77):
    return read_event(encode_event(decision_event(number, NOW, a_host(), a_holder(), decision)))


def test_a_license_is_shown_with_its_names_and_its_end():
    answer = answer_from(stored(decide(an_asking(packs=[PACK]), free=[PACK])))
    assert (answer.outcome, answer.decision, answer.reason) == ("granted", "D77", ())
    assert answer.license == LicenseView(
        id="L77",
        version="2019",
        type="per-device",
        status="active",
        expires_at="2026-04-30T08:00:00Z",
        pack="P7",
        change="new",
    )
    assert [line.verdict for line in answer.trace] == ["none-held", "not-installed", "taken"]


def test_a_license_without_a_cal_names_no_pack_and_says_why():
    answer = answer_from(stored(decide(an_asking(proven_at=None))))
    assert answer.license is not None
    assert answer.license.pack is None
    assert answer.reason == ("first-contact",)


def test_a_refusal_shows_no_license():
    answer = answer_from(stored(refuse_host(Reason.SERVER_VERSION_TOO_LOW)))
    assert (answer.outcome, answer.license) == ("refused", None)
    assert answer.trace[0].detail == "the license server is of an older version than the 2016 host"


def test_what_was_not_recorded_has_no_name():
    assert answer_from(stored(refuse_host(Reason.NO_CAL_FREE), number=0)).decision is None


def test_the_answer_from_the_stored_event_is_the_answer_from_the_fresh_one():
    event = decision_event(77, NOW, a_host(), a_holder(), decide(an_asking(packs=[PACK]), free=[PACK]))
    assert answer_from(event) == answer_from(read_event(encode_event(event)))


def test_as_json_has_the_keys_of_the_host_contract():
    shown = as_json(answer_from(stored(decide(an_asking(packs=[PACK]), free=[PACK]))))
    assert list(shown) == ["outcome", "license", "decision", "trace", "reason"]
    assert list(shown["license"]) == ["id", "version", "type", "status", "expires_at", "pack", "change"]
    assert list(shown["trace"][0]) == ["rule", "verdict", "detail"]
    assert as_json(answer_from(stored(refuse_host(Reason.NO_CAL_FREE))))["license"] is None


def test_names_are_numbers_with_a_letter():
    assert (license_name(12), decision_name(12)) == ("L12", "D12")


@pytest.mark.parametrize("name", ["L12", "l12", "12", " L12 "])
def test_a_name_is_read_with_its_letter_or_without(name):
    assert numbered(name, "L") == 12


@pytest.mark.parametrize("name", ["", "L", "D12", "Ll12", "LL12", "-12", "L-1", "1.5", "²", "१२", "9" * 19, "L 12"])
def test_anything_else_is_no_name(name):
    assert numbered(name, "L") is None


def test_times_are_written_in_utc_to_the_second():
    assert rfc3339(NOW) == "2026-03-01T08:00:00Z"
    assert rfc3339(NEVER) == "9999-12-31T23:59:59Z"
