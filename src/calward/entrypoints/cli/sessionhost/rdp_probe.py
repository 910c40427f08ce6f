"""What does a session host's licensing phase say: ``calward rdp probe``."""

from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import rich_click as click

from calward.entrypoints.cli.common.output import facts, print_json, say

__all__ = ["ProbesHosts", "probe"]

_PORT: Final = 3389
_SECONDS: Final = 10.0
_NAMES: Final = {
    "host": "host",
    "port": "port",
    "outcome": "outcome",
    "error_code": "error code",
    "security": "security",
    "tls_fingerprint": "TLS certificate (SHA-256)",
    "certificate": "licensing certificate",
    "product": "product",
    "scopes": "scopes",
    "license": "license given",
    "problem": "problem",
}
_MEANING: Final = {
    "licensed": "the host gave this probe a license: it has a license server",
    "accepted": "the host lets clients on without giving a license",
    "refused": "the host refused this probe a license",
    "disconnected": "the host ended the connection before licensing had ended",
    "needs-nla": "the host asks for an account first (NLA): licensing cannot be seen without one",
    "standard-rdp-security": "the host has no TLS: licensing is not probed under RDP's own encryption",
    "not-negotiated": "the host does not take TLS",
}


class ProbesHosts(Protocol):
    """What the command needs of the context object."""

    def probe_rdp(self, host: str, port: int, seconds: float) -> dict[str, Any]:
        """Probe a host; raises LicensingError where nothing listens."""


@click.command()
@click.argument("host", metavar="HOST[:PORT]")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 60),
    default=_SECONDS,
    show_default=True,
    help="How long to wait, all in all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def probe(ctx: click.Context, host: str, *, seconds: float, as_json: bool) -> None:
    """Connect to a session host as a client without an account, go through its licensing phase, and leave.

    Nobody logs on. A host with a license server gives the probe a temporary license, always the same one.

    \b
    Examples:
      calward rdp probe sh1.example
      calward rdp probe 127.0.0.1:3390 --json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    name, port = _address(host)
    prober: ProbesHosts = ctx.obj
    found = prober.probe_rdp(name, port, seconds)
    if as_json:
        print_json(found)
        return
    facts({key: found[key] for key in _NAMES if found.get(key) is not None}, _NAMES)
    say(_MEANING.get(str(found["outcome"]), "licensing was not seen to its end"))


def _address(text: str) -> tuple[str, int]:
    """HOST, HOST:PORT or [IPV6]:PORT."""
    try:
        parts = urlsplit(f"//{text}")
        name, port, path = parts.hostname, parts.port, parts.path
    except ValueError:
        name, port, path = None, None, ""
    if not name or path or "@" in text:
        raise click.BadParameter("HOST, HOST:PORT or [IPV6]:PORT is expected", param_hint="HOST")
    return name, port or _PORT
