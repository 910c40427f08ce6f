"""A license server asks its clearinghouse: the real one over real sockets, and every bad one."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from calward.adapters.network.clearinghouse_client import HttpClearinghouse
from calward.adapters.network.serving import serve_asgi
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.errors import LicensingError, Problem
from tests.support.signed import SERVER_ID, STRANGER, a_request, sealed

REQUEST = sealed(a_request())
SERVE = """
import sys
from pathlib import Path
from calward.entrypoints.cli.clearinghouse.root import clearinghouse
from calward.bootstrap.clearinghouse import serve_asgi
from tests.support.clearinghouses import ClearinghouseWiring
wiring = ClearinghouseWiring()
wiring.serve_asgi = serve_asgi
clearinghouse(sys.argv[1:], obj=wiring)
"""


@contextmanager
def served(*options: object) -> Iterator[str]:
    """The real command in a process of its own, on a free port."""
    args = [sys.executable, "-c", SERVE, "serve", "--json", "--port", "0", *map(str, options)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        args, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as it:
        assert it.stdout is not None
        try:
            yield json.loads(it.stdout.readline())["url"]
        finally:
            it.send_signal(signal.SIGTERM)
            it.wait(20)
    assert it.returncode in (0, -signal.SIGTERM)


class Answering(httpx2.BaseTransport):
    """Hands out one answer piece by piece, as a socket does."""

    def __init__(self, status: int, pieces: Iterable[bytes]) -> None:
        self.status = status
        self.pieces = pieces

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            self.status, content=iter(self.pieces), headers={"Location": "https://elsewhere.example"}
        )


def client(status: int, *pieces: bytes, timeout: float = 10.0) -> HttpClearinghouse:
    return HttpClearinghouse("https://ch.example", timeout=timeout, transport=Answering(status, pieces))


def refusal(call: Callable[[], object]) -> LicensingError:
    with pytest.raises(LicensingError) as caught:
        call()
    return caught.value


def a_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clearinghouse")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "tls.pem", folder / "tls.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def test_the_real_one_answers_on_loopback_and_its_no_comes_through(desk: Clearinghouse, folder: Path) -> None:
    with served("--dir", folder) as url, HttpClearinghouse(url) as asked:
        assert asked.keyring() == desk.keyring()[1]
        first = asked.activate(REQUEST)
        assert asked.activate(REQUEST) == first
        assert [one.server_id for one in desk.overview().servers] == [SERVER_ID]
        said = refusal(lambda: asked.activate(sealed(a_request(server_key=STRANGER.public_key), STRANGER)))
        assert said.problem is Problem.CONFLICT
        assert "another key" in said.detail
        assert refusal(lambda: asked.activate(b"{}")).problem is Problem.MALFORMED


def test_over_tls_only_a_trusted_certificate_will_do(desk: Clearinghouse, folder: Path, tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path)
    options = ("--dir", folder, "--tls-certificate", certificate, "--tls-key", key)
    with served(*options) as url:
        assert url.startswith("https://127.0.0.1:")
        with HttpClearinghouse(url, ca_file=certificate) as trusting:
            assert trusting.keyring() == desk.keyring()[1]
        with HttpClearinghouse(url) as doubting:
            assert refusal(doubting.keyring).problem is Problem.UNREACHABLE


def test_a_clearinghouse_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with HttpClearinghouse(f"http://127.0.0.1:{free.getsockname()[1]}", timeout=2) as asked:
            said = refusal(asked.keyring)
    assert said.problem is Problem.UNREACHABLE
    assert "use files" in said.detail


def test_one_that_never_answers_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with HttpClearinghouse(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2) as asked:
            assert refusal(asked.keyring).problem is Problem.UNREACHABLE


def test_one_that_drips_is_given_up() -> None:
    asked = client(200, b"x", b"x", timeout=1e-9)
    assert "took longer" in refusal(asked.keyring).detail


def test_an_answer_without_end_is_cut_off() -> None:
    asked = client(200, *[b"x" * 1000] * 100)
    said = refusal(asked.keyring)
    assert said.problem is Problem.UNREACHABLE
    assert "longer than" in said.detail


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, b""),
        (200 + 4, b""),
        (500, b'{"detail": "x"}'),
        (404, b"<html>"),
        (400, b"[]"),
        (400, b'{"detail": 1}'),
        (400, b"[" * 10_000),
        (400, b"\xff"),
        (503, b""),
    ],
)
def test_what_is_no_clearinghouse_is_unreachable(status: int, body: bytes) -> None:
    asked = client(status, body)
    assert refusal(asked.keyring).problem is Problem.UNREACHABLE


def test_the_words_of_a_clearinghouse_are_made_harmless() -> None:
    detail = "no\x1b[2J\u202e" + "x" * 1000
    asked = client(409, json.dumps({"detail": detail}).encode())
    said = refusal(asked.keyring)
    assert said.problem is Problem.CONFLICT
    assert "\x1b" not in said.detail
    assert "\u202e" not in said.detail
    assert len(said.detail) < 400


@pytest.mark.parametrize(
    "url", ["", "ch.example", "http://ch.example", "ftp://127.0.0.1", "https://", "http://[", "file:///etc"]
)
def test_an_address_that_cannot_be_used_is_refused_at_once(url: str) -> None:
    assert refusal(lambda: HttpClearinghouse(url)).problem is Problem.MALFORMED


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "[::1]", "localhost"])
def test_this_machine_needs_no_tls(host: str) -> None:
    HttpClearinghouse(f"http://{host}:8470").close()


def test_certificates_that_are_not_there_are_said(tmp_path: Path) -> None:
    assert (
        refusal(lambda: HttpClearinghouse("https://ch.example", ca_file=tmp_path / "no")).problem is Problem.NOT_FOUND
    )


def nothing(scope: object, receive: object, send: object) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("host", "files", "problem"),
    [
        ("0.0.0.0", {}, Problem.MALFORMED),
        ("::", {}, Problem.MALFORMED),
        ("ch.example", {}, Problem.MALFORMED),
        ("127.0.0.1", {"key": Path("/nowhere")}, Problem.MALFORMED),
        ("127.0.0.1", {"certificate": Path("/nowhere")}, Problem.MALFORMED),
        ("0.0.0.0", {"certificate": Path("/nowhere"), "key": Path("/nowhere")}, Problem.NOT_FOUND),
        ("192.0.2.1", {}, Problem.MALFORMED),
    ],
)
def test_nothing_but_loopback_is_served_without_tls(host: str, files: dict[str, Path], problem: Problem) -> None:
    assert refusal(lambda: serve_asgi(nothing, host, 0, **files)).problem is problem  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(lambda: serve_asgi(nothing, "127.0.0.1", port))  # type: ignore[arg-type]
    assert said.problem is Problem.UNAVAILABLE
