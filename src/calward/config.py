"""Which settings does the license server's program have, and where do they come from?

Built-in, then a TOML file, then the environment (``CALWARD_`` and the name in capitals), then the command line; unknown keys are errors.
The rules' own settings (``calward.domain.settings``) are not here: they live in the ledger and change by `calward server set`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from calward.domain.errors import LicensingError, Problem
from calward.ladders import DEFAULT_LADDER

__all__ = ["ServerConfig", "load_config"]

PREFIX = "CALWARD_"
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
DATA_DIR = Path("/var/lib/calward")


def _setting(default: Any, meaning: str) -> Any:  # noqa: ANN401 - a dataclass field
    """A setting with its default and its meaning, which the reference page shows."""
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Settings of ``calward serve``. Paths are relative to the working directory; empty text means "not set"."""

    data_dir: Path = _setting(DATA_DIR, "folder of the ledger (SQLite), keys and trust")  # noqa: RUF009 - a constant
    database: str = _setting("", "sqlite:///FILE or postgresql://USER@HOST/NAME; empty: ledger.db in data_dir")
    listen: str = _setting("127.0.0.1:8460", "address and port; anything but loopback needs TLS")
    socket: str = _setting(
        "", "Unix socket for administrators of this machine; empty: calward.sock in data_dir; none: no socket"
    )
    tls_certificate: str = _setting("", "PEM file with the certificate and its chain")
    tls_key: str = _setting("", "PEM file with the certificate's key")
    self_signed: bool = _setting(False, "make a certificate of our own when none is named; hosts pin its fingerprint")  # noqa: FBT003
    name: str = _setting("license-server", "the license server's name, given to a new ledger")
    server_version: str = _setting("", "the version it runs as, given to a new ledger; empty: the ladder's newest")
    ladder: str = _setting(DEFAULT_LADDER, "name or file of the version ladder, given to a new ledger")
    server_id: str = _setting(
        "", "the id of a license server whose ledger is lost, given to the new one that takes its place"
    )
    clearinghouse: str = _setting("", "address of the clearinghouse, for activation online")
    roots: str = _setting("", "the clearinghouse's root keys, hexadecimal, separated by commas")
    new_key: bool = _setting(False, "make a new server.key for a ledger that had another one, which is lost")  # noqa: FBT003
    findings_every_seconds: int = _setting(300, "how often findings are counted for /metrics; 0: never")
    bench_echo: bool = _setting(False, "serve /bench/echo, the yardstick of ./dev bench")  # noqa: FBT003

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on; raises LicensingError(MALFORMED)."""
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - the largest port
            raise LicensingError(Problem.MALFORMED, f"listen must be ADDRESS:PORT, not {self.listen!r}", field="listen")
        return host.strip("[]"), int(port)

    @property
    def database_url(self) -> str:
        """Where the ledger is."""
        return self.database or f"sqlite:///{self.data_dir.absolute() / 'ledger.db'}"

    @property
    def socket_path(self) -> Path | None:
        """The Unix socket, unless there is to be none."""
        if self.socket == "none":
            return None
        return Path(self.socket) if self.socket else self.data_dir / "calward.sock"


def load_config(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> ServerConfig:
    """Settings from all places; raises LicensingError(MALFORMED) that names place and key, NOT_FOUND for a missing file."""
    names = {one.name for one in fields(ServerConfig)}
    from_environment = {
        key.removeprefix(PREFIX).lower(): value
        for key, value in environment.items()
        if key.startswith(PREFIX) and key.removeprefix(PREFIX).lower() in names
    }
    config = _with(ServerConfig(), _from_file(file) if file else {}, str(file))
    config = _with(config, from_environment, "the environment")
    return _with(config, {key: value for key, value in flags.items() if value is not None}, "the command line")


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no settings file {file}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LicensingError(Problem.MALFORMED, f"{file} is not TOML: {error}") from None


def _with(config: ServerConfig, values: Mapping[str, Any], place: str) -> ServerConfig:
    known = {one.name: getattr(config, one.name) for one in fields(config)}
    for key in values:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            raise LicensingError(Problem.MALFORMED, f"{place} has an unknown setting {key!r}: {hint}", field=key)
    read: dict[str, Any] = {key: _read(key, known[key], value, place) for key, value in values.items()}
    return replace(config, **read)


def _read(key: str, old: object, value: object, place: str) -> object:
    if isinstance(old, bool):
        if value in {True, False, "true", "false", "1", "0"}:
            return value in {True, "true", "1"}
        raise LicensingError(Problem.MALFORMED, f"{key} in {place} must be true or false, not {value!r}", field=key)
    if isinstance(old, int):
        if isinstance(value, bool) or not _WHOLE.fullmatch(str(value)):
            raise LicensingError(
                Problem.MALFORMED, f"{key} in {place} must be a whole number from 0 on, not {value!r}", field=key
            )
        return int(str(value))
    if not isinstance(value, str | Path):
        raise LicensingError(Problem.MALFORMED, f"{key} in {place} must be a text, not {value!r}", field=key)
    return Path(value) if isinstance(old, Path) else str(value)
