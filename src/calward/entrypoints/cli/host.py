"""Which session hosts may ask, and how does one come in? ``calward host``."""

from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.domain.cals import CalType
from calward.domain.codes import read_code
from calward.entrypoints.cli.common.desk import (
    Desk,
    admin_command,
    admin_command_beside_host,
    fingerprint_option,
    json_option,
    limit_options,
    server_option,
    to,
)
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.files import read_line
from calward.entrypoints.cli.common.output import Column, Fit, cell, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document, Where, Wiring
from calward.entrypoints.cli.policy import policy

__all__ = ["host"]

_SECONDS: Final = 10.0
_NAMES: Final = {
    "name": "host",
    "version": "version",
    "mode": "licensing mode in force",
    "mode_from": "mode comes from",
    "own_mode": "the host's own mode",
    "group": "group",
    "enrolled_at": "enrolled",
    "seen_at": "seen",
    "heard_at": "its agent was heard",
    "agent": "agent",
    "live_sessions": "sessions open then",
}
_SESSIONS: Final[tuple[Column, ...]] = (
    Column("line", "line"),
    Column("user", "user", Fit.FOLDED),
    Column("license", "license"),
    Column("device", "hardware_id", Fit.CUT),
    Column("since", "since"),
)
_COLUMNS: Final[tuple[Column, ...]] = (
    Column("host", "name", Fit.FOLDED),
    Column("version", "version"),
    Column("mode", "mode"),
    Column("from", "mode_from", Fit.LEFT_OUT),
    Column("group", "group", Fit.FOLDED),
    Column("enrolled", "enrolled_at", Fit.LEFT_OUT),
    Column("seen", "seen_at"),
)
_NONE: Final = "no session host is enrolled: calward host enroll NAME --version V --mode M"
_MODES: Final = click.Choice([one.value for one in CalType])


@click.group()
def host() -> None:
    """Enroll session hosts and set what they are.

    \b
    Examples:
      calward host enroll SH1 --version 2022 --mode per-user
      calward host join CODE --server https://ls1.example:8460 --token-file /etc/calward/host.token
      calward host policy set farm1 --mode per-device
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


host.add_command(policy)


@host.command("list")
@limit_options
@admin_command
def list_(desk: Desk, limit: int, after: str | None) -> None:
    """List the session hosts, with the licensing mode in force and where it comes from.

    \b
    Examples:
      calward host list
      calward host list --json
    """  # noqa: D301
    desk.show_items(desk.items("hosts", {}, limit, after), _COLUMNS, _NONE)


@host.command()
@click.argument("name")
@admin_command
def show(desk: Desk, name: str) -> None:
    """Show one session host: what it is, when its agent was last heard, and the sessions that were open then.

    \b
    Example:
      calward host show SH1
    """  # noqa: D301
    found = desk.ask("GET", to("hosts", name))
    desk.show(found if desk.as_json else {key: one for key, one in found.items() if key != "sessions"}, _NAMES)
    if not desk.as_json and found.get("sessions"):
        say()
        table(_SESSIONS, found["sessions"])


@host.command()
@click.argument("name")
@click.option("--version", required=True, help="The host's version, as 2008R2.")
@click.option("--mode", required=True, type=_MODES, help="Its licensing mode.")
@click.option("--group", help="Its group, for policies.")
@click.option(
    "--token-file",
    "host_token_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Redeem the code at once and write the host's token to this new file, readable by its owner only.",
)
@admin_command_beside_host
@acts()
def enroll(desk: Desk, name: str, *, version: str, mode: str, group: str | None, host_token_file: Path | None) -> None:
    """Name a session host and make its one-time code; the host redeems it by calward host join.

    \b
    Examples:
      calward host enroll SH1 --version 2022 --mode per-user
      calward host enroll SH1 --version 2022 --mode per-user --token-file ./sh1.token
    """  # noqa: D301
    if host_token_file is not None:
        desk.wiring.check_free(host_token_file)
    body = {"name": name, "version": version, "mode": mode} | ({"group": group} if group else {})
    made = desk.ask("POST", "hosts", body=body)
    if host_token_file is not None and made.get("outcome") != "refused":
        said = desk.ask("POST", "hosts:enroll", body={"code": made["code"]})
        desk.wiring.write_secret(host_token_file, said["token"])
        made = {"host": said["host"], "token_file": str(host_token_file)}
        desk.done(made, [f"enrolled {safe(name)}; its token is in {safe(host_token_file)}"])
        return
    desk.done(made, _code_lines(name, made))


def _code_lines(name: str, made: Document) -> list[str]:
    return [
        f"host {safe(name)} may join with this code, once, until {cell(made.get('code_expires_at'))}:",
        f"  {cell(made.get('code'))}",
        "on the host: calward host join CODE --server URL --token-file /etc/calward/host.token",
    ]


@host.command()
@click.argument("name")
@admin_command
@acts()
def code(desk: Desk, name: str) -> None:
    """Make a new one-time code for a known host; its token works until the code is used.

    \b
    Example:
      calward host code SH1
    """  # noqa: D301
    made = desk.ask("POST", to("hosts", name, "code"))
    desk.done(made, _code_lines(name, made))


@host.command()
@click.argument("one_time_code", metavar="CODE")
@server_option
@click.option(
    "--token-file",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the host's token to this new file, readable by its owner only.",
)
@fingerprint_option
@json_option
@click.pass_context
def join(
    ctx: click.Context,
    one_time_code: str,
    *,
    server: str | None,
    token_file: Path,
    fingerprint: str | None,
    as_json: bool,
) -> None:
    """Redeem a one-time code on the session host; CODE - reads it from standard input.

    Of a server with TLS the code carries the certificate's fingerprint: no other one is accepted.

    \b
    Examples:
      calward host join CODE --server https://ls1.example:8460 --token-file /etc/calward/host.token
      calward host join - --server https://ls1.example:8460 --token-file ./host.token < code.txt
    """  # noqa: D301
    wiring: Wiring = ctx.obj
    text = read_line(one_time_code)
    found = read_code(text).fingerprint
    pin = found.hex() if found else fingerprint
    wiring.check_free(token_file)
    client = wiring.host(Where(server, fingerprint=pin))
    got = client.enroll(text, seconds=_SECONDS)
    wiring.write_secret(token_file, got.token)
    facts: dict[str, Any] = {
        "host": {"name": got.name, "version": got.version, "mode": got.mode},
        "server": client.name,
        "token_file": str(token_file),
        "fingerprint": pin,
    }
    if as_json:
        print_json(facts)
        return
    say(f"this is host {safe(got.name)} ({safe(got.version)}, {safe(got.mode)}); its token is in {safe(token_file)}")
    say("for /etc/calward/host.toml:")
    for line in ("[[server]]", f'url = "{safe(client.name)}"', f'token_file = "{safe(token_file.absolute())}"'):
        say(f"  {line}")
    if pin:
        say(f'  fingerprint = "{pin}"')


@host.command("set")
@click.argument("name")
@click.option("--version", help="Its version.")
@click.option("--mode", type=_MODES, help="Its licensing mode; a policy of its group wins over it.")
@click.option("--group", help="Its group.")
@admin_command
@acts()
def set_(desk: Desk, /, name: str, **values: str | None) -> None:
    """Change a session host's version, mode or group.

    \b
    Examples:
      calward host set SH1 --mode per-device
      calward host set SH1 --version 2025 --group farm1
    """  # noqa: D301
    body = {key: value for key, value in values.items() if value is not None}
    if not body:
        raise click.UsageError("give one of --version, --mode and --group", desk.ctx)
    said = desk.ask("PATCH", to("hosts", name), body=body)
    desk.done(said, [f"set {safe(name)}: {cell(body)}"])


@host.command()
@click.argument("name")
@admin_command
@acts("its token ends at once, and only a new enrollment brings it back")
def remove(desk: Desk, name: str) -> None:
    """Remove a session host: its token ends at once; licenses that it asked for stay.

    \b
    Example:
      calward host remove SH1
    """  # noqa: D301
    desk.done(desk.ask("DELETE", to("hosts", name)), [f"removed {safe(name)}"])
