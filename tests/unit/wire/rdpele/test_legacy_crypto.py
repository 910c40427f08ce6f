"""Keys, checks and streams against the formulas of the specifications, written here once more in the plainest way."""

from hashlib import md5, sha1

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError
from calward.wire.rdpele.legacy_crypto import (
    Rc4Stream,
    derive_keys,
    mac,
    mac8,
    rc4,
    rdp_security_keys,
)

RANDOM = st.binary(min_size=32, max_size=32)
PREMASTER = st.binary(min_size=48, max_size=48)
WEAK = {40: bytes.fromhex("d1269e"), 56: bytes.fromhex("d1"), 128: b""}
PAD_1, PAD_2 = b"\x36" * 40, b"\x5c" * 48


class TextbookRc4:
    """RC4 as it stands in every book: key schedule, then one byte at a time."""

    def __init__(self, key):
        self.state, j = list(range(256)), 0
        for i in range(256):
            j = (j + self.state[i] + key[i % len(key)]) % 256
            self.state[i], self.state[j] = self.state[j], self.state[i]
        self.i = self.j = 0

    def update(self, data):
        return bytes(one ^ self._next() for one in data)

    def _next(self):
        state = self.state
        self.i = (self.i + 1) % 256
        self.j = (self.j + state[self.i]) % 256
        state[self.i], state[self.j] = state[self.j], state[self.i]
        return state[(state[self.i] + state[self.j]) % 256]


def salted(secret, label, first, second):
    """SaltedHash ([MS-RDPELE] 5.1.2, [MS-RDPBCGR] 5.3.5.1)."""
    return md5(secret + sha1(label + secret + first + second).digest()).digest()


def weakened(key, bits):
    """[MS-RDPBCGR] 5.3.5.1: 40 and 56 bits leave eight bytes, the first of which are known."""
    return key if bits == 128 else (WEAK[bits] + key[len(WEAK[bits]) :])[:8]


def next_key(initial, current, bits):
    """[MS-RDPBCGR] 5.3.7.1, step by step."""
    if bits == 128:
        initial, current = initial[:16], current[:16]
    inner = sha1(initial + PAD_1 + current).digest()
    temporary = md5(initial + PAD_2 + inner).digest()[: len(initial)]
    return weakened(TextbookRc4(temporary).update(temporary), bits)


@pytest.mark.parametrize(
    ("size", "stream"),
    [
        (5, "b2396305f03dc027ccc3524a0a1118a8"),
        (7, "293f02d47f37c9b633f2af5285feb46b"),
        (8, "97ab8a1bf0afb96132f2f67258da15a8"),
        (16, "9ac7cc9a609d1ef7b2932899cde41b97"),
    ],
)
def test_the_textbook_stream_and_ours_give_the_results_of_rfc_6229(size, stream):
    key = bytes(range(1, size + 1))
    assert TextbookRc4(key).update(bytes(16)).hex() == rc4(key, bytes(16)).hex() == stream


@given(PREMASTER, RANDOM, RANDOM)
def test_the_keys_of_licensing_follow_the_formulas(premaster, client, server):
    master = b"".join(salted(premaster, label, client, server) for label in (b"A", b"BB", b"CCC"))
    # The second time the server's random stands first.
    blob = b"".join(salted(master, label, server, client) for label in (b"A", b"BB", b"CCC"))
    keys = derive_keys(premaster, client, server)
    assert keys.mac_salt_key == blob[:16]
    assert keys.licensing_key == md5(blob[16:32] + client + server).digest()


@given(PREMASTER, RANDOM, RANDOM, st.binary(max_size=300))
def test_a_mac_of_licensing_follows_the_formula(premaster, client, server, data):
    keys = derive_keys(premaster, client, server)
    size = len(data).to_bytes(4, "little")
    inner = sha1(keys.mac_salt_key + PAD_1 + size + data).digest()
    assert mac(keys, data) == md5(keys.mac_salt_key + PAD_2 + inner).digest()


@pytest.mark.parametrize("bits", WEAK)
@given(RANDOM, RANDOM)
def test_the_keys_of_standard_security_follow_the_formulas(bits, client, server):
    premaster = client[:24] + server[:24]
    master = b"".join(salted(premaster, label, client, server) for label in (b"A", b"BB", b"CCC"))
    blob = b"".join(salted(master, label, client, server) for label in (b"X", b"YY", b"ZZZ"))
    keys = rdp_security_keys(client, server, bits=bits)
    assert keys.mac_key == weakened(blob[:16], bits)
    assert keys.from_server == weakened(md5(blob[16:32] + client + server).digest(), bits)
    assert keys.from_client == weakened(md5(blob[32:48] + client + server).digest(), bits)


@given(st.binary(min_size=8, max_size=16), st.binary(max_size=100), st.none() | st.integers(0, 1 << 33))
def test_a_mac_of_standard_security_follows_the_formula(key, data, count):
    salt = b"" if count is None else (count % (1 << 32)).to_bytes(4, "little")
    inner = sha1(key + PAD_1 + len(data).to_bytes(4, "little") + data + salt).digest()
    assert mac8(key, data, count=count) == md5(key + PAD_2 + inner).digest()[:8]


@pytest.mark.parametrize("bits", WEAK)
@settings(max_examples=3)
@given(client=RANDOM, server=RANDOM)
def test_after_4096_packets_a_stream_goes_on_with_a_new_key_and_again_after_as_many(bits, client, server):
    key = first = rdp_security_keys(client, server, bits=bits).from_client
    stream, book = Rc4Stream(first, bits=bits), TextbookRc4(first)
    for number in range(2 * 4096 + 2):
        if number in (4096, 8192):
            key = next_key(first, key, bits)
            book = TextbookRc4(key)
        assert stream.packets == number
        assert stream.packet(b"pq") == book.update(b"pq")


def test_the_packet_before_the_new_key_is_still_under_the_old_one():
    key = bytes(range(16))
    stream, old = Rc4Stream(key), TextbookRc4(key)
    for _ in range(4096):
        assert stream.packet(b"\0") == old.update(b"\0")
    new = TextbookRc4(next_key(key, key, 128)).update(bytes(32))
    assert stream.packet(bytes(32)) == new != old.update(bytes(32))


def test_packets_of_no_bytes_count_too():
    key = bytes(range(16))
    stream = Rc4Stream(key)
    for _ in range(4096):
        stream.packet(b"")
    assert stream.packet(b"\0\0") == TextbookRc4(next_key(key, key, 128)).update(b"\0\0")


@pytest.mark.parametrize("sizes", [(47, 32, 32), (49, 32, 32), (48, 31, 32), (48, 32, 33), (0, 0, 0)])
def test_secrets_of_another_length_are_our_own_mistake(sizes):
    with pytest.raises(LocalProtocolError, match="session keys"):
        derive_keys(*(bytes(size) for size in sizes))


@pytest.mark.parametrize("sizes", [(31, 32), (32, 33)])
def test_randoms_of_another_length_are_our_own_mistake(sizes):
    with pytest.raises(LocalProtocolError, match="session keys"):
        rdp_security_keys(*(bytes(size) for size in sizes))


@pytest.mark.parametrize("bits", [0, 64, 256])
def test_there_are_keys_of_three_lengths_only(bits):
    with pytest.raises(LocalProtocolError, match=f"there are no keys of {bits} bits"):
        rdp_security_keys(bytes(32), bytes(32), bits=bits)


def test_no_key_is_shown_by_accident():
    keys, stream_keys = derive_keys(bytes(48), bytes(32), bytes(32)), rdp_security_keys(bytes(32), bytes(32))
    assert repr(keys) == "SessionKeys()"
    assert repr(stream_keys) == "RdpSecurityKeys(bits=128)"
