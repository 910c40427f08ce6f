"""Which keys, checks and streams do [MS-RDPELE] and standard RDP security demand? MD5, SHA-1 and RC4, here and nowhere else.

None of this protects anything: with a client that sends null keys all of it is public. It is what the protocols speak; what
has to hold is held by TLS around it and by the signature inside a license. A test keeps these algorithms out of every other
file.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext

from calward.wire.errors import LocalProtocolError

__all__ = [
    "MAC_SIZE",
    "PREMASTER_SIZE",
    "RANDOM_SIZE",
    "Rc4Stream",
    "RdpSecurityKeys",
    "SessionKeys",
    "derive_keys",
    "mac",
    "mac8",
    "name_hash",
    "rc4",
    "rdp_security_keys",
]

RANDOM_SIZE: Final = 32
PREMASTER_SIZE: Final = 48
MAC_SIZE: Final = 16

_PAD_1: Final = b"\x36" * 40
_PAD_2: Final = b"\x5c" * 48
_WEAK_SALTS: Final = {40: b"\xd1\x26\x9e", 56: b"\xd1", 128: b""}
"""What replaces the first bytes of a key of so many bits ([MS-RDPBCGR] 5.3.5.1)."""
_PACKETS_PER_KEY: Final = 4096
"""After so many packets a stream of standard RDP security gets a new key ([MS-RDPBCGR] 5.3.7)."""


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The two keys of one licensing exchange, 16 bytes each ([MS-RDPELE] 5.1.2)."""

    mac_salt_key: bytes = field(repr=False)
    licensing_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RdpSecurityKeys:
    """The keys of standard RDP security: 16 bytes each, 8 below 128 bits ([MS-RDPBCGR] 5.3.5.1)."""

    mac_key: bytes = field(repr=False)
    from_server: bytes = field(repr=False)
    """Encrypts what the server sends."""
    from_client: bytes = field(repr=False)
    """Encrypts what the client sends."""
    bits: int


class Rc4Stream:
    """One direction of standard RDP security: one RC4 stream over all packets, with a new key after every 4096.

    Source: [MS-RDPBCGR] 5.3.6 Encrypting and Decrypting the I/O Data Stream, 5.3.7 Session Key Updates.
    """

    def __init__(self, key: bytes, *, bits: int = 128) -> None:
        self._first_key = self._key = key
        self._bits = bits
        self._packets = 0
        self._cipher = _cipher(key)

    @property
    def packets(self) -> int:
        """Packets so far, over all keys: the count that a salted MAC covers."""
        return self._packets

    def packet(self, data: bytes) -> bytes:
        """Encrypt, or decrypt, the data of the next packet."""
        if self._packets and self._packets % _PACKETS_PER_KEY == 0:
            self._key = _next_key(self._first_key, self._key, self._bits)
            self._cipher = _cipher(self._key)
        self._packets += 1
        return self._cipher.update(data)


def derive_keys(premaster: bytes, client_random: bytes, server_random: bytes) -> SessionKeys:
    """Derive the two keys that protect one licensing exchange.

    Args:
        premaster: 48 bytes, decrypted.
        client_random: 32 bytes.
        server_random: the 32 bytes of SERVER_LICENSE_REQUEST, not those of the server's GCC block.

    Raises:
        LocalProtocolError: a length is wrong.

    Source: [MS-RDPELE] 5.1.2 Generating the Licensing Encryption and MAC Salt Keys.

    """
    _check("PreMasterSecret", premaster, PREMASTER_SIZE)
    _check("ClientRandom", client_random, RANDOM_SIZE)
    _check("ServerRandom", server_random, RANDOM_SIZE)
    master = _stretch(premaster, client_random + server_random, (b"A", b"BB", b"CCC"))
    # The same labels again, but the two randoms have changed places.
    blob = _stretch(master, server_random + client_random, (b"A", b"BB", b"CCC"))
    return SessionKeys(blob[:16], _md5(blob[16:32] + client_random + server_random))


def mac(keys: SessionKeys, data: bytes) -> bytes:
    """Give the 16 bytes that prove plaintext ``data`` ([MS-RDPELE] 5.1.5)."""
    return _mac(keys.mac_salt_key, data)


def rc4(key: bytes, data: bytes) -> bytes:
    """Encrypt, or decrypt, one blob: within licensing the stream starts anew for each ([MS-RDPELE] 5.1.3, 5.1.4)."""
    return _cipher(key).update(data)


def rdp_security_keys(client_random: bytes, server_random: bytes, *, bits: int = 128) -> RdpSecurityKeys:
    """Derive the keys of standard RDP security from the randoms of the Security Exchange and the server's GCC block.

    Args:
        client_random: 32 bytes, decrypted.
        server_random: 32 bytes.
        bits: 40, 56 or 128, as the server's encryption method says.

    Raises:
        LocalProtocolError: a length is wrong.

    Source: [MS-RDPBCGR] 5.3.5.1 Non-FIPS.

    """
    _check("clientRandom", client_random, RANDOM_SIZE)
    _check("serverRandom", server_random, RANDOM_SIZE)
    randoms = client_random + server_random
    master = _stretch(client_random[:24] + server_random[:24], randoms, (b"A", b"BB", b"CCC"))
    blob = _stretch(master, randoms, (b"X", b"YY", b"ZZZ"))
    return RdpSecurityKeys(
        mac_key=_weaken(blob[:16], bits),
        from_server=_weaken(_md5(blob[16:32] + randoms), bits),
        from_client=_weaken(_md5(blob[32:48] + randoms), bits),
        bits=bits,
    )


def mac8(mac_key: bytes, data: bytes, *, count: int | None = None) -> bytes:
    """Give the 8 bytes before the data of an encrypted packet; ``count`` makes the MAC a salted one.

    Args:
        mac_key: the MAC key of the connection.
        data: the plaintext.
        count: packets encrypted before this one in its direction, where SEC_SECURE_CHECKSUM is set; else None.

    Source: [MS-RDPBCGR] 5.3.6.1 Non-FIPS, 5.3.6.1.1 Salted MAC Generation.

    """
    return _mac(mac_key, data, b"" if count is None else (count & 0xFFFFFFFF).to_bytes(4, "little"))[:8]


def name_hash(name: str) -> bytes:
    """Give the 16 bytes that FreeRDP and clients after its model put into their hardware id: the name, hashed."""
    return _md5(name.encode(errors="replace"))


def _stretch(secret: bytes, randoms: bytes, labels: tuple[bytes, bytes, bytes]) -> bytes:
    """Make 48 bytes of a secret ([MS-RDPELE] 5.1.2: SaltedHash, three times)."""
    return b"".join(_md5(secret + _sha1(label + secret + randoms)) for label in labels)


def _mac(key: bytes, data: bytes, salt: bytes = b"") -> bytes:
    return _md5(key + _PAD_2 + _sha1(key + _PAD_1 + len(data).to_bytes(4, "little") + data + salt))


def _next_key(first: bytes, current: bytes, bits: int) -> bytes:
    """Give the key that follows after 4096 packets ([MS-RDPBCGR] 5.3.7.1)."""
    fresh = _md5(first + _PAD_2 + _sha1(first + _PAD_1 + current))[: len(first)]
    return _weaken(rc4(fresh, fresh), bits)


def _weaken(key: bytes, bits: int) -> bytes:
    """Cut a key to what exports once allowed."""
    if bits not in _WEAK_SALTS:
        raise LocalProtocolError(f"there are no keys of {bits} bits", structure="standard RDP security")
    salt = _WEAK_SALTS[bits]
    return salt + key[len(salt) : 8] if salt else key


def _cipher(key: bytes) -> CipherContext:
    return Cipher(ARC4(key), mode=None).encryptor()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _check(name: str, value: bytes, size: int) -> None:
    if len(value) != size:
        raise LocalProtocolError(f"has {len(value)} bytes, needs {size}", structure="session keys", field=name)
