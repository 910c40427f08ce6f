"""Whose key encrypts the premaster secret? Server certificates, [MS-RDPBCGR] 2.2.1.4.3.1 and [MS-RDPELE] 2.2.1.4.

A certificate is here what it is to clients: bytes that carry an RSA key. None of the clients that we know verifies a
signature, a name or a date, and we do not either.
"""

from dataclasses import dataclass, field
from typing import Final

from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["CertificateChain", "ProprietaryCertificate", "decode_certificate"]

_CHAIN: Final = 2
_PROPRIETARY: Final = 1
_TEMPORARY: Final = 1 << 31
_MIN_CERTIFICATES, _MAX_CERTIFICATES = 2, 200
_CHAIN_NAME: Final = "X509_CERTIFICATE_CHAIN"
_PROPRIETARY_NAME: Final = "PROPRIETARYSERVERCERTIFICATE"
_KEY_NAME: Final = "RSA_PUBLIC_KEY"
_KEY_MAGIC: Final = b"RSA1"
_KEY_PADDING: Final = 8
_MAX_KEY_BITS: Final = 16384
_RSA_KEY_BLOB, _SIGNATURE_BLOB = 6, 8


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """Certificates in DER, the root first, the session host's last; at least two, or IronRDP takes none."""

    certificates: tuple[bytes, ...] = field(repr=False)
    temporary: bool = False

    def encode(self) -> bytes:
        """Write the chain with its version before and its padding, 8 + 4n zero bytes, behind."""
        count = len(self.certificates)
        writer = (
            Writer(_CHAIN_NAME).u32(_version(_CHAIN, temporary=self.temporary), "dwVersion").u32(count, "NumCertBlobs")
        )
        for certificate in self.certificates:
            writer.u32(len(certificate), "cbCert").put(certificate)
        return writer.put(bytes(_padding(count))).done()


@dataclass(frozen=True, slots=True)
class ProprietaryCertificate:
    """A bare RSA key with a signature that everybody can make; read where others send it, never sent by us."""

    modulus: int
    exponent: int
    signature: bytes = field(repr=False)
    temporary: bool = False

    def encode(self) -> bytes:
        """Write the certificate with its version before."""
        size = (self.modulus.bit_length() + 7) // 8
        key = Writer(_KEY_NAME).put(_KEY_MAGIC).u32(size + _KEY_PADDING, "keylen").u32(size * 8, "bitlen")
        key.u32(size - 1, "datalen").u32(self.exponent, "pubExp")
        blob = key.put(self.modulus.to_bytes(size, "little") + bytes(_KEY_PADDING)).done()
        writer = Writer(_PROPRIETARY_NAME).u32(_version(_PROPRIETARY, temporary=self.temporary), "dwVersion")
        writer.u32(1, "dwSigAlgId").u32(1, "dwKeyAlgId").blob(_RSA_KEY_BLOB, blob, "PublicKeyBlob")
        return writer.blob(_SIGNATURE_BLOB, self.signature, "SignatureBlob").done()


def decode_certificate(data: bytes) -> CertificateChain | ProprietaryCertificate:
    """Read either form; RemoteProtocolError where it is malformed or of an unknown version."""
    reader = Reader(data, "SERVER_CERTIFICATE")
    version = reader.u32("dwVersion")
    temporary, form = bool(version & _TEMPORARY), version & ~_TEMPORARY
    if form == _CHAIN:
        return _chain(reader.rest(), temporary=temporary)
    if form == _PROPRIETARY:
        return _proprietary(reader.rest(), temporary=temporary)
    raise reader.error(f"unknown version {form}", "dwVersion")


def _chain(data: bytes, *, temporary: bool) -> CertificateChain:
    reader = Reader(data, _CHAIN_NAME)
    count = reader.u32("NumCertBlobs")
    if not _MIN_CERTIFICATES <= count <= _MAX_CERTIFICATES:
        raise reader.error(f"a chain of {count} certificates", "NumCertBlobs")
    certificates = tuple(reader.take(reader.u32("cbCert"), "abCert") for _ in range(count))
    reader.take(_padding(count), "Padding")
    reader.end()
    return CertificateChain(certificates, temporary)


def _proprietary(data: bytes, *, temporary: bool) -> ProprietaryCertificate:
    reader = Reader(data, _PROPRIETARY_NAME)
    reader.u32("dwSigAlgId")
    reader.u32("dwKeyAlgId")
    _, key = reader.blob("PublicKeyBlob")
    _, signature = reader.blob("SignatureBlob")
    reader.end()
    modulus, exponent = _rsa_key(key)
    return ProprietaryCertificate(modulus, exponent, signature, temporary)


def _rsa_key(data: bytes) -> tuple[int, int]:
    reader = Reader(data, _KEY_NAME)
    if reader.take(len(_KEY_MAGIC), "magic") != _KEY_MAGIC:
        raise reader.error("does not begin with RSA1", "magic")
    size, bits = reader.u32("keylen"), reader.u32("bitlen")
    reader.u32("datalen")
    exponent = reader.u32("pubExp")
    if bits > _MAX_KEY_BITS or size != (bits + 7) // 8 + _KEY_PADDING:
        raise reader.error(f"{size} bytes for a key of {bits} bits", "keylen")
    modulus = int.from_bytes(reader.take(size, "modulus"), "little")
    reader.end()
    return modulus, exponent


def _version(form: int, *, temporary: bool) -> int:
    return form | _TEMPORARY if temporary else form


def _padding(count: int) -> int:
    return 8 + 4 * count
