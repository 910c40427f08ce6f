"""How do the clearinghouse's commands show and hand out what they made?"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import rich_click as click

from calward.app.clearinghouse.desk import Clearinghouse, Overview
from calward.domain.acceptance import NotAccepted
from calward.domain.envelope import decode_envelope, fingerprint, keyid_of
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import render_moment
from calward.domain.trust import Role
from calward.entrypoints.cli.common.output import print_json

__all__ = [
    "EXIT_REFUSED",
    "OpensClearinghouse",
    "hand_out",
    "overview_document",
    "overview_lines",
    "refuse",
    "say",
    "say_aside",
]

EXIT_REFUSED = 4


class OpensClearinghouse(Protocol):
    """What most commands need of the context object."""

    def open_clearinghouse(self, data_dir: Path) -> Clearinghouse:
        """Open the clearinghouse in a folder; raises LicensingError."""


def overview_document(found: Overview) -> dict[str, Any]:
    """A clearinghouse at a glance, for programs."""
    return {
        "keyring": json.loads(found.keyring.to_payload()),
        "servers": [
            {
                "server_id": one.server_id,
                "name": one.name,
                "server_key": one.public_key.hex(),
                "registered_at": render_moment(one.registered_at),
            }
            for one in found.servers
        ],
        "packs": [json.loads(one.to_payload()) for one in found.packs],
        "activations": found.activations,
        "unfinished": [{"payload_type": one.payload_type.value, "order": one.order} for one in found.unfinished],
    }


def overview_lines(found: Overview) -> list[str]:
    """The same for people."""
    ring = found.keyring
    keys = [f"  {role} key {keyid_of(key)}" for role in Role for key in sorted(ring.keys_of(role))]
    servers = [f"  server {one.server_id} {one.name}" for one in found.servers]
    packs = [
        f"  pack {one.pack_id} {one.total} x {one.version}/{one.cal_type} for {one.server_id}" for one in found.packs
    ]
    unfinished = [f"  unfinished: {one.order}: ask again under this order" for one in found.unfinished]
    head = f"{ring.clearinghouse}: keyring {ring.version}, good until {render_moment(ring.expires_at)}"
    return [head, *keys, *servers, f"  {found.activations} activations", *packs, *unfinished]


def say(as_json: bool, document: dict[str, Any], lines: list[str]) -> None:
    """Print a result for whoever asked: programs or people."""
    print_json(document) if as_json else click.echo("\n".join(lines))


def say_aside(line: str) -> None:
    """Talk, beside the result."""
    click.echo(line, err=True)


def refuse(ctx: click.Context, refusal: NotAccepted, *, as_json: bool) -> None:
    """Say why a signed thing was not accepted, and end with the exit code of a refusal."""
    document = {"accepted": False, "reason": refusal.reason.value, "detail": refusal.detail}
    click.echo(
        json.dumps(document) if as_json else f"not accepted ({refusal.reason}): {refusal.detail}", err=not as_json
    )
    ctx.exit(EXIT_REFUSED)


def hand_out(envelope: bytes, output: Path, what: str, *, as_json: bool, **more: str) -> None:
    """Write the envelope whole or not at all, and say what is in it."""
    to_terminal = str(output) == "-"
    code = fingerprint(envelope)
    statement = json.loads(decode_envelope(envelope).payload)
    if not to_terminal:
        _write(output, envelope + b"\n")
    document = {
        "file": None if to_terminal else str(output),
        **more,
        "fingerprint": code,
        "statement": statement,
        "envelope": envelope.decode(),
    }
    lines = (
        [envelope.decode()]
        if to_terminal
        else [f"{what} written to {output}", f"fingerprint {code}, to compare by telephone"]
    )
    say(as_json, document, lines)


def _write(output: Path, content: bytes) -> None:
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(output)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{output} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):  # Gone already when all went well; else what matters was said above.
            partial.unlink()
