"""Which license server is meant by a short name? ``--profile NAME``, from ``config.toml`` of whoever asks.

    [profile.berlin]
    server = "https://ls1.example:8460"
    token_file = "~/.calward/berlin.token"

``ca_file`` and ``fingerprint`` may stand beside them. A token itself never does.
"""

import os
import tomllib
from pathlib import Path
from typing import Any, Final

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.wiring import Where

__all__ = ["profiles_file", "with_profile"]

_KEYS: Final = frozenset({"server", "token_file", "ca_file", "fingerprint"})
_MOST: Final = 256 * 1024


def profiles_file() -> Path:
    """``calward/config.toml`` in the user's folder of settings."""
    folder = os.environ.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "calward" / "config.toml"


def with_profile(where: Where, name: str | None) -> Where:
    """Where the profile says, all of it; raises LicensingError: NOT_FOUND, MALFORMED.

    Whoever names a server as well has not made up their mind: a token must not go to a server that it is not for.
    """
    if name is None:
        return where
    if where.server is not None:
        raise LicensingError(Problem.MALFORMED, "--server and --profile exclude each other: a profile names its server")
    file = profiles_file()
    found = _profiles(file).get(name)
    if not isinstance(found, dict):
        known = ", ".join(sorted(_profiles(file))) or "none"
        raise LicensingError(Problem.NOT_FOUND, f"there is no profile {name!a} in {file}: there are {known}")
    if strange := sorted(set(found) - _KEYS):
        raise LicensingError(
            Problem.MALFORMED, f"profile {name!a} in {file} has {strange[0]!a}: known are {', '.join(sorted(_KEYS))}"
        )
    if not isinstance(found.get("server"), str) or not all(isinstance(one, str) for one in found.values()):
        raise LicensingError(Problem.MALFORMED, f"profile {name!a} in {file} needs server, and every value is a text")
    files: dict[str, Any] = {key: Path(found[key]).expanduser() for key in ("token_file", "ca_file") if key in found}
    return Where(found["server"], fingerprint=found.get("fingerprint"), **files)


def _profiles(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            document = tomllib.loads(opened.read(_MOST).decode())
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no file {file} with profiles") from None
    except (OSError, ValueError) as error:
        raise LicensingError(Problem.MALFORMED, f"{file} cannot be read: {error}") from None
    found = document.get("profile", {})
    if not isinstance(found, dict):
        raise LicensingError(Problem.MALFORMED, f"{file}: profiles are tables like [profile.berlin]")
    return found
