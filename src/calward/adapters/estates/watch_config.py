"""What does ``watch.toml`` say: who is told, of what, and when?"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from calward.adapters.estates.threshold_config import read_thresholds
from calward.adapters.toml_tables import check_table, wrong
from calward.domain.errors import LicensingError, Problem
from calward.domain.this_machine import is_loopback
from calward.domain.time_spans import SPAN_FORM, seconds_of
from calward.insight.findings import Severity
from calward.insight.thresholds import Threshold

__all__ = ["MailConfig", "WatchConfig", "WebhookConfig", "load_watch_config"]

_PORTS: Final = MappingProxyType({"starttls": 587, "tls": 465, "none": 25})
_TOP: Final = MappingProxyType({"least": str, "settle": str, "threshold": list, "mail": dict, "webhook": dict})
_SETTLE: Final = 3600
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
    """All of the file; without one, only the terminal is told.

    ``least``: what matters less is not told. ``settle``: seconds for which something must be over before that is told.
    """

    least: Severity = Severity.WARNING
    settle: int = _SETTLE
    thresholds: tuple[Threshold, ...] = ()
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
    if isinstance(document.get("threshold"), dict):
        raise wrong("threshold", "must be written [[threshold]]: there can be several")
    check_table(document, "", _TOP)
    least = document.get("least", Severity.WARNING.value)
    if least not in set(Severity):
        raise wrong("least", f"must be one of {', '.join(Severity)}")
    mail, webhook, folder = document.get("mail"), document.get("webhook"), path.absolute().parent
    settle = seconds_of(document["settle"]) if "settle" in document else _SETTLE
    if settle is None:
        raise wrong("settle", f"must be {SPAN_FORM}; 0s: at once")
    return WatchConfig(
        Severity(least),
        settle,
        read_thresholds(document.get("threshold", ())),
        None if mail is None else _mail(mail, folder),
        None if webhook is None else _webhook(webhook, folder),
    )


def _mail(table: Mapping[str, Any], folder: Path) -> MailConfig:
    check_table(table, "mail", _MAIL, ("host", "from", "to"))
    security = table.get("security", "starttls")
    if security not in _PORTS:
        raise wrong("mail.security", f"must be one of {', '.join(_PORTS)}")
    if ("user" in table) != ("password_file" in table):
        raise wrong("mail.user", "goes with mail.password_file")
    if "user" in table and security == "none":
        raise wrong("mail.security", "must be starttls or tls where a password is sent")
    to = table["to"]
    if not to or not all(isinstance(one, str) and "@" in one for one in to):
        raise wrong("mail.to", "must be a list of mail addresses")
    port = table.get("port", _PORTS[security])
    if not 0 < port < 1 << 16:
        raise wrong("mail.port", "must be a port from 1 to 65535")
    files = (_path(table, "password_file", folder), _path(table, "ca_file", folder))
    return MailConfig(table["host"], port, security, table.get("user"), *files, table["from"], tuple(to))


def _webhook(table: Mapping[str, Any], folder: Path) -> WebhookConfig:
    check_table(table, "webhook", _WEBHOOK, ("url", "secret_file"))
    try:
        url = urlsplit(table["url"])
        host = url.hostname or ""
    except ValueError:
        raise wrong("webhook.url", "is no URL") from None
    if not host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(host))):
        raise wrong("webhook.url", "must be https://…; http:// only on this machine")
    secret_file = folder / table["secret_file"]
    return WebhookConfig(table["url"], secret_file, _path(table, "ca_file", folder))


def _path(table: Mapping[str, Any], key: str, folder: Path) -> Path | None:
    return folder / table[key] if key in table else None
