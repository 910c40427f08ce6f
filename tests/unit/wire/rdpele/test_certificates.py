"""Server certificates of both forms: read as written, whole or not at all, and no length in them is believed unseen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdpele.certificates import CertificateChain, ProprietaryCertificate, decode_certificate
from tests.support.broken import changed, cuts, is_refused

CHAIN = CertificateChain((b"root", b"host!"))
BARE = ProprietaryCertificate((1 << 511) + 1, 65537, bytes(72))
MODULUS = st.integers(8, 256).flatmap(lambda size: st.integers(1 << (8 * size - 1), (1 << 8 * size) - 1))


@given(st.lists(st.binary(max_size=300), min_size=2, max_size=8), st.booleans())
def test_a_chain_is_read_as_it_was_written(certificates, temporary):
    chain = CertificateChain(tuple(certificates), temporary)
    assert decode_certificate(chain.encode()) == chain
    assert chain.encode().endswith(bytes(8 + 4 * len(certificates)))


@given(MODULUS, st.integers(0, 0xFFFFFFFF), st.binary(max_size=80), st.booleans())
def test_a_bare_key_is_read_as_it_was_written(modulus, exponent, signature, temporary):
    certificate = ProprietaryCertificate(modulus, exponent, signature, temporary)
    assert decode_certificate(certificate.encode()) == certificate


def test_the_root_stands_first():
    blob = CHAIN.encode()
    assert blob.hex().startswith("02000000" + "02000000" + "04000000" + b"root".hex() + "05000000" + b"host!".hex())


@pytest.mark.parametrize("certificate", [CHAIN, BARE])
def test_no_cut_certificate_is_read_and_none_with_more_behind_it(certificate):
    blob = certificate.encode()
    assert all(is_refused(decode_certificate, cut) for cut in cuts(blob))
    assert is_refused(decode_certificate, blob + b"\0")


@pytest.mark.parametrize(
    ("certificate", "place", "new", "words"),
    [
        (CHAIN, 0, b"\3", "unknown version 3"),
        (CHAIN, 0, b"\0\0\0\x80", "unknown version 0"),
        (CHAIN, 4, b"\1", "a chain of 1 certificates"),
        (CHAIN, 4, b"\xc9", "a chain of 201 certificates"),
        (CHAIN, 4, b"\xff\xff\xff\xff", "a chain of 4294967295 certificates"),
        (CHAIN, 4, b"\xc8", "bytes are announced"),
        (CHAIN, 8, b"\xff\xff\xff\xff", "4294967295 bytes are announced"),
        (BARE, 16, b"X", "does not begin with RSA1"),
        (BARE, 20, b"\x49", "73 bytes for a key of 512 bits"),
        (BARE, 24, b"\0\x03", "72 bytes for a key of 768 bits"),
        (BARE, 24, b"\1\x40", "72 bytes for a key of 16385 bits"),
        (BARE, 24, b"\xff\xff\xff\xff", "72 bytes for a key of 4294967295 bits"),
        (BARE, 14, b"\xff\xff", "65535 bytes are announced"),
    ],
)
def test_wrong_numbers_are_named(certificate, place, new, words):
    with pytest.raises(RemoteProtocolError, match=words):
        decode_certificate(changed(certificate.encode(), place, new))


def test_a_key_with_more_behind_it_is_refused():
    blob = BARE.encode()
    size = int.from_bytes(blob[14:16], "little")
    longer = changed(blob[: 16 + size] + b"\0" + blob[16 + size :], 14, (size + 1).to_bytes(2, "little"))
    with pytest.raises(RemoteProtocolError, match=r"RSA_PUBLIC_KEY.*left over"):
        decode_certificate(longer)


def test_what_does_not_fit_is_our_own_mistake():
    with pytest.raises(LocalProtocolError, match="SignatureBlob"):
        ProprietaryCertificate(BARE.modulus, 65537, bytes(0x10000)).encode()
    with pytest.raises(LocalProtocolError, match="pubExp"):
        ProprietaryCertificate(BARE.modulus, 1 << 32, b"").encode()
