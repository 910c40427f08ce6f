"""How does a notice get out: by mail, and as a signed POST?

A webhook's receiver takes header ``Calward-Signature: t=SECONDS,v1=HEX``, makes HMAC-SHA256 with the shared secret over ``SECONDS``,
a full stop and the body as it came, compares in constant time, and refuses what is minutes old. ``Calward-Notice-Id`` tells doubles.
"""

import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import httpx2

from calward.adapters.estates.watch_config import MailConfig, WebhookConfig
from calward.adapters.secret_files import read_secret
from calward.domain.errors import LicensingError, Problem
from calward.insight.notices import Notice

__all__ = ["Mail", "Webhook", "signature"]

_SECONDS: Final = 10
"""Time limit of each step of a delivery."""
_PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds before each further attempt."""
_LATER: Final = frozenset({408, 425, 429})
"""What a receiver answers, beside 5xx, that may take the same notice later."""


class Mail:
    """Sends notices by one mail server, as plain text with the JSON document attached; ``now`` in seconds since 1970."""

    def __init__(self, config: MailConfig, now: Callable[[], int]) -> None:
        self._config = config
        self._now = now

    def send(self, told: Notice) -> None:
        """Hand the mail to the server; raises LicensingError."""
        try:
            with self._connect() as server:
                # Where only some addresses are refused nothing is raised: sending again would tell the others twice.
                server.send_message(self._message(told), self._config.sender, self._config.to)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            detail = f"mail server {self._config.host}:{self._config.port} did not take the notice: {_words(error)}"
            raise LicensingError(Problem.UNREACHABLE, detail) from None

    def _connect(self) -> smtplib.SMTP:
        config = self._config
        context = ssl.create_default_context(cafile=config.ca_file)
        if config.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(config.host, config.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(config.host, config.port, timeout=_SECONDS)
        try:
            if config.security == "starttls":
                server.starttls(context=context)
            if config.user is not None and config.password_file is not None:
                server.login(config.user, read_secret(config.password_file))
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, told: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._config.sender
        message["To"] = ", ".join(self._config.to)
        message["Subject"] = told.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(self._now(), UTC))
        message["Message-ID"] = f"<{told.id}@calward.invalid>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(told.text)
        body = json.dumps(told.document, indent=1).encode()
        message.add_attachment(body, maintype="application", subtype="json", filename="notice.json")
        return message


class Webhook:
    """Posts notices, signed. ``pause`` waits so many seconds and says whether to give up, since the program is to end."""

    def __init__(self, config: WebhookConfig, now: Callable[[], int], pause: Callable[[float], bool]) -> None:
        self._config = config
        self._now = now
        self._pause = pause

    def send(self, told: Notice) -> None:
        """Post until it is accepted (2xx), a few times; raises LicensingError."""
        secret = read_secret(self._config.secret_file).encode()
        if not secret:
            raise LicensingError(Problem.MALFORMED, f"{str(self._config.secret_file)!a} holds no secret")
        body = json.dumps(told.document).encode()
        verify = ssl.create_default_context(cafile=self._config.ca_file)
        with httpx2.Client(timeout=_SECONDS, verify=verify, trust_env=False) as client:
            answer = self._attempt(client, secret, body, told.id)
            for seconds in _PAUSES:
                if answer is None or not _worth_another(answer) or self._pause(seconds):
                    break
                answer = self._attempt(client, secret, body, told.id)
        if answer is not None:
            detail = f"webhook {self._config.url} did not take the notice: {_said(answer)}"
            raise LicensingError(Problem.UNREACHABLE, detail)

    def _attempt(self, client: httpx2.Client, secret: bytes, body: bytes, id_: str) -> int | Exception | None:
        """Post once; None where it was accepted, else the status or what went wrong."""
        headers = {
            "Content-Type": "application/json",
            "Calward-Signature": signature(secret, self._now(), body),
            "Calward-Notice-Id": id_,
        }
        try:
            answer = client.post(self._config.url, content=body, headers=headers)
        except (httpx2.HTTPError, OSError) as error:
            return error
        return None if answer.is_success else answer.status_code


def signature(secret: bytes, at: int, body: bytes) -> str:
    """The header's value for a body that is posted at a second since 1970."""
    return f"t={at},v1={hmac.new(secret, f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _worth_another(answer: int | Exception) -> bool:
    return isinstance(answer, Exception) or answer >= 500 or answer in _LATER  # noqa: PLR2004 -- all of 5xx


def _said(answer: int | Exception) -> str:
    return f"it answered {answer}" if isinstance(answer, int) else _words(answer)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
