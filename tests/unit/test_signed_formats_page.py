"""The page about signed formats leaves nothing out."""

import json
from pathlib import Path

import pytest

from calward.domain.acceptance import AcceptanceRefusal
from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.domain.issued_license import MAX_LICENSE_SIZE, PresentedRefusal
from calward.domain.statements import MAX_PAYLOAD_SIZE, MAX_TOTAL, NO_END, PayloadType, Program
from tests.support.signed import STATEMENTS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "signed-formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*PayloadType, *AcceptanceRefusal, *PresentedRefusal, *Program])
def test_every_name_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("kind", STATEMENTS)
def test_every_field_of_every_statement_is_explained(kind: PayloadType) -> None:
    _, _, after = PAGE.partition(
        f"\n`{kind.removeprefix('application/vnd.calward.').removesuffix('+json')}`\n\n| field"
    )
    table, _, _ = after.partition("\n\n")
    assert [name for name in json.loads(STATEMENTS[kind]().to_payload()) if f"`{name}`" not in table] == []


def test_the_limits_are_those_of_the_code() -> None:
    for limit in (MAX_ENVELOPE_SIZE, MAX_PAYLOAD_SIZE, MAX_LICENSE_SIZE, MAX_TOTAL):
        assert f"{limit:,}" in PAGE
    assert f"{NO_END:%Y-%m-%dT%H:%M:%SZ}" in PAGE
