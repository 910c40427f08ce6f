"""How do commands read and write the files that people name? ``-`` stands for standard input or output."""

import os
import sys
from pathlib import Path
from typing import Final

import rich_click as click

from calward.domain.bundle import MAX_BUNDLE_SIZE
from calward.domain.carried import MAX_CARRIED
from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.domain.errors import LicensingError, Problem

__all__ = ["read_bundle", "read_envelope", "read_line", "read_small", "read_text", "write_new", "write_text"]

_SLACK: Final = 2
"""Bytes of a line end after an envelope."""


def read_envelope(path: Path) -> bytes:
    """Read a signed file, whose content the license server judges; raises LicensingError."""
    return _read(path).strip()


def read_bundle(path: Path) -> bytes:
    """Read a file of signed envelopes, also one with a long list of licenses; raises LicensingError."""
    return _read(path, MAX_BUNDLE_SIZE)


def read_small(path: Path) -> bytes:
    """Read a file of signed envelopes that fits QR codes; raises LicensingError."""
    return _read(path, MAX_CARRIED)


def _read(path: Path, most: int = MAX_ENVELOPE_SIZE) -> bytes:
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(most + _SLACK + 1)
        else:
            with path.open("rb") as file:
                content = file.read(most + _SLACK + 1)
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no file {str(path)!a}") from None
    except OSError as error:
        raise LicensingError(Problem.MALFORMED, f"{str(path)!a} cannot be read: {error.strerror}") from None
    if len(content) > most + _SLACK:
        detail = f"{str(path)!a} is larger than {most} bytes: it is not what is wanted here"
        raise LicensingError(Problem.MALFORMED, detail)
    return content


def read_text(path: Path) -> str:
    """Read a small text, such as a checkpoint; raises LicensingError."""
    try:
        return _read(path).decode()
    except UnicodeDecodeError:
        raise LicensingError(Problem.MALFORMED, f"{str(path)!a} is no text in UTF-8") from None


def read_line(text: str) -> str:
    """Give an argument, or the first line of standard input where it is ``-``: a secret need not stand in a command."""
    return sys.stdin.readline().strip() if text == "-" else text


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all, with a line end; raises LicensingError(UNAVAILABLE)."""
    line = text if text.endswith("\n") else text + "\n"
    if str(path) == "-":
        click.echo(line, nl=False)
        return
    write_new(path, line.encode())


def write_new(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, in place of an earlier one; raises LicensingError(UNAVAILABLE)."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
