"""Standard RDP security, both directions: opened in order, salted or not, and a changed byte shows."""

import pytest

from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdp.standard_security import StandardSecurity
from calward.wire.rdpele.legacy_crypto import Rc4Stream, mac8, rdp_security_keys

CLIENT, SERVER = bytes(range(32)), bytes(range(32, 64))


class Side:
    """Encrypts one direction."""

    def __init__(self, *, from_server, bits):
        keys = rdp_security_keys(CLIENT, SERVER, bits=bits)
        self.mac_key = keys.mac_key
        self.stream = Rc4Stream(keys.from_server if from_server else keys.from_client, bits=bits)

    def seal(self, data, *, salted):
        flags = SecurityFlag.ENCRYPT | (SecurityFlag.SECURE_CHECKSUM if salted else SecurityFlag(0))
        mac = mac8(self.mac_key, data, count=self.stream.packets if salted else None)
        return SecurityHeader(flags, mac), self.stream.packet(data)


@pytest.mark.parametrize("bits", [40, 56, 128])
@pytest.mark.parametrize("salted", [False, True])
def test_both_directions_are_opened_apart_from_each_other(bits, salted):
    both = StandardSecurity(CLIENT, SERVER, bits)
    sides = {one: Side(from_server=one, bits=bits) for one in (True, False)}
    for number, from_server in enumerate([True, True, False, True, False, False]):
        data = b"packet" * number
        header, sealed = sides[from_server].seal(data, salted=salted)
        assert both.open(header, sealed, from_server=from_server) == (data, True)


def test_a_changed_byte_a_changed_mac_and_a_missing_mac_do_not_hold():
    header, sealed = Side(from_server=False, bits=128).seal(b"data", salted=False)
    wrong = [
        (header, bytes([sealed[0] ^ 1]) + sealed[1:]),
        (SecurityHeader(header.flags, bytes(8)), sealed),
        (SecurityHeader(header.flags, None), sealed),
        (SecurityHeader(header.flags | SecurityFlag.SECURE_CHECKSUM, header.mac), sealed),
    ]
    for head, data in wrong:
        assert StandardSecurity(CLIENT, SERVER, 128).open(head, data, from_server=False)[1] is False
