"""Do notices arrive at a real mail server over TLS and with a password, and at a webhook over https, and nowhere where the certificate is wrong?"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.support.authorities import an_authority
from tests.support.command_line import calward
from tests.support.notice_receivers import a_webhook

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd"),  # It warns of itself.
    pytest.mark.filterwarnings("ignore:Requiring AUTH"),  # The TLS around it is not its own.
]
USER, PASSWORD, SECRET = "calward", "correct horse", "whsec-of-the-test"
UNAVAILABLE = 6


@dataclass
class Mails:
    """What a mail server was given, and as whom the sender logged in."""

    port: int = 0
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 ok"

    def authenticate(self, _server, _session, _envelope, _mechanism, given) -> AuthResult:
        right = isinstance(given, LoginPassword) and given == LoginPassword(USER.encode(), PASSWORD.encode())
        self.users += [USER] * right
        return AuthResult(success=right, handled=right)


@contextmanager
def serving(mails: Mails, tls: ssl.SSLContext | None = None, **options) -> Iterator[Mails]:
    """An SMTP server in a loop of its own, which ends with the test; ``tls``: from the first byte on."""
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(mails, loop=loop, **options), "127.0.0.1", 0, ssl=tls)

    async def end() -> None:
        server.close()
        others = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    mails.port = server.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def a_mail_server(tls: ssl.SSLContext, security: str, *, login: bool = False) -> Iterator[Mails]:
    mails = Mails()
    options = {"authenticator": mails.authenticate, "auth_required": True} if login else {}
    if security == "starttls":
        way = serving(mails, tls_context=tls, require_starttls=True, **options)
    else:
        way = serving(mails, tls, auth_require_tls=False, **options)
    with way:
        yield mails


@pytest.fixture
def trusted(tmp_path):
    return an_authority(tmp_path, "trusted")


@pytest.fixture
def stranger(tmp_path):
    return an_authority(tmp_path, "stranger")


def secret(folder, name, text):
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")


def tried(folder, text):
    file = folder / "watch.toml"
    file.write_text(text)
    return calward("watch", "--test", "--config", str(file), "--json")


def mail(port, security, more=""):
    return (
        f'[mail]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "{security}"\nca_file = "trusted.pem"\n'
        f'from = "calward@example.org"\nto = ["admin@example.org"]\n{more}'
    )


LOGIN = f'user = "{USER}"\npassword_file = "password"\n'


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("login", [False, True])
def test_a_mail_server_takes_a_notice_over_tls_with_and_without_a_password(tmp_path, trusted, security, login):
    secret(tmp_path, "password", PASSWORD)
    with a_mail_server(trusted.server(), security, login=login) as server:
        ran = tried(tmp_path, mail(server.port, security, LOGIN if login else ""))
    assert ran.code == 0, ran.err
    assert ran.json["items"] == [{"receiver": "mail", "took_it": True, "error": None}]
    [(sender, to, content)] = server.mails
    assert (sender, to) == ("calward@example.org", ["admin@example.org"])
    assert b"Subject: Calward: test" in content
    assert server.users == [USER] * login


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_wrong_password_is_told_and_no_mail_is_sent(tmp_path, trusted, security):
    secret(tmp_path, "password", "battery staple")
    with a_mail_server(trusted.server(), security, login=True) as server:
        ran = tried(tmp_path, mail(server.port, security, LOGIN))
    assert ran.code == UNAVAILABLE
    assert "535" in ran.json["items"][0]["error"]
    assert server.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_mail_server_with_a_wrong_certificate_gets_neither_password_nor_mail(
    tmp_path, trusted, stranger, security, wrong
):
    secret(tmp_path, "password", PASSWORD)
    tls = stranger.server() if wrong == "authority" else trusted.server("mail.example.org")
    with a_mail_server(tls, security, login=True) as server:
        ran = tried(tmp_path, mail(server.port, security, LOGIN))
    assert ran.code == UNAVAILABLE
    assert "certificate verify failed" in ran.json["items"][0]["error"].lower()
    assert (server.users, server.mails) == ([], [])


def test_a_mail_server_without_starttls_is_not_spoken_to_in_the_clear(tmp_path, trusted):
    secret(tmp_path, "password", PASSWORD)
    mails = Mails()
    with serving(mails, authenticator=mails.authenticate, auth_require_tls=False):
        ran = tried(tmp_path, mail(mails.port, "starttls", LOGIN))
    assert ran.code == UNAVAILABLE
    assert "STARTTLS" in ran.json["items"][0]["error"]
    assert (mails.users, mails.mails) == ([], [])


def webhook(url):
    return f'[webhook]\nurl = "{url}"\nsecret_file = "secret"\nca_file = "trusted.pem"\n'


def test_a_webhook_takes_a_signed_notice_over_https_of_an_authority_of_one_s_own(tmp_path, trusted):
    secret(tmp_path, "secret", SECRET)
    with a_webhook([200], trusted.server()) as hook:
        ran = tried(tmp_path, webhook(hook.url))
    assert ran.code == 0, ran.err
    [post] = hook.posts
    assert post.is_signed_with(SECRET)
    assert b'"test": true' in post.body


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_webhook_with_a_wrong_certificate_gets_nothing(tmp_path, trusted, stranger, wrong, monkeypatch):
    monkeypatch.setattr("calward.bootstrap.watch.pause", lambda _seconds: False)
    secret(tmp_path, "secret", SECRET)
    tls = stranger.server() if wrong == "authority" else trusted.server("hooks.example.org")
    with a_webhook([200], tls) as hook:
        ran = tried(tmp_path, webhook(hook.url))
    assert ran.code == UNAVAILABLE
    assert "certificate verify failed" in ran.json["items"][0]["error"].lower()
    assert hook.posts == []


def test_one_way_that_fails_is_told_beside_one_that_works(tmp_path, trusted):
    secret(tmp_path, "secret", SECRET)
    with a_mail_server(trusted.server(), "starttls") as server, a_webhook([400], trusted.server()) as hook:
        ran = tried(tmp_path, mail(server.port, "starttls") + webhook(hook.url))
    assert ran.code == UNAVAILABLE
    assert [(one["receiver"], one["took_it"]) for one in ran.json["items"]] == [("mail", True), ("webhook", False)]
    assert "it answered 400" in ran.json["items"][1]["error"]


def test_settings_that_name_nobody_cannot_be_tried(tmp_path):
    ran = tried(tmp_path, 'least = "error"\n')
    assert ran.code == 2
    assert "names nobody" in ran.err
    assert calward("watch", "--test").code == 2
