"""The agent as a process: asked over its socket by PAM's helper, as long as it runs; the helper alone afterwards."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calward.adapters.sessionhost.agent_socket import ask_agent
from calward.adapters.sessionhost.state import Lost, StateFolder
from calward.app.sessionhost.ports import HostPolicy, Memory
from calward.bootstrap import pam
from calward.domain.grace import GraceState
from tests.support.fake_license_server import TOKEN, FakeLicenseServer, dead_url, hanging, serving


class Host:
    """A host's settings in a folder, its agent as a process, its helper as PAM starts it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.socket = folder / "run" / "agent.sock"
        self.agent: subprocess.Popen | None = None
        token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)

    def configure(self, *urls: str, grace_days: int = 0) -> None:
        lines = [
            f'state_dir = "{self.folder}/state"',
            f'token_file = "{self.folder}/token"',
            f"grace_days = {grace_days}",
        ]
        lines += [f'[[server]]\nurl = "{url}"' for url in urls]
        lines += [f'[agent]\nsocket = "{self.socket}"']
        (self.folder / "host.toml").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        self.agent = subprocess.Popen(
            [sys.executable, "-m", "calward", "agent", "run", "--config", str(self.folder / "host.toml")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.agent.stdout.readline() == f"socket: {self.socket}\n"

    def stop(self) -> int:
        agent, self.agent = self.agent, None
        agent.send_signal(signal.SIGTERM)
        agent.stdout.close()
        return agent.wait(timeout=20)

    def helper(self, stack: str, user: str, kind: str = "account", line: str = "xrdp-sesman", remote: str = ""):
        given = {"PAM_USER": user, "PAM_TYPE": kind, "PAM_TTY": line, "PAM_RHOST": remote}
        done = subprocess.run(
            [sys.executable, "-m", "calward.bootstrap.pam", stack, "--config", str(self.folder / "host.toml")],
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.returncode, done.stdout

    def status(self) -> dict:
        done = subprocess.run(
            [sys.executable, "-m", "calward", "agent", "status", "--json", "--config", str(self.folder / "host.toml")],
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else {"exit": done.returncode}


@pytest.fixture
def host(tmp_path):
    found = Host(tmp_path)
    yield found
    if found.agent is not None:
        found.agent.kill()
        found.agent.wait()
        found.agent.stdout.close()


@contextmanager
def too_late(path: Path) -> Iterator[list[dict]]:
    """An agent that hears a question and answers when nobody waits any more; gives what it was asked."""
    path.parent.mkdir(exist_ok=True)
    asked: list[dict] = []
    open_: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def hear() -> None:
            with suppress(OSError):
                while True:
                    open_.append(listener.accept()[0])
                    asked.append(json.loads(open_[-1].makefile("rb").readline()))

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in open_:
                one.close()
            path.unlink()


def has_heard(folder: Path, mode: str) -> None:
    """Have a host's memory hold what a license server said, and no grace."""
    heard = HostPolicy("2022", mode, 0, datetime.now(UTC).replace(microsecond=0))
    ended = GraceState(heard.heard_at, heard.heard_at, observed_at=heard.heard_at)
    memory = StateFolder(folder / "state", lost=Lost.NO_GRACE, complain=pytest.fail, time_left=lambda: 1)
    memory.change("", lambda _: (Memory(grace=ended, policy=heard), None))


def test_per_device_the_helper_of_an_agent_that_is_late_asks_no_server_about_the_user_and_says_what_is_true(host):
    fake = FakeLicenseServer(cals=1, mode="per-device")
    has_heard(host.folder, "per-device")
    with serving(fake) as url, too_late(host.socket):
        host.configure(url)
        code, text = host.helper("account", "alice")
        assert host.helper("account", "root")[0] == 0
    assert code == 1
    assert "the agent of this host, which knows the devices, does not answer" in text
    assert "license server" not in text
    assert fake.asked == []


def test_per_device_the_agent_has_the_time_that_the_helper_does_not_need(host, monkeypatch):
    given: dict[str, float] = {}
    mode = ""

    def ask(_socket: Path, _question: dict, seconds: float) -> dict:
        given[mode] = seconds
        return {"exit": 0, "say": []}

    monkeypatch.setattr(pam, "ask_agent", ask)
    monkeypatch.setattr(pam, "age_seconds", lambda: 0.0)
    host.configure(dead_url())
    for mode in ("per-user", "per-device"):
        has_heard(host.folder, mode)
        assert pam.run_pam("account", host.folder / "host.toml", {"PAM_USER": "alice"}) == 0
    assert given["per-device"] - given["per-user"] > 0.2


def test_the_helper_asks_the_agent_and_the_user_reads_why(host):
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url)
        host.start()
        assert host.helper("account", "alice") == (0, "")
        code, text = host.helper("account", "bob")
    assert (code, "no CAL that opens this host is free" in text) == (1, True)


def test_a_helper_decides_alone_when_no_agent_listens_and_says_the_same(host):
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url)
        host.start()
        assert host.helper("account", "alice")[0] == 0
        assert host.stop() == 0
        assert not host.socket.exists()
        assert host.helper("account", "alice")[0] == 0
        assert host.helper("account", "bob")[0] == 1
    assert host.status() == {"exit": 6}


def test_a_session_is_bound_and_told_to_the_license_server_by_the_next_agent(host):
    fake = FakeLicenseServer(cals=1)
    with serving(fake) as url:
        host.configure(url)
        host.start()
        host.helper("account", "alice")
        host.helper("session", "alice", "open_session", "ssh")
        assert host.status()["sessions"] == 1
        host.stop()
        fake.asked.clear()
        host.start()
        host.stop()  # Not before the first heartbeat: it runs to its end.
    told = next(body for path, body in fake.asked if path.endswith("host:heartbeat"))
    assert [(one["user"], one["line"], one["license"]) for one in told["sessions"]] == [("alice", "ssh", "L1")]


def test_the_agent_knows_its_users_while_every_server_is_down(host):
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url)
        host.start()
        host.helper("account", "alice")
        host.stop()
    host.configure(dead_url())
    host.start()
    assert host.helper("account", "alice")[0] == 0
    assert host.helper("account", "bob")[0] == 1


def test_on_a_host_licensed_per_device_a_user_without_the_relay_is_refused_and_root_is_not(host):
    with serving(FakeLicenseServer(mode="per-device")) as url:
        host.configure(url)
        host.start()
        code, text = host.helper("account", "alice", remote="127.64.0.1")
        assert (code, "did not come through its licensing relay" in text) == (1, True)
        assert host.helper("account", "root")[0] == 0


def test_silent_and_babbling_programs_do_not_hinder_others(host):
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url)
        host.start()
        silent = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for number, one in enumerate(silent):
            one.connect(str(host.socket))
            one.sendall([b"", b"{", b"x" * 20_000][number % 3])
        assert host.helper("account", "alice") == (0, "")
        for one in silent:
            one.close()
        assert ask_agent(host.socket, {"ask": "nonsense"}, 5) == {"error": "no such question"}


def test_the_socket_is_for_its_owner_only_and_a_second_agent_does_not_take_it(host):
    host.configure()
    host.start()
    assert host.socket.stat().st_mode & 0o777 == 0o600
    second = subprocess.run(
        [sys.executable, "-m", "calward", "agent", "run", "--config", str(host.folder / "host.toml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (second.returncode, "another agent listens" in second.stderr) == (4, True)


def test_an_agent_that_waits_for_a_server_leaves_the_helper_its_time(host):
    with hanging() as url:
        host.configure(url, grace_days=10)
        host.start()
        code, text = host.helper("account", "alice")
    assert (code, "10 days left" in text) == (0, True)
