"""Downgrade, upgrade, convert: whole packs and parts, and never more rights than were paid for."""

from dataclasses import replace

import pytest

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType
from calward.domain.pack_orders import PackChange, PackRef
from calward.domain.pack_requests import ChangeKind, ChangeRequest
from calward.domain.register import PackRecord, Step
from calward.domain.register_changes import ChangeTerms, change_pack
from calward.domain.statements import KeyPackStatement
from tests.support.ladders import windows_server
from tests.support.signed import DAY, HEAD, NOW, OTHER_SERVER_ID, a_pack

R = AcceptanceRefusal
BOUGHT = a_pack(version="2012", bought_as="2012", total=10)
TERMS = ChangeTerms(windows_server(), convertible=True, order_id="0d" * 16, part_id="99" * 16)


def changed(
    kind: ChangeKind,
    to: str,
    count: int | None = None,
    *,
    pack: KeyPackStatement = BOUGHT,
    terms: ChangeTerms = TERMS,
    **request,
) -> Step | NotAccepted:
    values = {
        "head": HEAD,
        "pack_id": pack.pack_id,
        "generation": pack.generation,
        "kind": kind,
        "to": to,
        "count": count,
    }
    return change_pack(PackRecord(pack, "b1" * 16), ChangeRequest(**values | request), terms, now=NOW + DAY)


def statements(step: Step | NotAccepted) -> list[KeyPackStatement]:
    assert isinstance(step, Step), step
    return [one.statement for one in step.packs]


@pytest.mark.parametrize("count", [None, 10])
def test_a_whole_pack_keeps_its_id_and_remembers_what_it_was_bought_as(count: int | None) -> None:
    (pack,) = statements(changed(ChangeKind.DOWNGRADE, "2003", count))
    assert pack == replace(BOUGHT, generation=2, version="2003", issued_at=NOW + DAY)


def test_a_part_becomes_a_pack_of_its_own() -> None:
    step = changed(ChangeKind.DOWNGRADE, "2008R2", 4)
    rest, part = statements(step)
    assert rest == replace(BOUGHT, generation=2, total=6, issued_at=NOW + DAY)
    assert part == replace(BOUGHT, pack_id="99" * 16, total=4, version="2008R2", issued_at=NOW + DAY)
    assert isinstance(step, Step)
    (post,) = step.posts
    assert isinstance(post.statement, PackChange)
    assert (post.item, post.statement.pack, post.statement.packs) == (
        TERMS.order_id,
        PackRef(BOUGHT.pack_id, 1),
        (rest, part),
    )


def test_within_a_family_a_downgrade_is_one_too() -> None:
    assert statements(changed(ChangeKind.DOWNGRADE, "2008", pack=a_pack(version="2008R2")))[0].version == "2008"


@pytest.mark.parametrize("to", ["2012", "2016", "nothing"])
def test_what_is_not_older_is_no_downgrade(to: str) -> None:
    refused = changed(ChangeKind.DOWNGRADE, to)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is R.UNKNOWN_VERSION


DOWNGRADED = replace(BOUGHT, version="2003", generation=2)


def test_a_downgraded_pack_is_raised_up_to_what_was_bought() -> None:
    assert statements(changed(ChangeKind.UPGRADE, "2012", pack=DOWNGRADED))[0].version == "2012"
    assert statements(changed(ChangeKind.UPGRADE, "2008", pack=DOWNGRADED))[0].version == "2008"


@pytest.mark.parametrize(
    ("to", "server_version", "reason"),
    [
        ("2016", "2022", R.ABOVE_WHAT_WAS_BOUGHT),
        ("2012R2", "2022", R.ABOVE_WHAT_WAS_BOUGHT),
        ("2003", "2022", R.UNKNOWN_VERSION),
        ("2000", "2022", R.UNKNOWN_VERSION),
        ("nothing", "2022", R.UNKNOWN_VERSION),
        ("2012", "2008R2", R.SERVER_VERSION_TOO_LOW),
    ],
)
def test_a_pack_is_not_raised_beyond(to: str, server_version: str, reason: R) -> None:
    refused = changed(ChangeKind.UPGRADE, to, pack=DOWNGRADED, head=replace(HEAD, server_version=server_version))
    assert isinstance(refused, NotAccepted)
    assert refused.reason is reason


def test_a_convertible_pack_changes_its_type_and_nothing_else() -> None:
    (pack,) = statements(changed(ChangeKind.CONVERT, "per-user"))
    assert pack == replace(BOUGHT, generation=2, cal_type=CalType.PER_USER, issued_at=NOW + DAY)


@pytest.mark.parametrize(("to", "convertible"), [("per-user", False), ("per-device", True), ("2012", True)])
def test_a_pack_is_not_converted_where_the_agreement_does_not_say_so(to: str, convertible: bool) -> None:
    refused = changed(ChangeKind.CONVERT, to, terms=replace(TERMS, convertible=convertible))
    assert isinstance(refused, NotAccepted)
    assert refused.reason is R.NOT_CONVERTIBLE


@pytest.mark.parametrize(
    ("pack", "request_", "reason"),
    [
        (BOUGHT, {"head": replace(HEAD, server_id=OTHER_SERVER_ID)}, R.PACK_NOT_HELD),
        (BOUGHT, {"generation": 2}, R.PACK_NOT_HELD),
        (replace(BOUGHT, expires_at=NOW + DAY), {}, R.PACK_EXPIRED),
        (BOUGHT, {"count": 11}, R.NOTHING_LEFT),
    ],
)
def test_only_what_the_server_holds_is_changed(pack: KeyPackStatement, request_: dict, reason: R) -> None:
    refused = changed(ChangeKind.DOWNGRADE, "2003", pack=pack, **request_)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is reason
