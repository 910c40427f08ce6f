"""Do the three matrices say what the documentation says?"""

import tomllib

import pytest

from calward.domain.cals import CalType
from calward.domain.compatibility import (
    EXPLANATIONS,
    Condition,
    MatrixKind,
    cal_opens_host,
    condition_of,
    matrix,
    server_holds_cal,
    server_serves_host,
    type_fits_mode,
)
from calward.domain.errors import LicensingError
from calward.domain.ladder import parse_ladder
from tests.support.ladders import HARBOR_FILE, harbor, windows_server

# Which CAL (row) opens which host (column).
CAL_HOST = """
        2000  2003  2008  2008R2  2012  2012R2  2016  2019  2022  2025
2000    yes   no    no    no      no    no      no    no    no    no
2003    yes   yes   no    no      no    no      no    no    no    no
2008    yes   yes   yes   yes     no    no      no    no    no    no
2008R2  yes   yes   yes   yes     no    no      no    no    no    no
2012    yes   yes   yes   yes     yes   yes     no    no    no    no
2012R2  yes   yes   yes   yes     yes   yes     no    no    no    no
2016    yes   yes   yes   yes     yes   yes     yes   no    no    no
2019    yes   yes   yes   yes     yes   yes     yes   yes   no    no
2022    yes   yes   yes   yes     yes   yes     yes   yes   yes   no
2025    yes   yes   yes   yes     yes   yes     yes   yes   yes   yes
"""
# Which license server (row) holds which CAL (column). A 2008 server takes 2008 R2 packs.
SERVER_CAL = """
        2000  2003  2008  2008R2  2012  2012R2  2016  2019  2022  2025
2000    yes   no    no    no      no    no      no    no    no    no
2003    yes   yes   no    no      no    no      no    no    no    no
2008    yes   yes   yes   yes     no    no      no    no    no    no
2008R2  yes   yes   yes   yes     no    no      no    no    no    no
2012    yes   yes   yes   yes     yes   yes     no    no    no    no
2012R2  yes   yes   yes   yes     yes   yes     no    no    no    no
2016    yes   yes   yes   yes     yes   yes     yes   no    no    no
2019    yes   yes   yes   yes     yes   yes     yes   yes   no    no
2022    yes   yes   yes   yes     yes   yes     yes   yes   yes   no
2025    yes   yes   yes   yes     yes   yes     yes   yes   yes   yes
"""
# Which license server (row) serves which host (column). A 2008 R2 host may ask a 2008 server.
SERVER_HOST = """
        2000  2003  2008  2008R2  2012  2012R2  2016  2019  2022  2025
2000    yes   no    no    no      no    no      no    no    no    no
2003    yes   yes   no    no      no    no      no    no    no    no
2008    yes   yes   yes   yes     no    no      no    no    no    no
2008R2  yes   yes   yes   yes     no    no      no    no    no    no
2012    yes   yes   yes   yes     yes   yes     no    no    no    no
2012R2  yes   yes   yes   yes     yes   yes     no    no    no    no
2016    yes   yes   yes   yes     yes   yes     yes   no    no    no
2019    yes   yes   yes   yes     yes   yes     yes   yes   no    no
2022    yes   yes   yes   yes     yes   yes     yes   yes   yes   no
2025    yes   yes   yes   yes     yes   yes     yes   yes   yes   yes
"""
HARBOR = """
          sloop  Ketch  ketch-II  barque  4.2
sloop     yes    yes    yes       no      no
Ketch     yes    yes    yes       no      no
ketch-II  yes    yes    yes       no      no
barque    yes    yes    yes       yes     no
4.2       yes    yes    yes       yes     yes
"""
EXPECTED = {MatrixKind.CAL_HOST: CAL_HOST, MatrixKind.SERVER_CAL: SERVER_CAL, MatrixKind.SERVER_HOST: SERVER_HOST}
CONDITIONS = {
    MatrixKind.CAL_HOST: cal_opens_host,
    MatrixKind.SERVER_CAL: server_holds_cal,
    MatrixKind.SERVER_HOST: server_serves_host,
}


def document_of(text: str) -> dict[str, object]:
    """Read a matrix that is written out by hand, in the shape of its JSON."""
    heads, *lines = [line.split() for line in text.strip().splitlines()]
    cells = {row: {head: {"yes": True, "no": False}[word] for head, word in zip(heads, words, strict=True)}
             for row, *words in lines}  # fmt: skip
    return {"rows": [row for row, *_ in lines], "columns": heads, "cells": cells}


@pytest.mark.parametrize("kind", MatrixKind)
def test_every_cell_is_as_documented(kind):
    assert matrix(windows_server(), kind).document() == document_of(EXPECTED[kind])


@pytest.mark.parametrize("kind", MatrixKind)
def test_an_invented_ladder_is_treated_alike(kind):
    assert matrix(harbor(), kind).document() == document_of(HARBOR)


@pytest.mark.parametrize("kind", MatrixKind)
def test_a_ladder_with_its_rungs_in_another_order_gives_another_matrix(kind):
    data = tomllib.loads(HARBOR_FILE.read_text(encoding="utf-8"))
    data["rungs"] = [*data["rungs"][3:], *data["rungs"][:3]]
    cells = matrix(parse_ladder(data), kind).cells
    assert cells["sloop"]["4.2"]
    assert not cells["4.2"]["sloop"]


def test_a_license_of_2003_on_a_newer_server_opens_what_it_always_opened():
    ladder = windows_server()
    assert server_holds_cal(ladder, "2008R2", "2003")
    assert cal_opens_host(ladder, "2003", "2000")
    assert not cal_opens_host(ladder, "2003", "2008")


@pytest.mark.parametrize("condition", CONDITIONS.values())
def test_versions_are_compared_without_regard_to_case_and_unknown_ones_refused(condition):
    ladder = windows_server()
    assert condition(ladder, "2008r2", "2008")
    for pair in (("2007", "2008"), ("2008", "2007")):
        with pytest.raises(LicensingError, match="'2007' is no version"):
            condition(ladder, *pair)


@pytest.mark.parametrize("cal_type", CalType)
@pytest.mark.parametrize("mode", CalType)
def test_only_the_hosts_own_mode_fits(cal_type, mode):
    assert type_fits_mode(cal_type, mode) == (cal_type.value == mode.value)


def test_every_condition_has_one_sentence_of_its_own():
    assert set(EXPLANATIONS) == set(Condition)
    assert len(set(EXPLANATIONS.values())) == len(Condition)
    for sentence in EXPLANATIONS.values():
        assert sentence[0].islower()
        assert not sentence.endswith(".")
        assert ";" not in sentence


def test_every_kind_of_matrix_shows_another_condition():
    assert [condition_of(kind) for kind in MatrixKind] == [
        Condition.CAL_OPENS_HOST,
        Condition.SERVER_HOLDS_CAL,
        Condition.SERVER_SERVES_HOST,
    ]


def test_a_matrix_cannot_be_changed():
    shown = matrix(harbor(), MatrixKind.CAL_HOST)
    with pytest.raises(TypeError):
        shown.cells["sloop"]["4.2"] = True
    with pytest.raises(TypeError):
        shown.cells["sloop"] = {}
