"""``calward agent doctor`` against real license servers, what else may listen in their place, and nothing at all."""

import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from calward.adapters.network.certificates import own_certificate
from calward.adapters.sessionhost.agent_socket import ask_agent
from calward.adapters.sessionhost.facts import gather_facts
from calward.app.sessionhost.diagnosis import Reached, TokenState
from calward.entrypoints.cli.common.exit_codes import Exit
from tests.support.command_line import Ran, calward
from tests.support.fake_license_server import FakeLicenseServer, dead_url, dripping, hanging
from tests.support.fake_license_server import serving as serving_fake
from tests.support.running_server import CALWARD, Running, serving

pytestmark = pytest.mark.xdist_group("doctor")  # One license server for all of them.


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Running]:
    """A license server with a certificate of its own."""
    folder = tmp_path_factory.mktemp("doctor")
    with serving(folder, "--data-dir", str(folder / "ls"), "--self-signed") as found:
        yield found


class Host:
    """A session host in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = folder / "host.token"
        (folder / "pam.d").mkdir()

    def enroll(self, server: Running, mode: str = "per-user") -> None:
        asked = ("host", "enroll", f"SH-{self.folder.name[-20:]}", "--version", "2022", "--mode", mode)
        ran = calward(*asked, "--token-file", str(self.token), CALWARD_SERVER=server.socket)
        assert ran.code == Exit.OK, ran

    def configure(self, *servers: str, more: str = "") -> None:
        lines = [f'token_file = "{self.token}"', f'state_dir = "{self.folder}/state"', *servers]
        lines += [f'[agent]\nsocket = "{self.folder}/agent.sock"', more]
        (self.folder / "host.toml").write_text("\n".join(lines) + "\n")

    def doctor(self, *more: str) -> Ran:
        where = ("--config", str(self.folder / "host.toml"), "--pam-folder", str(self.folder / "pam.d"))
        return calward("agent", "doctor", *where, *more)

    def facts(self) -> Any:
        return gather_facts(self.folder / "host.toml", self.folder / "pam.d")

    def found(self) -> dict[str, Any]:
        """Findings by their check's id, without those about the agent and PAM, which these hosts have not."""
        ran = self.doctor("--json", "--ignore", "agent-down", "--ignore", "pam-not-installed")
        document = json.loads(ran.out)
        assert ran.code == (Exit.FINDINGS if document["findings"] else Exit.OK)
        return {one["id"]: one for one in document["findings"]}


@pytest.fixture
def host(tmp_path) -> Host:
    return Host(tmp_path)


def listed(url: str, pin: str | None = None) -> str:
    return f'[[server]]\nurl = "{url}"' + (f'\nfingerprint = "{pin}"' if pin else "")


def test_a_host_without_anything_is_told_what_to_do_first(host):
    ran = host.doctor()
    assert ran.code == Exit.FINDINGS
    assert "calward host join CODE --server" in ran.out
    assert set(host.found()) == {"settings-missing"}


def test_broken_settings_are_the_one_finding(host):
    host.configure(more="grace_dais = 1")
    found = host.found()
    assert set(found) == {"settings-wrong"}
    assert "grace_dais" in found["settings-wrong"]["evidence"]


def test_an_unknown_ladder_is_a_wrong_setting(host):
    host.configure(more='ladder = "nowhere.toml"')
    assert set(host.found()) == {"settings-wrong"}


def test_a_host_in_order_has_one_note_and_without_that_nothing(host, server):
    host.enroll(server)
    host.configure(listed(server.url, server.place("fingerprint")))
    assert set(host.found()) == {"single-server", "server-not-activated"}
    accepted = ("single-server", "server-not-activated", "agent-down", "pam-not-installed")
    ran = host.doctor(*(word for one in accepted for word in ("--ignore", one)))
    assert ran.code == Exit.OK, ran.out
    assert "nothing is wrong" in ran.out
    assert "version 2022, per-user (set by the host), 120 days of grace" in ran.out
    assert server.place("fingerprint")[:16] in ran.out


def test_every_listed_name_of_one_server_is_noticed(host, server):
    host.enroll(server)
    pin = server.place("fingerprint")
    host.configure(listed(server.url, pin), listed(server.url.replace("127.0.0.1", "localhost"), pin))
    assert "same license server" in host.found()["server-twice"]["evidence"]


def test_a_wrong_pin_is_found_and_the_token_stays_here(host, server):
    host.enroll(server)
    host.configure(listed(server.url, "0" * 64))
    found = host.found()["fingerprint-differs"]
    assert found["evidence"] == f"pinned {'0' * 64}; shown {server.place('fingerprint')}"
    assert host.facts().servers[0].refusal is None, "it was not asked"


def test_a_certificate_that_nobody_has_signed_is_shown_to_be_compared(host, server):
    host.enroll(server)
    host.configure(listed(server.url))
    evidence = host.found()["certificate-untrusted"]["evidence"]
    assert "self-signed certificate" in evidence
    assert server.place("fingerprint") in evidence


def test_a_token_that_is_not_known_is_found_with_what_it_was(host, server):
    host.token.write_text("calh_nobody")
    host.token.chmod(0o600)
    host.configure(listed(server.url, server.place("fingerprint")))
    evidence = host.found()["not-enrolled"]["evidence"]
    assert f"asked with a session host's token in {host.token}, written 20" in evidence
    assert "status 401" in evidence
    assert "calh_nobody" not in host.doctor().out


def test_a_removed_host_is_not_known_any_more(host, server):
    host.enroll(server)
    host.configure(listed(server.url, server.place("fingerprint")))
    name = host.facts().told.name
    assert calward("host", "remove", name, CALWARD_SERVER=server.socket).code == Exit.OK
    assert set(host.found()) >= {"not-enrolled", "policy-unknown"}


def test_an_administrators_token_in_the_hosts_place_is_named_so(host, server):
    asked = ("token", "make", host.folder.name, "--role", "viewer", "-o", str(host.token))
    assert calward(*asked, CALWARD_SERVER=server.socket).code == Exit.OK
    host.configure(listed(server.url, server.place("fingerprint")))
    assert "asked with an administrator's token" in host.found()["not-enrolled"]["evidence"]


def test_a_dead_server_and_a_name_that_nobody_knows_are_found_each(host):
    host.token.touch(mode=0o600)
    host.configure(listed(dead_url()), listed("https://calward.invalid:8460"), listed(f"unix:{host.folder}/none.sock"))
    found = host.found()
    assert set(found) >= {"server-unreachable", "name-unknown", "policy-unknown"}
    assert "calward.invalid" in found["name-unknown"]["what"]
    servers = host.facts().servers
    assert [one.reached for one in servers] == [Reached.ADDRESS, Reached.NOTHING, Reached.ADDRESS]
    assert [one.trouble for one in servers if one.reached] == ["Connection refused", "No such file or directory"]


@contextmanager
def answering(text: bytes, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Listen and say a text to everybody; gives the port, and what was heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.settimeout(5)
                        _say(connection, text, heard, context)
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _say(connection: socket.socket, text: bytes, heard: list[bytes], context: ssl.SSLContext | None) -> None:
    try:
        peer = context.wrap_socket(connection, server_side=True) if context else connection
        with peer:
            heard.append(peer.recv(4096))
            peer.sendall(text)
    except OSError:
        pass


PAGE = b"HTTP/1.1 200 OK\r\nServer: other/1.0\r\nContent-Length: 6\r\n\r\n<html>"


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        (PAGE, "GET /readyz: status 200, Server: other/1.0, '<html>'"),
        (b"220 mail.example ESMTP\r\n", "it does not speak HTTP: 220 mail.example ESMTP"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"ready": "1"}', "GET /readyz: status 200"),
        (b"", "it does not speak HTTP"),
    ],
)
def test_something_else_is_no_license_server_and_never_hears_the_token(host, text, evidence):
    host.token.write_text("calh_secret")
    host.token.chmod(0o600)
    with answering(text) as (port, heard):
        host.configure(listed(f"http://127.0.0.1:{port}"))
        found = host.found()
    assert found["not-a-license-server"]["evidence"].startswith(evidence)
    assert heard
    assert not any(b"calh_secret" in one for one in heard)


def test_something_else_with_tls_is_told_from_one_without(host, tmp_path):
    host.token.touch(mode=0o600)
    files = own_certificate(tmp_path, ["127.0.0.1"], now=int(time.time()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    with answering(PAGE, context) as (port, _), answering(PAGE) as (plain, _):
        host.configure(listed(f"https://127.0.0.1:{port}"), listed(f"https://127.0.0.1:{plain}"))
        troubles = [one.trouble for one in host.facts().servers]
    assert "not trusted" in troubles[0]
    assert "TLS is not spoken there" in troubles[1]


def test_what_asks_for_a_token_before_it_says_what_it_is_gets_none(host):
    host.token.touch(mode=0o600)
    with serving_fake(FakeLicenseServer()) as url:
        host.configure(listed(url))
        assert "status 401" in host.found()["not-a-license-server"]["evidence"]


def test_silent_servers_do_not_add_up(host):
    host.token.touch(mode=0o600)
    pause = threading.Event()
    with hanging() as one, hanging() as two, hanging(b"HTTP/1.1 200 OK\r\n") as three, dripping(pause) as four:
        host.configure(*map(listed, (one, two, three, four, "https://192.0.2.1:8460")))
        started = time.monotonic()
        found = host.found()
    assert time.monotonic() - started < 10
    assert found["not-a-license-server"]["evidence"] == "it said nothing in time"
    assert [one.reached for one in host.facts().servers] == [Reached.ADDRESS] * 5


def test_a_license_server_that_cannot_issue_says_so(host):
    host.token.touch(mode=0o600)
    body = b'{"ready": false, "problem": "unavailable"}'
    head = f"HTTP/1.1 503 Service Unavailable\r\nDate: Tue, 24 Nov 2020 06:22:46 GMT\r\nContent-Length: {len(body)}\r\n\r\n"
    with answering(head.encode() + body) as (port, _):
        host.configure(listed(f"http://127.0.0.1:{port}"))
        found = host.found()
    assert "server-says-nothing" not in found, "there is no token to ask with"
    assert found["server-not-ready"]["evidence"] == "GET /readyz: not ready (unavailable)"
    assert "behind" in found["clock-differs"]["evidence"]


def test_a_license_server_that_answers_no_further_is_not_taken_for_one_that_refuses(host):
    host.token.write_text("calh_x")
    host.token.chmod(0o600)
    body = b'{"ready": true}'  # To every question.
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as (port, _):
        host.configure(listed(f"http://127.0.0.1:{port}"))
        found = host.found()
    assert found["server-says-nothing"]["evidence"] == "GET /api/v1/host: it answers in words of another release"
    assert "not-enrolled" not in found


def test_servers_that_disagree_and_one_that_is_too_old(host, server, tmp_path_factory):
    host.enroll(server)
    other = tmp_path_factory.mktemp("other")
    with serving(other, "--data-dir", str(other / "ls"), "--server-version", "2019") as second:
        token = host.folder / "second.token"
        asked = ("host", "enroll", "SH-B", "--version", "2016", "--mode", "per-device", "--token-file", str(token))
        assert calward(*asked, CALWARD_SERVER=second.socket).code == Exit.OK
        first = listed(server.url, server.place("fingerprint"))
        host.configure(first, f'{listed(second.url)}\ntoken_file = "{token}"')
        assert "licensing mode: per-user at" in host.found()["servers-disagree"]["evidence"]
        changed = calward("host", "set", "SH-B", "--version", "2022", CALWARD_SERVER=second.socket)
        assert changed.code == Exit.OK, changed
        assert "of version 2019, this host of 2022" in host.found()["server-too-old"]["evidence"]


@pytest.mark.parametrize(
    ("content", "mode", "state"),
    [
        ("calh_x", 0o600, TokenState.USABLE),
        ("calh_x", 0o640, TokenState.OPEN),
        ("two words", 0o600, TokenState.EMPTY),
        ("", 0o600, TokenState.EMPTY),
        (None, 0, TokenState.MISSING),
    ],
)
def test_a_tokens_file_is_judged_without_showing_the_token(host, content, mode, state):
    if content is not None:
        host.token.write_text(content)
        host.token.chmod(mode)
    host.configure(listed(f"unix:{host.folder}/none.sock"))
    facts = host.facts()
    assert facts.servers[0].token.state is state
    assert "calh_x" not in repr(facts)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_the_diagnosis_of_somebody_who_may_not_look_says_so(server):
    with TemporaryDirectory() as place:  # pytest's own folders let nobody else in.
        Path(place).chmod(0o755)
        host = Host(Path(place))
        host.enroll(server)
        host.configure(listed(server.url, server.place("fingerprint")))
        (host.folder / "state").mkdir(mode=0o700)
        os.seteuid(65534)
        try:
            found = host.found()
        finally:
            os.seteuid(0)
    assert set(found) >= {"token-unreadable", "policy-unknown", "state-unwritable"}
    assert "permission denied" in found["token-unreadable"]["evidence"]
    assert "it does not belong to nobody" in found["state-unwritable"]["evidence"]


def test_a_running_agent_is_asked(host, server, monkeypatch):
    host.enroll(server)
    host.configure(listed(server.url, server.place("fingerprint")))
    said = {"agent": "0.0.1", "servers": [{"name": "https://old.example", "heard": False, "trouble": "it is away"}]}
    path = host.folder / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    assert json.loads(connection.recv(4096)) == {"ask": "status"}
                    connection.sendall(json.dumps(said).encode() + b"\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert ask_agent(path, {"ask": "status"}, 2.0) == said
        found = host.found()
        thread.join()
    assert "it still asks https://old.example" in found["agent-outdated"]["evidence"]
    assert found["agent-trouble"]["evidence"] == "it is away"


def test_a_host_with_relay_and_pam_is_in_order_while_its_agent_runs_and_not_afterwards(host, server):
    host.enroll(server, "per-device")
    (host.folder / "pam.d" / "xrdp-sesman").write_text("@include common-account\n@include common-session\n")
    config = str(host.folder / "host.toml")
    with socket.create_server(("127.0.0.1", 0)) as program, socket.create_server(("127.0.0.1", 0)) as free:
        relay = f'listen = "127.0.0.1:{free.getsockname()[1]}"\nhost = "127.0.0.1:{program.getsockname()[1]}"'
        host.configure(listed(server.url, server.place("fingerprint")), more=f"[relay]\n{relay}")
        free.close()
        install = ("agent", "install-pam", "--pam-folder", str(host.folder / "pam.d"), "--config", config, "--yes")
        assert calward(*install).code == Exit.OK
        agent = subprocess.Popen([CALWARD, "agent", "run", "--config", config], stdout=subprocess.PIPE, text=True)
        try:
            assert agent.stdout.readline().startswith("socket: ")
            assert agent.stdout.readline().startswith("relay: ")
            running = {one["id"] for one in json.loads(host.doctor("--json").out)["findings"]}
        finally:
            agent.terminate()
            agent.wait(timeout=30)
            agent.stdout.close()
        stopped = {one["id"] for one in json.loads(host.doctor("--json").out)["findings"]}
    accepted = {"single-server", "server-not-activated"}
    other = {"host-port-public"} if host.facts().listening and _rdp_is_open(host) else set()
    assert running - other == accepted
    assert stopped - other == accepted | {"agent-down", "relay-not-listening"}


def _rdp_is_open(host: Host) -> bool:
    """Whether this machine has a remote desktop server of its own, which is then found too."""
    return any(port == 3389 and not address.startswith("127.") for address, port in host.facts().listening or ())
