"""Which settings has this session host? ``/etc/calward/host.toml``, read whole and strictly.

A misspelled key is an error, never a setting without effect: this file decides who gets in.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from calward.adapters.network.http_exchange import Address
from calward.adapters.sessionhost.state import Lost
from calward.domain.errors import LicensingError, Problem
from calward.ladders import DEFAULT_LADDER

__all__ = [
    "DEFAULT_CONFIG",
    "AgentConfig",
    "HostConfig",
    "ListedServer",
    "RelayConfig",
    "load_host_config",
    "read_token",
]

DEFAULT_CONFIG: Final = Path("/etc/calward/host.toml")
_OTHERS: Final = 0o077
_MAX_TOKEN: Final = 4096
_DEADLINE_MAX: Final = 30.0


@dataclass(frozen=True, slots=True)
class ListedServer:
    """One license server of the host's list; ``token_file`` holds the token from the host's enrollment there."""

    address: Address
    token_file: Path | None


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """``[agent]``: the daemon on this host.

    ``socket``: where the PAM helper asks it. ``heartbeat_seconds``: between two heartbeats. ``device_seconds``: what the
    decision about a device may take. ``admit_without_device``: what a host that is licensed per device does with a user
    whose connection did not come through the relay. ``ladder``: name or file of the version ladder.
    """

    socket: Path = Path("/run/calward/agent.sock")
    heartbeat_seconds: float = 60.0
    device_seconds: float = 3.0
    admit_without_device: bool = False
    ladder: str = DEFAULT_LADDER


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """``[relay]``: the licensing relay in front of this host's remote desktop program.

    ``listen`` and ``host``: HOST:PORT of the clients' door and of the program behind. ``host_security``: plain, tls or nla.
    ``certificate``, ``key``: PEM files for TLS towards clients; with nla they are the program's own. ``store_licenses``:
    whether clients keep what they get. ``scope``, ``company``: names that the licensing phase shows.
    """

    listen: tuple[str, int] = ("0.0.0.0", 3389)  # noqa: S104 - the clients come from everywhere.
    host: tuple[str, int] = ("127.0.0.1", 3390)
    host_security: str = "plain"
    certificate: Path | None = None
    key: Path | None = None
    store_licenses: bool = True
    scope: str = "calward"
    company: str = "Calward"


@dataclass(frozen=True, slots=True)
class HostConfig:
    """The settings, with their defaults.

    ``grace_days`` None: as the license server says. ``deadline_seconds``: what a user waits at most, start of the program
    included. ``admit_on_trouble``: what happens when the helper cannot do its work and no license server has decided.
    """

    servers: tuple[ListedServer, ...] = ()
    state_dir: Path = Path("/var/lib/calward-host")
    grace_days: int | None = None
    deadline_seconds: float = 2.0
    admit_on_trouble: bool = False
    exempt_users: frozenset[str] = frozenset({"root"})
    exempt_groups: frozenset[str] = frozenset()
    agent: AgentConfig = field(default_factory=AgentConfig)
    relay: RelayConfig | None = None

    @property
    def lost(self) -> Lost:
        """What a host that has lost its memory takes for granted."""
        return Lost.NEW_GRACE if self.admit_on_trouble else Lost.NO_GRACE


def load_host_config(path: Path) -> HostConfig:
    """Read the file; raises LicensingError: NOT_FOUND, or MALFORMED with the key in ``field``."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no {path}: it names this host's license servers") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LicensingError(Problem.MALFORMED, f"{path} cannot be read: {error}") from None
    try:
        return _config(document)
    except LicensingError as error:
        raise LicensingError(error.problem, f"{path}: {error.detail}", field=error.field) from None


def read_token(path: Path | None) -> str | None:
    """Read a host's token; raises LicensingError: FORBIDDEN where other users can read it, MALFORMED, NOT_FOUND."""
    if path is None:
        return None
    try:
        if path.stat().st_mode & _OTHERS:
            raise LicensingError(Problem.FORBIDDEN, f"other users can read the token in {path}: chmod 600 {path}")
        with path.open(encoding="ascii") as file:
            token = file.read(_MAX_TOKEN).strip()
    except UnicodeDecodeError:
        token = ""
    except OSError as error:
        raise LicensingError(Problem.NOT_FOUND, f"the token in {path} cannot be read: {error.strerror}") from None
    if not token or not token.isprintable() or " " in token:
        raise LicensingError(Problem.MALFORMED, f"{path} holds no token: enroll this host again")
    return token


def _config(document: Mapping[str, Any]) -> HostConfig:
    settings = _checked(document, "", _KEYS)
    default_token = settings.pop("token_file", None)
    tables = settings.pop("server", [])
    servers = tuple(_server(table, f"server[{number}].", default_token) for number, table in enumerate(tables))
    agent = AgentConfig(**_named(_checked(settings.pop("agent", {}), "agent.", _AGENT_KEYS)))
    relay = _relay(settings.pop("relay")) if "relay" in settings else None
    return HostConfig(servers=servers, agent=agent, relay=relay, **_named(settings))


def _named(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {_FIELDS.get(key, key): value for key, value in settings.items()}


def _relay(table: object) -> RelayConfig:
    relay = RelayConfig(**_checked(table, "relay.", _RELAY_KEYS))
    if (relay.certificate is None) != (relay.key is None):
        raise _wrong("relay.key", "and certificate belong together: give both or none")
    if relay.host_security == "nla" and relay.key is None:
        raise _wrong("relay.key", "is missing: with nla the relay shows the host's own certificate and needs its key")
    return relay


def _server(table: object, where: str, default_token: Path | None) -> ListedServer:
    settings = _checked(table, where, _SERVER_KEYS)
    if "url" not in settings:
        raise _wrong(f"{where}url", "is missing: https://HOST:PORT")
    try:
        address = Address.parse(settings["url"], settings.get("fingerprint"))
    except LicensingError as error:
        raise LicensingError(error.problem, error.detail, field=f"{where}url") from None
    return ListedServer(address, settings.get("token_file", default_token))


def _checked(table: object, where: str, keys: Mapping[str, tuple[Callable[[Any], Any], str]]) -> dict[str, Any]:
    """Hold a table against its keys; gives the converted values."""
    if not isinstance(table, Mapping):
        raise _wrong(where.rstrip("."), f"must be a table with the keys {', '.join(keys)}")
    values = {}
    for key, value in table.items():
        if key not in keys:
            raise _wrong(where + key, f"is no setting: there are {', '.join(keys)}")
        convert, expected = keys[key]
        try:
            values[key] = convert(value)
        except (TypeError, ValueError):
            raise _wrong(where + key, f"must be {expected}") from None
    return values


def _wrong(key: str, what: str) -> LicensingError:
    return LicensingError(Problem.MALFORMED, f"{key} {what}", field=key)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _path(value: object) -> Path:
    path = Path(_text(value))
    if not path.is_absolute():  # A helper starts in whatever folder its caller is in.
        raise ValueError
    return path


def _days(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= _DEADLINE_MAX:
        raise ValueError
    return float(value)


def _names(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise TypeError
    return frozenset(map(_text, value))


def _tables(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


_ON_TROUBLE: Final = {"admit": True, "refuse": False}


def _trouble(value: object) -> bool:
    if value not in _ON_TROUBLE:
        raise ValueError
    return _ON_TROUBLE[_text(value)]


def _address(value: object) -> tuple[str, int]:
    host, colon, port = _text(value).rpartition(":")
    number = int(port)
    if not host or not colon or not 0 < number <= _PORT_MAX:
        raise ValueError
    return host.strip("[]"), number


def _plain_table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _security(value: object) -> str:
    if value not in _SECURITIES:
        raise ValueError
    return _text(value)


def _minutely(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 1 <= value <= _HEARTBEAT_MAX:
        raise ValueError
    return float(value)


_PORT_MAX: Final = 65535
_HEARTBEAT_MAX: Final = 3600.0
_SECURITIES: Final = ("plain", "tls", "nla")
_FIELDS: Final = {"on_trouble": "admit_on_trouble", "without_device": "admit_without_device"}
"""Keys of the file whose value is called otherwise here."""
_PATH: Final = (_path, "the absolute path of a file or folder")
_SERVER_KEYS: Final = {
    "url": (_text, "https://HOST:PORT, http:// for this machine only, or unix:/PATH"),
    "token_file": _PATH,
    "fingerprint": (_text, "the SHA-256 fingerprint of the server's certificate in hex"),
}
_AGENT_KEYS: Final = {
    "socket": _PATH,
    "heartbeat_seconds": (_minutely, f"1 to {_HEARTBEAT_MAX:.0f} seconds"),
    "device_seconds": (_seconds, f"more than 0 and at most {_DEADLINE_MAX:.0f} seconds"),
    "without_device": (_trouble, "admit or refuse"),
    "ladder": (_text, "the name or the file of a version ladder"),
}
_ADDRESS: Final = (_address, "HOST:PORT")
_RELAY_KEYS: Final = {
    "listen": _ADDRESS,
    "host": _ADDRESS,
    "host_security": (_security, "plain, tls or nla"),
    "certificate": _PATH,
    "key": _PATH,
    "store_licenses": (_flag, "true or false"),
    "scope": (_text, "a text"),
    "company": (_text, "a text"),
}
_KEYS: Final = {
    "agent": (_plain_table, "a table [agent]"),
    "relay": (_plain_table, "a table [relay]"),
    "server": (_tables, "a list of tables [[server]]"),
    "token_file": _PATH,
    "state_dir": _PATH,
    "grace_days": (_days, "a number of days, 0 or more"),
    "deadline_seconds": (_seconds, f"more than 0 and at most {_DEADLINE_MAX:.0f} seconds"),
    "on_trouble": (_trouble, "admit or refuse"),
    "exempt_users": (_names, "a list of user names"),
    "exempt_groups": (_names, "a list of group names"),
}
