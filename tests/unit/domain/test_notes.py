"""Notes: the published example verifies; what is written is read; nothing else is."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.signing import verify
from calward.domain.errors import LicensingError, Problem
from calward.domain.merkle import EMPTY_ROOT
from calward.domain.notes import (
    MAX_NOTE_SIZE,
    Checkpoint,
    checkpoint_text,
    parse_checkpoint,
    parse_note,
    sign_note,
    verify_note,
)
from tests.support.signed import NOW, SERVER, STRANGER, value_or_malformed

TEXT = checkpoint_text("example.com/log", 42, b"\x07" * 32, NOW)
SIGNED = sign_note(TEXT, "example.com/log", SERVER.public_key, SERVER.sign)
BODY = SIGNED.encode()
# The key and the note of the example in Go's golang.org/x/mod/sumdb/note.
GO_NAME, _, GO_KEY = "PeterNeumann", "c74f20a3", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def refused(body: str) -> None:
    with pytest.raises(LicensingError) as caught:
        parse_note(body)
    assert caught.value.problem is Problem.MALFORMED


def test_the_note_of_the_go_library_verifies() -> None:
    key = base64.b64decode(GO_KEY)[1:]
    found = parse_note(GO_NOTE)
    assert verify_note(found, GO_NAME, key, verify)
    assert found.encode() == GO_NOTE


def test_a_checkpoint_reads_as_it_was_written() -> None:
    found = parse_note(BODY)
    assert found == SIGNED
    assert parse_checkpoint(found.text) == Checkpoint("example.com/log", 42, b"\x07" * 32, NOW)
    assert TEXT.splitlines()[1:] == ["42", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "time 2026-03-01T08:00:00Z"]


def test_a_checkpoint_needs_no_time() -> None:
    text = checkpoint_text("log", 0, EMPTY_ROOT)
    assert parse_checkpoint(text) == Checkpoint("log", 0, EMPTY_ROOT)
    assert len(text.splitlines()) == 3


def test_a_signature_counts_for_its_name_and_key_only() -> None:
    found = parse_note(BODY)
    assert verify_note(found, "example.com/log", SERVER.public_key, verify)
    assert not verify_note(found, "example.com/other", SERVER.public_key, verify)
    assert not verify_note(found, "example.com/log", STRANGER.public_key, verify)


def test_every_flip_of_a_byte_is_refused() -> None:
    body = BODY.encode()
    for at in range(len(body)):
        flipped = bytearray(body)
        flipped[at] ^= 1
        try:
            found = parse_note(bytes(flipped).decode())
        except (LicensingError, UnicodeDecodeError):
            continue
        assert not verify_note(found, "example.com/log", SERVER.public_key, verify)


@pytest.mark.parametrize("length", range(len(BODY)))
def test_a_truncated_note_is_malformed(length: int) -> None:
    refused(BODY[:length])


@given(st.text(st.characters()))
def test_any_text_is_a_note_or_malformed(body: str) -> None:
    for text in (body, f"{body}\n{BODY}", BODY + body):
        found = value_or_malformed(parse_note, text)
        assert found is None or found.encode() == text


@given(st.text(st.characters()))
def test_any_text_is_a_checkpoint_or_malformed(body: str) -> None:
    for text in (body, TEXT + body, f"log\n{body}\n", f"log\n1\n{body}\n"):
        found = value_or_malformed(parse_checkpoint, text)
        assert found is None or checkpoint_text(found.origin, found.size, found.root, found.at) == text


@pytest.mark.parametrize(
    "body",
    [
        "x" * (MAX_NOTE_SIZE + 1),
        "text\n\n",
        "text\n\nno signature\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name !!!!!!!!\n",
        "text\n\n— name AAAAAAA\n",
        "text\n\n— name AAAAAA==\n",
        "text\n\n— name AAAAAAB=\n",
        "text\n\n— na+me AAAAAAAAAA==\n",
        "te\x00xt\n\n— name AAAAAAA=\n",
        "te\ud800xt\n\n— name AAAAAAA=\n",
        "text\n\n" + "— name AAAAAAA=\n" * 17,
    ],
)
def test_what_is_no_note_is_malformed(body: str) -> None:
    refused(body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n1\n",
        "\n1\nAAAA\n",
        "log\n-1\n",
        "log\n01\nAAAA\n",
        "log\n1\nAAAA\n",
        "log\n1\n!\n",
        TEXT + "more\n",
        TEXT.replace("time ", ""),
        TEXT.replace("time", "tide"),
        TEXT[:-1],
        TEXT + "\n",
    ],
)
def test_what_is_no_checkpoint_is_malformed(text: str) -> None:
    with pytest.raises(LicensingError) as caught:
        parse_checkpoint(text)
    assert caught.value.problem is Problem.MALFORMED


def test_a_signer_s_name_is_one_word() -> None:
    for name in ("", "two words", "a+b", "a\nb", "x" * 201):
        with pytest.raises(LicensingError):
            sign_note(TEXT, name, SERVER.public_key, SERVER.sign)
