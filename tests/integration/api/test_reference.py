"""Does the reference say what the code does?"""

from pathlib import Path

import pytest

from calward.domain.errors import Problem
from calward.entrypoints.problems import STATUS
from tests.support.api_tables import addresses_table, roles_table

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("table", [roles_table, addresses_table])
def test_the_page_of_roles_has_the_tables_that_are_enforced(table):
    assert table() in (DOCS / "reference" / "roles.md").read_text(encoding="utf-8"), table()


@pytest.mark.parametrize("problem", Problem)
def test_the_page_of_the_api_has_every_kind_of_error(problem):
    text = (DOCS / "reference" / "http-api.md").read_text(encoding="utf-8")
    assert f"| `{problem}` | {STATUS[problem].value} |" in text
