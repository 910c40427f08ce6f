"""How does the first administrator come in? ``calward setup``."""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import rich_click as click

from calward.domain.codes import read_code
from calward.entrypoints.cli.common.desk import ca_option, fingerprint_option, json_option, server_option
from calward.entrypoints.cli.common.files import read_line
from calward.entrypoints.cli.common.output import cell, print_json, say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document, Where, Wiring

__all__ = ["setup"]

_DAYS: Final = 90
"""Of the first token made without a code; others are made by ``calward token make``."""


@click.command()
@click.argument("code", metavar="[LINK|CODE]", required=False)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the token to this new file, readable by its owner only, instead of showing it.",
)
@click.option("--name", default="administrator", show_default=True, help="What the token is called, without a link.")
@server_option
@ca_option
@fingerprint_option
@json_option
@click.pass_context
def setup(
    ctx: click.Context,
    code: str | None,
    output: Path | None,
    name: str,
    server: str | None,
    ca_file: Path | None,
    fingerprint: str | None,
    *,
    as_json: bool,
) -> None:
    """Make the first license administrator, with the setup link that the server has printed; - reads it from standard input.

    On the server itself, as root or the service's user, no link is needed: the local socket knows who asks.

    \b
    Examples:
      calward setup http://127.0.0.1:8460/setup?code=CODE
      calward setup CODE --server https://ls1.example:8460 -o ~/.calward-token
      sudo calward setup -o ~/.calward-token
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    wiring: Wiring = ctx.obj
    if output is not None:
        wiring.check_free(output)
    secret, found_server = _read(read_line(code)) if code is not None else (None, None)
    pin = read_code(secret).fingerprint if secret is not None else None
    where = Where(server or found_server, ca_file=ca_file, fingerprint=pin.hex() if pin else fingerprint)
    admin = wiring.admin(where)
    ctx.call_on_close(admin.close)
    if secret is None:
        body: Document = {"name": name, "role": "license-administrator", "days": _DAYS}
        said = admin.ask("POST", "tokens", body=body)
    else:
        said = admin.ask("POST", "setup", body={"code": secret})
    if output is not None:
        wiring.write_secret(output, said["token"])
        said = {**said, "token": None, "token_file": str(output)}
    _tell(said, output, as_json=as_json)


def _read(text: str) -> tuple[str, str | None]:
    """Take a link apart into its code and the server; a bare code is one."""
    parts = urlsplit(text)
    codes = parse_qs(parts.query).get("code")
    if parts.scheme in ("http", "https") and codes:
        return codes[0], f"{parts.scheme}://{parts.netloc}"
    return text, None


def _tell(said: Document, output: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(said)
    elif output is not None:
        say(f"the first license administrator's token is in {safe(output)}")
        say(f"export CALWARD_TOKEN_FILE={safe(output.absolute())}")
    else:
        say("the first license administrator's token, shown this once:")
        say(cell(said.get("token")))
