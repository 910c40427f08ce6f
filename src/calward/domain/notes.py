"""How does a log say "so many events, this root", signed, in a form that witnesses elsewhere can read?

The signed note and the checkpoint of C2SP (c2sp.org/signed-note and c2sp.org/tlog-checkpoint). Nothing is signed here: who has the
key signs ``text`` and hands the signature in.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import parse_moment, render_moment
from calward.domain.merkle import HASH_SIZE

__all__ = [
    "Checkpoint",
    "Note",
    "NoteSignature",
    "checkpoint_text",
    "key_hash",
    "note",
    "parse_checkpoint",
    "parse_note",
    "sign_note",
    "verify_note",
]

MAX_NOTE_SIZE = 8 * 1024
_ED25519 = b"\x01"
_KEY_HASH_SIZE = 4
_MAX_SIGNATURES = 16
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_SIGNATURE_LINE = re.compile(rf"— ({_NAME.pattern}) ([A-Za-z0-9+/=]{{8,4096}})")
# Control characters but the line feed, and halves of surrogate pairs, which have no UTF-8.
_REFUSED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
_SIZE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_TIME = "time "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who signed, the first 4 bytes of the hash of name and key, and the signature."""

    name: str
    key_hash: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text whose lines all end in a line feed, and the signatures over its UTF-8 bytes."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> str:
        """Render text, blank line and signature lines."""
        return note(self.text, self.signatures)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log of ``size`` leaves looked like: its root of 32 bytes and, where it says so, when that was."""

    origin: str
    size: int
    root: bytes
    at: datetime | None = None


def key_hash(name: str, public_key: bytes) -> bytes:
    """The 4 bytes by which a signature line names an Ed25519 key; a hint that vouches for nothing."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_HASH_SIZE]


def checkpoint_text(origin: str, size: int, root: bytes, at: datetime | None = None) -> str:
    """The text to sign for a log named ``origin``; ``at`` becomes an extension line ``time 2026-01-31T08:00:00Z``."""
    extension = "" if at is None else f"{_TIME}{render_moment(at)}\n"
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n{extension}"


def note(text: str, signatures: tuple[NoteSignature, ...]) -> str:
    """Put a text and its signatures together as a signed note."""
    lines = (f"— {one.name} {base64.b64encode(one.key_hash + one.value).decode()}\n" for one in signatures)
    return f"{text}\n{''.join(lines)}"


def sign_note(text: str, name: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> Note:
    """Sign ``text`` as ``name``, a word without space or plus sign; ``sign`` is an Ed25519 signer's.

    Raises: LicensingError(MALFORMED): the name cannot stand in a signature line.
    """
    if not _NAME.fullmatch(name):
        raise _malformed("the name of a signer has 1 to 200 characters, none of them space or plus sign")
    return Note(text, (NoteSignature(name, key_hash(name, public_key), sign(text.encode())),))


def verify_note(found: Note, name: str, public_key: bytes, verify: Callable[[bytes, bytes, bytes], bool]) -> bool:
    """Whether one of the signatures is by this name with this key; others, of keys not known here, are passed over."""
    wanted, message = key_hash(name, public_key), found.text.encode()
    return any(
        one.name == name and one.key_hash == wanted and verify(public_key, message, one.value)
        for one in found.signatures
    )


def parse_note(body: str) -> Note:
    """Read a signed note from outside; raises LicensingError(MALFORMED)."""
    if len(body) > MAX_NOTE_SIZE:
        raise _malformed(f"the note is {len(body)} characters long, {MAX_NOTE_SIZE} are allowed")
    # The last blank line separates: the text may hold blank lines, signature lines cannot.
    text, blank, rest = body.rpartition("\n\n")
    lines = rest.split("\n")
    if not blank or not rest.endswith("\n") or len(lines) - 1 > _MAX_SIGNATURES:
        raise _malformed("the note must be a text, a blank line and 1 to 16 signature lines")
    if _REFUSED.search(body):
        raise _malformed("the note holds a control character")
    found = Note(text + "\n", tuple(_signature(line) for line in lines[:-1]))
    if found.encode() != body:
        raise _malformed("a signature of the note must be base64 in its canonical form")
    return found


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note as a checkpoint; other extension lines are refused. Raises LicensingError(MALFORMED)."""
    origin, size, root, *extension = text.removesuffix("\n").split("\n") + 3 * [""]
    extra = [line for line in extension if line]
    if not origin or not _SIZE.fullmatch(size) or len(extra) > 1:
        raise _malformed("a checkpoint is an origin, a size, a root and at most one line with a time")
    at = None
    if extra:
        at = parse_moment(extra[0].removeprefix(_TIME), "the time of the checkpoint")
    found = Checkpoint(origin, int(size), _root(root), at)
    if checkpoint_text(found.origin, found.size, found.root, found.at) != text:
        raise _malformed("the checkpoint is not in its canonical form")
    return found


def _signature(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    value = _base64(match[2]) if match else None
    if match is None or value is None or len(value) <= _KEY_HASH_SIZE:
        raise _malformed("a signature line of the note must be a dash, a name and base64")
    return NoteSignature(match[1], value[:_KEY_HASH_SIZE], value[_KEY_HASH_SIZE:])


def _root(text: str) -> bytes:
    root = _base64(text)
    if root is None or len(root) != HASH_SIZE:
        raise _malformed("the root of the checkpoint must be 32 bytes in base64")
    return root


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _malformed(detail: str) -> LicensingError:
    return LicensingError(Problem.MALFORMED, detail)
