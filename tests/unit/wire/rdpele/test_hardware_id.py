"""What a client calls itself: 20 bytes, whatever they mean to it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdpele.hardware_id import SIZE, HardwareId
from calward.wire.rdpele.legacy_crypto import name_hash


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_any_twenty_bytes_are_a_hardware_id(data):
    assert HardwareId.decode(data).encode() == data


@pytest.mark.parametrize(
    ("data", "platform", "chosen"),
    [
        ("00000104d273382fbbe2fe6ba1d00ced2d7977c4", 0x04010000, hashlib.md5(b"freerdp3103-tls").digest()),
        ("000000007319468847d7b1aee40dbf5dd963c999", 0, hashlib.md5(bytes(6)).digest()),
        ("02000000726465736b746f703139302d746c7300", 2, b"rdesktop190-tls\0"),
        ("00000104" + "00" * 16, 0x04010000, bytes(16)),
    ],
    ids=["FreeRDP", "FreeRDP, old license", "rdesktop", "IronRDP"],
)
def test_real_clients_are_read(data, platform, chosen):
    found = HardwareId.decode(bytes.fromhex(data))
    assert found == HardwareId(platform, chosen)
    assert found.encode().hex() == data


def test_a_name_is_hashed_in_utf_8():
    assert name_hash("b\u00fcro") == hashlib.md5("b\u00fcro".encode()).digest()
    assert name_hash("\ud800") == hashlib.md5(b"?").digest()


@pytest.mark.parametrize("size", [0, 1, 19, 21, 40])
def test_more_or_fewer_bytes_are_refused(size):
    with pytest.raises(RemoteProtocolError, match="CLIENT_HARDWARE_ID"):
        HardwareId.decode(bytes(size))


@pytest.mark.parametrize("size", [0, 15, 17])
def test_data_of_another_size_are_our_own_mistake(size):
    with pytest.raises(LocalProtocolError, match="Data"):
        HardwareId(1, bytes(size)).encode()


@pytest.mark.parametrize("platform", [-1, 1 << 32])
def test_a_platform_beyond_its_field_is_our_own_mistake(platform):
    with pytest.raises(LocalProtocolError, match="PlatformId"):
        HardwareId(platform, bytes(16)).encode()
