"""Which settings has this session host? ``/etc/calward/host.toml``, read whole and strictly.

A misspelled key is an error, never a setting without effect: this file decides who gets in.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calward.adapters.host_state import Lost
from calward.adapters.http_exchange import Address
from calward.domain.errors import LicensingError, Problem

__all__ = ["DEFAULT_CONFIG", "HostConfig", "ListedServer", "load_host_config", "read_token"]

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
    return HostConfig(servers=servers, **{_FIELDS.get(key, key): value for key, value in settings.items()})


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


_FIELDS: Final = {"on_trouble": "admit_on_trouble"}
"""Keys of the file whose value is called otherwise here."""
_PATH: Final = (_path, "the absolute path of a file or folder")
_SERVER_KEYS: Final = {
    "url": (_text, "https://HOST:PORT, http:// for this machine only, or unix:/PATH"),
    "token_file": _PATH,
    "fingerprint": (_text, "the SHA-256 fingerprint of the server's certificate in hex"),
}
_KEYS: Final = {
    "server": (_tables, "a list of tables [[server]]"),
    "token_file": _PATH,
    "state_dir": _PATH,
    "grace_days": (_days, "a number of days, 0 or more"),
    "deadline_seconds": (_seconds, f"more than 0 and at most {_DEADLINE_MAX:.0f} seconds"),
    "on_trouble": (_trouble, "admit or refuse"),
    "exempt_users": (_names, "a list of user names"),
    "exempt_groups": (_names, "a list of group names"),
}
