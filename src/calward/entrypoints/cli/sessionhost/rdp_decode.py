"""What does a captured connection say of licensing: ``calward rdp decode``."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeVar

import rich_click as click

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import cell, print_json, say
from calward.entrypoints.cli.common.safe_text import safe
from calward.wire.rdpele.legacy_crypto import PREMASTER_SIZE, RANDOM_SIZE
from calward.wire.transcript import FROM_CLIENT, FROM_SERVER, Entry, Secrets, Transcript

__all__ = ["decode"]

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST: Final = 1 << 26
"""Bytes of a capture in hex: the first minute of a connection is a thousandth of it."""
_EXPECTED: Final = f"{FROM_CLIENT} or {FROM_SERVER}, a space and the packet in hex"
_NO_HEX: Final = re.compile(r"[^0-9a-fA-F\s]", re.ASCII)


def _hex_option(name: str, size: int, summary: str) -> Callable[[Command], Command]:
    """An option that takes so many bytes in hex."""

    def read(_ctx: click.Context, _param: click.Parameter, value: str | None) -> bytes | None:
        if value is None:
            return None
        try:
            found = bytes.fromhex(value)
        except ValueError:
            found = b""
        if len(found) != size:
            raise click.BadParameter(f"{size} bytes in hex are expected: {2 * size} digits")
        return found

    return click.option(name, metavar="H", callback=read, help=summary)


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@_hex_option("--server-random", RANDOM_SIZE, "Of licensing, where the capture lacks it.")
@_hex_option("--client-random", RANDOM_SIZE, "Of licensing, where the capture lacks it.")
@_hex_option("--premaster", PREMASTER_SIZE, "The premaster secret: opens the licensing exchange.")
@_hex_option("--rdp-client-random", RANDOM_SIZE, "Of the Security Exchange, decrypted: opens standard RDP security.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def decode(ctx: click.Context, /, file: Path, *, as_json: bool, **secrets: bytes | None) -> None:
    """Print each packet of a capture, and each licensing message with its fields.

    FILE holds a packet a line, C>S or S>C and hex from the TPKT header on; - is standard input. Lines that are empty or begin
    with # are passed over. TLS must be off, or taken away before. What cannot be decrypted is printed as such; the options open
    it, each with its bytes in hex. Exit code 7: a line was no packet, or a packet was malformed.

    \b
    Examples:
      calward rdp decode capture.txt
      calward rdp decode capture.txt --json
      calward rdp decode -
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    transcript = Transcript(Secrets(**secrets))
    entries = [_entry(transcript, line) | {"line": number} for number, line in _lines(_content(file))]
    if not entries:
        say(f"{str(file)!a} holds no packet", err=True)
    if as_json:
        print_json({"packets": entries})
    else:
        for entry in entries:
            _show(entry)
    if any(entry["error"] for entry in entries):
        ctx.exit(Exit.FINDINGS)


def _content(file: Path) -> str:
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(_MOST + 1)
        else:
            with file.open("rb") as opened:
                content = opened.read(_MOST + 1)
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no file {str(file)!a}") from None
    except OSError as error:
        raise LicensingError(Problem.MALFORMED, f"{str(file)!a} cannot be read: {error.strerror}") from None
    if len(content) > _MOST:
        raise LicensingError(Problem.MALFORMED, f"{str(file)!a} is larger than {_MOST} bytes: cut it after licensing")
    if b"\0" in content:
        raise LicensingError(Problem.MALFORMED, f"{str(file)!a} is no text: {_EXPECTED}, one packet a line")
    return content.decode("ascii", "replace")


def _lines(content: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def _entry(transcript: Transcript, line: str) -> dict[str, Any]:
    direction, digits = line[: len(FROM_CLIENT)], line[len(FROM_CLIENT) :]
    if (wrong := _wrong(direction, digits)) is not None:
        return asdict(Entry(direction, "malformed", {}, f"no packet: {wrong}"))
    return asdict(transcript.packet(direction, bytes.fromhex("".join(digits.split()))))


def _wrong(direction: str, digits: str) -> str | None:
    """Say why a line is no packet; None where it is one."""
    if direction not in (FROM_CLIENT, FROM_SERVER):
        return f"{_EXPECTED} are expected"
    if (strange := _NO_HEX.search(digits)) is not None:
        return f"{strange[0]!a} in column {len(direction) + strange.start() + 1} is no hex"
    if (count := sum(not one.isspace() for one in digits)) % 2:
        return f"{count} hex digits are half a byte too many or too few"
    return None if count else f"nothing follows {direction}"


def _show(entry: dict[str, Any]) -> None:
    say(f"{entry['line']:>4}  {safe(entry['direction'])}  {safe(entry['kind'].replace('_', ' '))}")
    for name, value in entry["fields"].items():
        say(f"          {safe(name.replace('_', ' ')):<28} {cell(value)}")
    if entry["error"]:
        say(f"          malformed: {safe(entry['error'])}")
