"""What does ``watch.toml`` say: who is told, and of what?"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from calward.domain.errors import LicensingError, Problem
from calward.insight.findings import Severity

__all__ = ["MailConfig", "WatchConfig", "WebhookConfig", "load_watch_config"]

_PORTS: Final = MappingProxyType({"starttls": 587, "tls": 465, "none": 25})
_TOP: Final = MappingProxyType({"least": str, "mail": dict, "webhook": dict})
_MAIL: Final = MappingProxyType(
    {
        "host": str,
        "port": int,
        "security": str,
        "user": str,
        "password_file": str,
        "ca_file": str,
        "from": str,
        "to": list,
    }
)
_WEBHOOK: Final = MappingProxyType({"url": str, "secret_file": str, "ca_file": str})


@dataclass(frozen=True, slots=True)
class MailConfig:
    """A mail server and whom it carries notices to. ``security``: starttls, tls or none."""

    host: str
    port: int
    security: str
    user: str | None
    password_file: Path | None
    ca_file: Path | None
    sender: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Where notices are posted, and the file of the secret they are signed with."""

    url: str
    secret_file: Path
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """All of the file; without one, only the terminal is told. ``least``: what matters less is not told."""

    least: Severity = Severity.WARNING
    mail: MailConfig | None = None
    webhook: WebhookConfig | None = None


def load_watch_config(path: Path) -> WatchConfig:
    """Read the file; paths in it start from its folder; raises LicensingError: NOT_FOUND, MALFORMED."""
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise LicensingError(Problem.NOT_FOUND, f"{str(path)!a} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LicensingError(Problem.MALFORMED, f"{str(path)!a} is no TOML: {error}") from None
    _check(document, "", _TOP)
    least = document.get("least", Severity.WARNING.value)
    if least not in set(Severity):
        raise _wrong("least", f"must be one of {', '.join(Severity)}")
    mail, webhook, folder = document.get("mail"), document.get("webhook"), path.absolute().parent
    return WatchConfig(
        Severity(least),
        None if mail is None else _mail(mail, folder),
        None if webhook is None else _webhook(webhook, folder),
    )


def _mail(table: Mapping[str, Any], folder: Path) -> MailConfig:
    _check(table, "mail.", _MAIL, ("host", "from", "to"))
    security = table.get("security", "starttls")
    if security not in _PORTS:
        raise _wrong("mail.security", f"must be one of {', '.join(_PORTS)}")
    if ("user" in table) != ("password_file" in table):
        raise _wrong("mail.user", "goes with mail.password_file")
    if "user" in table and security == "none":
        raise _wrong("mail.security", "must be starttls or tls where a password is sent")
    to = table["to"]
    if not to or not all(isinstance(one, str) and "@" in one for one in to):
        raise _wrong("mail.to", "must be a list of mail addresses")
    port = table.get("port", _PORTS[security])
    if not 0 < port < 1 << 16:
        raise _wrong("mail.port", "must be a port from 1 to 65535")
    files = (_path(table, "password_file", folder), _path(table, "ca_file", folder))
    return MailConfig(table["host"], port, security, table.get("user"), *files, table["from"], tuple(to))


def _webhook(table: Mapping[str, Any], folder: Path) -> WebhookConfig:
    _check(table, "webhook.", _WEBHOOK, ("url", "secret_file"))
    try:
        url = urlsplit(table["url"])
        host = url.hostname or ""
    except ValueError:
        raise _wrong("webhook.url", "is no URL") from None
    if not host or not (url.scheme == "https" or (url.scheme == "http" and _is_loopback(host))):
        raise _wrong("webhook.url", "must be https://…; http:// only on this machine")
    secret_file = folder / table["secret_file"]
    return WebhookConfig(table["url"], secret_file, _path(table, "ca_file", folder))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _path(table: Mapping[str, Any], key: str, folder: Path) -> Path | None:
    return folder / table[key] if key in table else None


def _check(table: Mapping[str, Any], prefix: str, kinds: Mapping[str, type], needed: tuple[str, ...] = ()) -> None:
    """Refuse keys that are unknown, missing or of another kind: a setting that is misspelled must not be one that is ignored."""
    for key, value in table.items():
        if key not in kinds:
            raise _wrong(f"{prefix}{key}", f"is no setting: {', '.join(kinds)}")
        if type(value) is not kinds[key] or value == "":
            raise _wrong(f"{prefix}{key}", f"must be {_KINDS[kinds[key]]}")
    for key in needed:
        if key not in table:
            raise _wrong(f"{prefix}{key}", "is missing")


_KINDS: Final = MappingProxyType({str: "a text", int: "a whole number", list: "a list", dict: "a table"})


def _wrong(field: str, what: str) -> LicensingError:
    return LicensingError(Problem.MALFORMED, f"{field} {what}", field=field)
