"""Do the numbers of the product stand as published, and does nothing senseless get among them?"""

from dataclasses import fields
from decimal import Decimal

import pytest

from calward.domain.errors import LicensingError, Problem
from calward.domain.settings import PerUser, Settings, changed

DEFAULTS = {
    "temporary_days": 90,
    "full_days_min": 52,
    "full_days_max": 89,
    "renew_within_days": 7,
    "user_days": 60,
    "revocable_share": Decimal("0.2"),
    "grace_days": 120,
    "prevent_license_upgrade": False,
    "per_user": "track",
    "low_share": Decimal("0.1"),
}


def test_the_defaults_are_the_published_numbers():
    assert {field.name: getattr(Settings(), field.name) for field in fields(Settings)} == DEFAULTS


@pytest.mark.parametrize(
    ("key", "written", "read"),
    [
        ("temporary_days", "30", 30),
        ("user_days", 1, 1),
        ("grace_days", 0, 0),
        ("renew_within_days", 0, 0),
        ("revocable_share", "0.25", Decimal("0.25")),
        ("revocable_share", 0.2, Decimal("0.2")),
        ("low_share", 1, Decimal(1)),
        ("low_share", 0, Decimal(0)),
        ("prevent_license_upgrade", "true", True),
        ("prevent_license_upgrade", True, True),
        ("prevent_license_upgrade", "false", False),
        ("prevent_license_upgrade", False, False),
        ("per_user", "enforce", PerUser.ENFORCE),
        ("per_user", PerUser.TRACK, PerUser.TRACK),
    ],
)
def test_a_value_is_read_as_the_type_that_its_setting_has(key, written, read):
    value = getattr(changed(Settings(), {key: written}), key)
    assert value == read
    assert type(value) is type(read)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("temporary_days", 0, "1 to 36500 days"),
        ("temporary_days", 36_501, "1 to 36500 days"),
        ("temporary_days", "many", "a whole number of days"),
        ("temporary_days", 1.5, "a whole number of days"),
        ("temporary_days", True, "a number"),
        ("temporary_days", None, "a whole number of days"),
        ("temporary_days", "9" * 5000, "a whole number of days"),
        ("temporary_days", "6_0", "a whole number of days"),
        ("temporary_days", "\u0666\u0660", "a whole number of days"),
        ("temporary_days", " 60", "a whole number of days"),
        ("low_share", "0.1_5", "a number between 0 and 1"),
        ("user_days", -1, "1 to 36500 days"),
        ("full_days_min", 90, "at most full_days_max"),
        ("full_days_max", 51, "at most full_days_max"),
        ("grace_days", -1, "0 to 36500 days"),
        ("renew_within_days", -1, "0 to 36500 days"),
        ("revocable_share", "1.1", "a share between 0 and 1"),
        ("revocable_share", "-0.1", "a share between 0 and 1"),
        ("revocable_share", "NaN", "a share between 0 and 1"),
        ("low_share", "Infinity", "a share between 0 and 1"),
        ("low_share", "half", "a number between 0 and 1"),
        ("low_share", [0.1], "a number between 0 and 1"),
        ("prevent_license_upgrade", 1, "true or false"),
        ("prevent_license_upgrade", "yes", "true or false"),
        ("prevent_license_upgrade", ["true"], "true or false"),
        ("per_user", "strict", "track or enforce"),
        ("per_user", ["track"], "track or enforce"),
        ("per_usr", "track", "one of temporary_days, full_days_min"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_do(key, value, expected):
    with pytest.raises(LicensingError) as caught:
        changed(Settings(), {key: value})
    assert caught.value.problem is Problem.MALFORMED
    assert expected in caught.value.detail
    assert caught.value.field in {key, "full_days_min"}


def test_both_limits_of_a_life_may_move_together():
    moved = changed(Settings(), {"full_days_min": 100, "full_days_max": 120})
    assert (moved.full_days_min, moved.full_days_max) == (100, 120)


def test_what_is_not_named_stays_as_it_was():
    first = changed(Settings(), {"user_days": 30})
    assert changed(first, {"grace_days": 5}) == Settings(user_days=30, grace_days=5)
