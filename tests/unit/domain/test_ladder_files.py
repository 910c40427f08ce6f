"""Is a ladder file held against its rules, key by key?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder, parse_ladder
from tests.support.ladders import a_ladder_file, a_rung

ID = "1 to 32 letters, digits, '.', '_' or '-'"
LINE = "a line of text"
DAYS = "a number of days from 0 to 36500"
FOREIGN = "a table of names to texts or numbers"
RUNGS = "a list of at least one rung, oldest first"
RUNG_KEYS = "id, title, host_name, cal_name, family, grace_days, foreign"

WRONG = [
    # what the file holds, the key at fault, what the error says about it
    (a_ladder_file(name=None), "name", f"is missing: it must be {ID}"),
    (a_ladder_file(name="two words"), "name", f"must be {ID}, not 'two words'"),
    (a_ladder_file(title=""), "title", f"must be {LINE}, not ''"),
    (a_ladder_file(title=" x"), "title", f"must be {LINE}, not ' x'"),
    (a_ladder_file(title="a\nb"), "title", f"must be {LINE}, not 'a\\nb'"),
    (a_ladder_file(title=7), "title", f"must be {LINE}, not 7"),
    (a_ladder_file(rungs=None), "rungs", f"is missing: it must be {RUNGS}"),
    (a_ladder_file(rungs=[]), "rungs", f"must be {RUNGS}, not []"),
    (a_ladder_file(rungs={"a": 1}), "rungs", f"must be {RUNGS}, not {{'a': 1}}"),
    (a_ladder_file(rung=[]), "rung", "is no key of a ladder file here: it knows name, title, rungs"),
    (a_ladder_file("v1"), "rungs[0]", f"must be a table with the keys {RUNG_KEYS[:40]}"),
    (a_ladder_file(a_rung(id=None)), "rungs[0].id", f"is missing: it must be {ID}"),
    (a_ladder_file(a_rung(id=2008)), "rungs[0].id", f"must be {ID}, not 2008"),
    (a_ladder_file(a_rung(id="x/per-device")), "rungs[0].id", f"must be {ID}, not 'x/per-device'"),
    (a_ladder_file(a_rung(cal_name=None)), "rungs[0].cal_name", f"is missing: it must be {LINE}"),
    (a_ladder_file(a_rung(hostname="x")), "rungs[0].hostname", "is no key of a ladder file here"),
    (a_ladder_file(a_rung(grace_days=-1)), "rungs[0].grace_days", f"must be {DAYS}, not -1"),
    (a_ladder_file(a_rung(grace_days=36_501)), "rungs[0].grace_days", f"must be {DAYS}, not 36501"),
    (a_ladder_file(a_rung(grace_days=True)), "rungs[0].grace_days", f"must be {DAYS}, not True"),
    (a_ladder_file(a_rung(grace_days="90")), "rungs[0].grace_days", f"must be {DAYS}, not '90'"),
    (a_ladder_file(a_rung(foreign=[1])), "rungs[0].foreign", f"must be {FOREIGN}, not [1]"),
    (a_ladder_file(a_rung(foreign={"a b": 1})), "rungs[0].foreign", f"must be {FOREIGN}"),
    (a_ladder_file(a_rung(foreign={"a": 1.5})), "rungs[0].foreign", f"must be {FOREIGN}"),
    (a_ladder_file(a_rung(foreign={"a": False})), "rungs[0].foreign", f"must be {FOREIGN}"),
    (a_ladder_file(a_rung("a"), a_rung("A")), "rungs[1].id", "'A' stands in the ladder twice"),
    (a_ladder_file(a_rung("a", family="b")), "rungs[0].family", "must be 'a' as versions that share a CAL"),
]


@pytest.mark.parametrize(("data", "key", "says"), WRONG, ids=[f"{key}-{n}" for n, (_, key, _) in enumerate(WRONG)])
def test_an_error_names_the_key_and_what_was_expected(data, key, says):
    with pytest.raises(LicensingError) as error:
        parse_ladder(data)
    assert error.value.problem is Problem.MALFORMED
    assert error.value.field == key
    assert error.value.detail.startswith(f"{key} {says}")


def test_versions_that_share_a_cal_stand_next_to_each_other():
    with pytest.raises(LicensingError) as error:
        parse_ladder(a_ladder_file(a_rung("a"), a_rung("b"), a_rung("c", family="a")))
    assert error.value.detail == (
        "rungs[2].family must be 'c' or 'b', the family of the version before it, "
        "as versions that share a CAL stand next to each other, not 'a'"
    )


@pytest.mark.parametrize("data", [None, [], "name = 1", 3])
def test_what_is_no_table_is_no_ladder(data):
    with pytest.raises(LicensingError) as error:
        parse_ladder(data)
    assert error.value.detail == "ladder must be a table with the keys name, title, rungs"


def test_a_hostile_key_is_repeated_short_and_harmless():
    with pytest.raises(LicensingError) as error:
        parse_ladder(a_ladder_file(a_rung(**{"\x1b[2J" + "k" * 5_000: 1})))
    assert "\x1b" not in error.value.detail
    assert len(error.value.detail) < 250


def test_parsing_leaves_the_file_as_it_was():
    data = a_ladder_file(a_rung("a"))
    parse_ladder(data)
    assert data == a_ladder_file(a_rung("a"))


def outcome_of(data: object) -> Ladder | LicensingError:
    try:
        return parse_ladder(data)
    except LicensingError as error:
        return error


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
RUNG_LIKE = st.fixed_dictionaries(
    {"id": PLAIN, "title": PLAIN, "host_name": PLAIN, "cal_name": PLAIN},
    optional={"family": PLAIN, "grace_days": PLAIN, "foreign": PLAIN},
)


@given(PLAIN | st.fixed_dictionaries({"name": PLAIN, "title": PLAIN, "rungs": PLAIN | st.lists(RUNG_LIKE | PLAIN)}))
def test_any_data_makes_a_ladder_or_a_licensing_error(data):
    outcome = outcome_of(data)
    assert outcome.detail.isprintable() if isinstance(outcome, LicensingError) else outcome.versions


@given(st.sampled_from(["id", "title", "host_name", "cal_name", "family", "grace_days", "foreign"]), PLAIN)
def test_any_value_of_a_rungs_key_is_taken_or_refused_by_name(key, value):
    outcome = outcome_of(a_ladder_file(a_rung() | {key: value}))
    assert isinstance(outcome, Ladder) or outcome.field == f"rungs[0].{key}"
