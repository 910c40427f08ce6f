"""What does an error say to who can act on it?"""

import pytest

from calward.domain.errors import LicensingError, Problem


def test_an_error_carries_its_kind_its_sentence_and_the_part_of_the_input():
    error = LicensingError(Problem.MALFORMED, "total must be 1 or more", field="total")
    assert (error.problem, error.detail, error.field) == ("malformed", "total must be 1 or more", "total")
    assert str(error) == "total must be 1 or more"


def test_an_error_need_not_be_about_a_part_of_the_input():
    assert LicensingError(Problem.UNAVAILABLE, "ask again").field is None


@pytest.mark.parametrize("problem", Problem)
def test_the_kinds_are_names_that_can_stand_in_a_url(problem):
    assert problem.value == problem.value.lower().replace("_", "-")
