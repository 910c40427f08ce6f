"""Is the order of versions an order, whatever the ladder?"""

import pytest
from hypothesis import given

from calward.domain.compatibility import MatrixKind, cal_opens_host, matrix, server_holds_cal, server_serves_host
from tests.support.ladders import any_ladder, ladder_and_versions

EACH_CONDITION = pytest.mark.parametrize("holds", [cal_opens_host, server_holds_cal, server_serves_host])
EACH_KIND = pytest.mark.parametrize("kind", MatrixKind)


@EACH_CONDITION
@given(ladder_and_versions(1))
def test_a_version_goes_with_itself(holds, drawn):
    ladder, (version,) = drawn
    assert holds(ladder, version, version)


@EACH_CONDITION
@given(ladder_and_versions(2))
def test_of_two_versions_at_least_one_goes_with_the_other_and_both_only_within_a_family(holds, drawn):
    ladder, (one, other) = drawn
    both = holds(ladder, one, other) and holds(ladder, other, one)
    assert holds(ladder, one, other) or holds(ladder, other, one)
    assert both == (ladder.family_of(one) == ladder.family_of(other))


@EACH_CONDITION
@given(ladder_and_versions(3))
def test_what_goes_with_a_version_goes_with_all_older_ones(holds, drawn):
    ladder, (new, middle, old) = drawn
    if holds(ladder, new, middle) and holds(ladder, middle, old):
        assert holds(ladder, new, old)


@given(ladder_and_versions(3))
def test_a_cal_that_a_server_holds_opens_only_hosts_that_the_server_serves(drawn):
    ladder, (server, cal, host) = drawn
    if server_holds_cal(ladder, server, cal) and cal_opens_host(ladder, cal, host):
        assert server_serves_host(ladder, server, host)


@EACH_KIND
@given(any_ladder)
def test_versions_of_a_family_have_equal_rows_and_equal_columns(kind, ladder):
    cells = matrix(ladder, kind).cells
    for oldest, *others in (ladder.family_versions(rank) for rank in range(ladder.family_of(ladder.newest) + 1)):
        for other in others:
            assert cells[oldest] == cells[other]
            assert all(row[oldest] == row[other] for row in cells.values())


@EACH_KIND
@given(any_ladder)
def test_a_row_is_a_run_of_yes_from_the_oldest_version_on(kind, ladder):
    shown = matrix(ladder, kind)
    for row in shown.rows:
        held = tuple(column for column in shown.columns if shown.cells[row][column])
        assert held == ladder.at_most(row)
        assert row in held


@given(any_ladder)
def test_families_part_the_versions_in_order(ladder):
    ranks = range(ladder.family_of(ladder.newest) + 1)
    assert sum((ladder.family_versions(rank) for rank in ranks), ()) == ladder.versions
    for version in ladder.versions:
        assert version in ladder.family_versions(ladder.family_of(version.upper()))
        assert set(ladder.at_least(version)) | set(ladder.at_most(version)) == set(ladder.versions)
