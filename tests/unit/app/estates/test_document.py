"""Does a snapshot come back as it was written?"""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.app.estates.document import FORMAT, from_document, from_json, pieces, to_document
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import parse_ladder
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    ImportProblem,
    LicenseStatus,
    PackType,
    Source,
)
from tests.support.builders import ladder
from tests.support.ladders import a_ladder_file, a_rung

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MAYBE = st.none() | TEXT
TIME = st.none() | st.integers(0, 2**40)
TYPES = st.sampled_from(PackType)
NUMBERS = st.integers(0, 2**31)
LADDERS = (
    ladder(),
    parse_ladder(
        a_ladder_file(a_rung("a", grace_days=3), a_rung("b", family="a"), a_rung("c", foreign={"x": 1, "y": "z"}))
    ),
)

ESTATES = st.builds(
    Estate,
    name=TEXT,
    source=st.sampled_from(Source),
    taken_at=NUMBERS,
    ladder=st.sampled_from(LADDERS),
    servers=st.lists(
        st.builds(EstateServer, TEXT, MAYBE, st.none() | st.booleans(), TIME, st.tuples(st.tuples(TEXT, TEXT))),
        max_size=2,
    ),
    hosts=st.lists(
        st.builds(EstateHost, TEXT, MAYBE, st.none() | st.sampled_from(CalType), st.tuples(TEXT, TEXT), TIME, TIME),
        max_size=2,
    ),
    packs=st.lists(
        st.builds(
            EstatePack, TEXT, TEXT, MAYBE, TYPES, TEXT, st.none() | NUMBERS, NUMBERS, NUMBERS, TIME, TIME, st.booleans()
        ),
        max_size=3,
    ),
    licenses=st.lists(
        st.builds(
            EstateLicense,
            TEXT,
            TEXT,
            MAYBE,
            TYPES,
            st.sampled_from(LicenseStatus),
            MAYBE,
            MAYBE,
            MAYBE,
            MAYBE,
            TIME,
            TIME,
            MAYBE,
            st.tuples(TEXT),
        ),
        max_size=4,
    ),
    failures=st.lists(
        st.builds(EstateFailure, NUMBERS, TEXT, MAYBE, TEXT, TYPES, MAYBE, st.tuples(TEXT), NUMBERS), max_size=2
    ),
    problems=st.lists(st.builds(ImportProblem, TEXT, NUMBERS, TEXT), max_size=2),
    facts=st.dictionaries(TEXT, TEXT, max_size=2),
)


def never(name):
    raise AssertionError(name)


@given(ESTATES)
def test_it_comes_back_as_it_was(estate):
    assert from_document(to_document(estate), never) == estate
    assert from_json(b"".join(pieces(estate)), never) == estate
    assert json.loads(b"".join(pieces(estate))) == json.loads(json.dumps(to_document(estate)))


def test_long_lists_are_written_in_pieces(monkeypatch):
    monkeypatch.setattr("calward.app.estates.document._AT_ONCE", 2)
    problems = [ImportProblem("a", n, "x") for n in range(5)]
    estate = Estate("e", Source.IMPORT, 0, ladder(), problems=problems)
    assert from_json(b"".join(pieces(estate)), never).problems == problems


def test_lists_may_be_read_as_they_go():
    license_ = EstateLicense("1", "s", None, PackType.PER_USER, LicenseStatus.ACTIVE, None, None, "a", None, 1, 2)
    failure = EstateFailure(1, "s", None, "a", PackType.PER_USER, None, ())
    estate = Estate("e", Source.CALWARD, 0, ladder())
    found = from_json(b"".join(pieces(estate, licenses=iter([license_]), failures=iter([failure]))), never)
    assert found == replace(
        estate, servers=[], hosts=[], packs=[], problems=[], licenses=[license_], failures=[failure]
    )


def test_a_document_may_only_name_its_ladder():
    document = to_document(Estate("e", Source.IMPORT, 0, ladder())) | {"ladder": "harbor"}
    asked = []
    found = from_document(document, lambda name: asked.append(name) or ladder())
    assert (asked, found.ladder) == (["harbor"], ladder())


def test_keys_of_a_later_release_are_passed_over():
    document = to_document(Estate("e", Source.IMPORT, 0, ladder())) | {"later": [1]}
    assert from_document(document, never).name == "e"


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "calward-estate/2"},
        {"format": None},
        {"packs": [{"id": 1}]},
        {"source": "elsewhere"},
        {"taken_at": "now"},
        {"ladder": {}},
        {"ladder": 7},
    ],
)
def test_what_is_no_snapshot_is_refused(changes):
    document = to_document(Estate("e", Source.IMPORT, 0, ladder())) | changes
    with pytest.raises(LicensingError) as error:
        from_document(document, never)
    assert error.value.problem is Problem.MALFORMED


@given(st.binary(max_size=60))
def test_any_bytes_are_no_snapshot(content):
    with pytest.raises(LicensingError):
        from_json(content, never)


def test_the_form_has_a_name():
    assert FORMAT == "calward-estate/1"
