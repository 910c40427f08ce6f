"""Who may have a pack: by right, version, place and organization."""

from dataclasses import replace

import pytest

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord
from calward.domain.register_checks import (
    Taker,
    why_not_activated,
    why_not_for_version,
    why_not_movable,
    why_not_yours,
)
from calward.domain.statements import NO_END, Program
from tests.support.ladders import harbor, windows_server
from tests.support.signed import DAY, NOW, OTHER_SERVER_ID, SERVER_ID, SOURCE_ID, a_pack

R = AcceptanceRefusal
OURS = Purchase(
    "b1" * 16, "us", Program.VOLUME, ("N1",), "windows-server", "2022", CalType.PER_USER, 50, NO_END, False, NOW
)
ALSO_OURS = replace(OURS, purchase_id="b2" * 16)
THEIRS = replace(OURS, purchase_id="b3" * 16, organization="they")
NOBODYS = replace(OURS, purchase_id="b4" * 16, organization=None)
ALSO_NOBODYS = replace(NOBODYS, purchase_id="b5" * 16)
TAKER = Taker(SERVER_ID, "2022", "us")
STRANGER = replace(TAKER, organization=None)


def reason_of(refused: NotAccepted | None) -> R | None:
    return None if refused is None else refused.reason


@pytest.mark.parametrize(
    ("issue_until", "reason"), [(NOW + DAY, None), (NOW, R.SERVER_NOT_ACTIVATED), (None, R.SERVER_NOT_ACTIVATED)]
)
def test_a_server_needs_a_right_that_runs(issue_until, reason) -> None:
    assert reason_of(why_not_activated(issue_until, NOW)) is reason


@pytest.mark.parametrize(
    ("cal", "server", "reason"),
    [
        ("2008R2", "2008", None),
        ("2012", "2008", R.SERVER_VERSION_TOO_LOW),
        ("2003", "2022", None),
        ("2003", "sloop", R.UNKNOWN_LADDER),
    ],
)
def test_a_server_holds_packs_of_its_family_and_older_ones(cal: str, server: str, reason) -> None:
    assert reason_of(why_not_for_version(windows_server(), cal, server)) is reason


def test_any_ladder_will_do() -> None:
    assert why_not_for_version(harbor(), "sloop", "barque") is None


@pytest.mark.parametrize(
    ("server_id", "source", "taker", "reason"),
    [
        (SOURCE_ID, SOURCE_ID, SERVER_ID, None),
        (SOURCE_ID, OTHER_SERVER_ID, SERVER_ID, R.PACK_NOT_HELD),
        (SOURCE_ID, SOURCE_ID, SOURCE_ID, R.PACK_NOT_HELD),
    ],
)
def test_a_pack_moves_from_where_it_is_to_elsewhere(server_id: str, source: str, taker: str, reason) -> None:
    record = PackRecord(a_pack(server_id=server_id), "b1" * 16)
    assert reason_of(why_not_movable(record, replace(TAKER, server_id=taker), source, NOW)) is reason


def test_an_expired_pack_stays_where_it_is() -> None:
    record = PackRecord(a_pack(server_id=SOURCE_ID, expires_at=NOW), "b1" * 16)
    assert reason_of(why_not_movable(record, TAKER, SOURCE_ID, NOW)) is R.PACK_EXPIRED


@pytest.mark.parametrize(
    ("purchase", "proven", "taker", "needs_proof", "yours"),
    [
        (OURS, None, TAKER, False, True),
        (OURS, None, TAKER, True, False),
        (OURS, OURS, TAKER, True, True),
        (OURS, ALSO_OURS, TAKER, True, True),
        (OURS, THEIRS, TAKER, False, False),
        (OURS, None, STRANGER, False, False),
        (OURS, OURS, STRANGER, True, True),
        (OURS, ALSO_OURS, STRANGER, False, True),
        (THEIRS, None, TAKER, False, False),
        (THEIRS, THEIRS, TAKER, False, False),
        (NOBODYS, None, STRANGER, False, False),
        (NOBODYS, NOBODYS, STRANGER, True, True),
        (NOBODYS, NOBODYS, TAKER, True, True),
        (NOBODYS, ALSO_NOBODYS, STRANGER, False, False),
    ],
)
def test_a_pack_is_yours_by_organization_or_by_proof(
    purchase: Purchase, proven: Purchase | None, taker: Taker, needs_proof: bool, yours: bool
) -> None:
    refused = why_not_yours(purchase, proven, taker, needs_proof=needs_proof)
    assert reason_of(refused) is (None if yours else R.NOT_SAME_ORGANIZATION)
