"""Numbers of purchases: made, read as typed, never mistaken; and how much of a purchase is left."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.purchases import (
    FORMS,
    Purchase,
    make_numbers,
    quantity_to_claim,
    read_number,
    read_numbers,
    read_proof,
)
from calward.domain.statements import MAX_TOTAL, NO_END, Program
from tests.support.signed import NOW

PROGRAMS = list(Program)
SEEDS = st.binary(min_size=1, max_size=8)


def drawn(seed: bytes):
    counted = iter(range(100))
    return lambda size: hashlib.shake_128(seed + bytes([next(counted)])).digest(size)


def a_purchase(**changes) -> Purchase:
    numbers = make_numbers(Program.OPEN, drawn(b"1"))
    purchase = Purchase(
        "b1" * 16, "0f" * 16, Program.OPEN, numbers, "windows-server", "2022", CalType.PER_USER, 50, NO_END, False, NOW
    )
    return replace(purchase, **changes)


@pytest.mark.parametrize(
    ("program", "shape"),
    [
        (Program.RETAIL, ["5-5-5-5-5"]),
        (Program.OPEN, ["8", "5-5-5"]),
        (Program.VOLUME, ["4-4-4-4"]),
        (Program.SUBSCRIPTION, ["4-4-4-4"]),
    ],
)
def test_each_program_has_numbers_of_its_form(program: Program, shape: list[str]) -> None:
    numbers = make_numbers(program, drawn(b"x"))
    assert ["-".join(str(len(one)) for one in number.split("-")) for number in numbers] == shape


@given(st.sampled_from(PROGRAMS), SEEDS)
def test_numbers_are_read_as_people_type_them(program: Program, seed: bytes) -> None:
    numbers = make_numbers(program, drawn(seed))
    typed = [f" {one.lower().replace('-', ' ')}\t" for one in numbers]
    assert read_numbers(program, typed) == numbers
    assert read_numbers(program, [one.replace("-", "") for one in numbers]) == numbers
    assert read_proof(numbers[-1].replace("0", "o")) == numbers[-1]


def test_letters_that_look_like_digits_are_read_as_these() -> None:
    form = FORMS[Program.VOLUME][0]
    number = next(
        one for n in range(1000) for one in make_numbers(Program.VOLUME, drawn(b"%d" % n)) if "0" in one and "1" in one
    )
    assert read_number(form, number.replace("0", "O").replace("1", "l")) == number
    assert read_number(form, number.replace("1", "I")) == number


@given(st.sampled_from(PROGRAMS), SEEDS, st.data())
def test_a_slip_of_one_character_is_always_found(program: Program, seed: bytes, data: st.DataObject) -> None:
    for form, number in zip(FORMS[program], make_numbers(program, drawn(seed)), strict=True):
        typed = number.replace("-", "")
        at = data.draw(st.integers(0, len(typed) - 1))
        letters = "0123456789" if form.digits_only else "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        other = data.draw(st.sampled_from([one for one in letters if one != typed[at]]))
        with pytest.raises(LicensingError) as caught:
            read_number(form, typed[:at] + other + typed[at + 1 :])
        assert caught.value.problem is Problem.MALFORMED


@given(st.sampled_from([Program.RETAIL, Program.VOLUME]), SEEDS)
def test_two_letters_that_changed_places_are_always_found(program: Program, seed: bytes) -> None:
    (form,), (number,) = FORMS[program], make_numbers(program, drawn(seed))
    typed = number.replace("-", "")
    for at, (one, next_one) in enumerate(pairwise(typed)):
        if one != next_one:
            with pytest.raises(LicensingError):
                read_number(form, typed[:at] + next_one + one + typed[at + 2 :])


@pytest.mark.parametrize("typed", ["", "123", "1234567890123456U", "é" * 16, "12345678901234567"])
def test_what_cannot_be_a_number_is_malformed(typed: str) -> None:
    with pytest.raises(LicensingError) as caught:
        read_number(FORMS[Program.VOLUME][0], typed)
    assert caught.value.problem is Problem.MALFORMED
    assert read_proof(typed) is None


def test_digits_of_other_scripts_are_no_license_number() -> None:
    with pytest.raises(LicensingError):
        read_number(FORMS[Program.OPEN][0], "١٢٣٤٥٦٧٨")


@pytest.mark.parametrize("typed", [[], ["1"], ["1", "2", "3"]])
def test_too_few_or_too_many_numbers_are_malformed(typed: list[str]) -> None:
    with pytest.raises(LicensingError, match="license number and authorization number"):
        read_numbers(Program.OPEN, typed)


def test_the_short_license_number_alone_proves_nothing() -> None:
    numbers = make_numbers(Program.OPEN, drawn(b"1"))
    assert read_proof(numbers[0]) is None
    assert a_purchase().proof == numbers[1]


@pytest.mark.parametrize(
    ("claimed", "wanted", "given"), [(0, None, 50), (20, None, 30), (20, 30, 30), (49, 1, 1), (0, 7, 7)]
)
def test_what_is_left_can_be_claimed_in_parts(claimed: int, wanted: int | None, given: int) -> None:
    assert quantity_to_claim(a_purchase(), claimed, wanted, NOW) == given


@pytest.mark.parametrize(("claimed", "wanted"), [(50, None), (50, 1), (20, 31), (0, 51)])
def test_more_than_is_left_is_refused(claimed: int, wanted: int | None) -> None:
    refused = quantity_to_claim(a_purchase(), claimed, wanted, NOW)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is AcceptanceRefusal.NOTHING_LEFT


@pytest.mark.parametrize(("wanted", "given"), [(None, 50), (50, 50), (49, None)])
def test_a_retail_code_is_claimed_whole(wanted: int | None, given: int | None) -> None:
    found = quantity_to_claim(a_purchase(program=Program.RETAIL), 0, wanted, NOW)
    assert found == given or (isinstance(found, NotAccepted) and found.reason is AcceptanceRefusal.MALFORMED)


def test_a_purchase_that_ended_gives_nothing() -> None:
    ended = a_purchase(expires_at=NOW)
    refused = quantity_to_claim(ended, 0, None, NOW)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is AcceptanceRefusal.PACK_EXPIRED
    assert quantity_to_claim(ended, 0, None, NOW - timedelta(seconds=1)) == 50


def test_one_claim_is_one_pack_and_no_larger_than_a_pack_can_be() -> None:
    assert quantity_to_claim(a_purchase(quantity=3 * MAX_TOTAL), 0, None, NOW) == MAX_TOTAL
