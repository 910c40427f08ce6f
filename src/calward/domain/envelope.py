"""How are bytes and the signatures over them kept together, and which bytes exactly are signed?

DSSE, the Dead Simple Signing Envelope, protocol version 1: the type of the payload is signed with it, so what was signed as one thing
is never taken for another, and the payload is signed as it is, so nothing has to be put into a canonical form to be verified.
Stricter than DSSE asks: only one spelling of an envelope is read.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from calward.domain.canonical import decode_object, encode
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import Fields

__all__ = ["MAX_ENVELOPE_SIZE", "Envelope", "Signature", "decode_envelope", "fingerprint", "keyid_of", "pae"]

MAX_ENVELOPE_SIZE = 16 * 1024
"""Bytes of an envelope from outside; a key pack takes about 800."""

_FINGERPRINT_SIZE = 10
_MAX_TYPE = 100
_MAX_SIGNATURES = 8
# An ML-DSA-44 signature, which may once stand beside Ed25519, is 2420 bytes long: 3228 characters.
_MAX_SIGNATURE_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of an envelope; ``keyid`` only says which key to try and vouches for nothing."""

    keyid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type and the signatures over both. Nothing is verified yet: see ``calward.domain.acceptance``."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def signed_bytes(self) -> bytes:
        """The bytes that the signatures are over."""
        return pae(self.payload_type, self.payload)

    def encode(self) -> bytes:
        """Render as the one spelling that ``decode_envelope`` reads; one line without its end."""
        # Written out, because every answer to a host holds one: four times as fast as a general encoder.
        signatures = ",".join(
            [f'{{"keyid":{_quoted(one.keyid)},"sig":"{_to_base64(one.value)}"}}' for one in self.signatures]
        )
        head = f'{{"payload":"{_to_base64(self.payload)}","payloadType":{_quoted(self.payload_type)}'
        return f'{head},"signatures":[{signatures}]}}'.encode()


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what is signed for a payload of this type.

    Source: DSSE protocol, "Signature Definition".
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def keyid_of(public_key: bytes) -> str:
    """The name of a key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def fingerprint(text: bytes) -> str:
    """A short code of a file, to be read out and compared by two people who both have the file; never parsed.

    80 bits of SHA-256 as four groups of letters and digits: ``ABCD-EF23-...``.
    """
    code = base64.b32encode(hashlib.sha256(text.removesuffix(b"\n")).digest()[:_FINGERPRINT_SIZE]).decode()
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def decode_envelope(text: bytes, *, max_size: int = MAX_ENVELOPE_SIZE) -> Envelope:
    """Read an envelope from a file or a request; one line feed at its end is allowed.

    Raises: LicensingError(MALFORMED): too large, or not exactly what ``Envelope.encode`` writes.
    """
    body = text[:-1] if text.endswith(b"\n") else text
    fields = Fields(decode_object(body, "the envelope", max_size=max_size), "the envelope")
    payload = _from_base64(fields.text("payload", max_length=max_size), "payload")
    payload_type = fields.text("payloadType", max_length=_MAX_TYPE)
    signatures = tuple(_signature(one) for one in fields.objects("signatures", most=_MAX_SIGNATURES))
    fields.end()
    return Envelope(payload_type, payload, signatures)


def _signature(fields: Fields) -> Signature:
    keyid = fields.text("keyid")
    value = _from_base64(fields.text("sig", max_length=_MAX_SIGNATURE_TEXT), "sig")
    fields.end()
    return Signature(keyid, value)


@lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    """A text as JSON writes it canonically."""
    return encode({"": text})[4:-1].decode()


def _to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _from_base64(text: str, field: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    # Base64 leaves bits unused in its last character: other characters there would be a second spelling.
    if _to_base64(value) != text:
        raise LicensingError(
            Problem.MALFORMED, f"{field} of the envelope must be base64 in its canonical form", field=field
        )
    return value
