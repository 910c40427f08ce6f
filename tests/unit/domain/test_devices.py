"""The id of a device, of what its client says."""

import hashlib

import pytest

from calward.domain.devices import device_id, device_label
from calward.domain.names import check_holder, check_label

PLATFORM = bytes.fromhex("00000104")
GOOD = PLATFORM + bytes(range(16))
NO_NETWORK = PLATFORM + hashlib.md5(bytes(6), usedforsecurity=False).digest()
EMPTY = PLATFORM + bytes(16)


def test_a_hardware_id_of_its_own_is_the_id_whatever_the_name():
    assert device_id(GOOD, "pc1") == device_id(GOOD, "") == GOOD.hex()


@pytest.mark.parametrize("shared", [NO_NETWORK, EMPTY])
def test_an_id_that_many_devices_share_is_told_apart_by_the_name_without_its_case(shared):
    assert device_id(shared, "PC1") == device_id(shared, "pc1") == f"{shared.hex()}+pc1"
    assert device_id(shared, "pc2") != device_id(shared, "pc1")
    assert device_id(shared, "") is None


@pytest.mark.parametrize("nothing", [None, b"", b"short", bytes(21)])
def test_without_a_hardware_id_there_is_the_name_and_without_both_nothing(nothing):
    assert device_id(nothing, "pc1") == "+pc1"
    assert device_id(nothing, " \x00\n") is None


@pytest.mark.parametrize("name", ["pc\x001", " pc ", "x" * 500, "\u202epc", "Büro", "a\ud800b", " " * 70 + "x"])
def test_every_id_and_label_is_one_that_a_license_server_takes(name):
    check_holder(device_id(None, name) or "x", "hardware_id")
    check_label(device_label(name))
