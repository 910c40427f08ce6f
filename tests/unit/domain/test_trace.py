"""Is every stored trace readable, for good?"""

import pytest

from calward.domain.cals import CalType
from calward.domain.trace import RULES, Line, Rule, Subject, Verdict, read_trace
from tests.support.builders import DEVICE, USER

SUBJECT = Subject("2016", DEVICE, "2019")
# What the numbers in events mean. They stand in ledgers: a line may be added here, none may change.
FROZEN_RULES = {0: "host", 1: "keep", 2: "same-version", 3: "newer-version", 4: "fall-back", 5: "refuse"}
FROZEN_VERDICTS = {
    0: "none-held",
    1: "held-too-old",
    2: "kept",
    3: "renewed",
    4: "extended",
    5: "taken",
    6: "none-free",
    7: "not-installed",
    8: "prevented",
    9: "not-proven",
    10: "not-activated",
    11: "temporary-given",
    12: "temporary-kept",
    13: "temporary-used-up",
    14: "over-used",
    15: "enforced",
    16: "refused",
    17: "server-too-old",
    18: "not-enrolled",
    19: "not-extended",
    20: "right-ended",
    21: "over-use-kept",
    22: "pack-moving",
}


def read(*numbers: int, subject: Subject = SUBJECT) -> Line:
    return read_trace((numbers,), subject)[0]


@pytest.mark.parametrize(("number", "name"), FROZEN_RULES.items())
def test_a_rule_keeps_its_number_and_its_name(number, name):
    assert read(number, 0).rule == name


@pytest.mark.parametrize(("number", "name"), FROZEN_VERDICTS.items())
def test_a_verdict_keeps_its_number_and_its_name(number, name):
    assert read(1, number).verdict == name


def test_there_are_no_rules_and_verdicts_beside_the_frozen_ones():
    assert {rule.value for rule in Rule} == set(FROZEN_RULES)
    assert {verdict.value for verdict in Verdict} == set(FROZEN_VERDICTS)


@pytest.mark.parametrize("type_", [DEVICE, USER])
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("rule", Rule)
def test_every_pair_has_a_sentence_without_a_gap(rule, verdict, type_):
    detail = read(rule, verdict, 3, subject=Subject("2016", type_)).detail
    assert detail
    assert "{" not in detail
    assert not detail.endswith(".")


def test_the_sentence_names_holder_type_versions_and_count():
    assert read(1, 2).detail == "the device holds a full license of 2019, which opens a 2016 host"
    assert read(2, 6, 40).detail == "of the host's version: none of 40 per-device CALs is free"
    assert read(3, 8, 2).detail == (
        "of newer versions: 2 newer per-device packs with a free CAL are kept for newer hosts by the policy"
    )
    assert read(4, 14, subject=Subject("2016", USER)).detail == "the user is let in and recorded as over-use"


def test_where_the_license_has_no_version_the_hosts_own_is_said():
    assert read(4, 12, subject=Subject("2016", DEVICE)).detail == "the running temporary license of 2016 serves"


def test_a_count_that_is_not_there_is_none():
    assert "none of 0 " in read(2, 6).detail


@pytest.mark.parametrize("numbers", [(), (1,), (6, 0), (1, 99), (-1, 0)])
def test_the_numbers_of_a_newer_release_are_said_as_such(numbers):
    assert read(*numbers) == Line("unknown", "unknown", f"numbers of a newer release: {list(numbers)}")


def test_braces_in_a_version_stay_what_they_are():
    assert "{type}" in read(4, 11, subject=Subject("{type}", DEVICE)).detail


def test_every_rule_has_a_sentence_that_explains_it():
    assert set(RULES) == set(Rule)
    assert all(sentence for _, sentence in RULES.values())
    assert {type_.holder_kind.value for type_ in CalType} == {"device", "user"}
