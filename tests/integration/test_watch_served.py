"""Does a watcher of a running license server tell what happens there, each change once, until it is told to end?"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from calward.entrypoints.cli.common.exit_codes import Exit
from tests.support.command_line import calward
from tests.support.estate import Estate, an_estate
from tests.support.notice_receivers import a_webhook

pytestmark = pytest.mark.slow
THRESHOLD = """
settle = "0s"

[[threshold]]
measure = "free"
version = "2022"
error = 0

[webhook]
url = "{url}"
secret_file = "secret"
"""
KEY = "threshold-free@2022/per-user"
HOST = ("--version", "2022", "--mode", "per-user")


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with an_estate(tmp_path) as made:
        made.serve_clearinghouse()
        made.serve("ls1")
        yield made


class Watching:
    """A watcher in a process of its own; ``told``: each change that it has told, in order."""

    def __init__(self, estate: Estate, config: Path) -> None:
        self._where = ("--server", f"unix:{estate.servers['ls1'].places['socket']}")
        self._environment = {"XDG_STATE_HOME": str(estate.folder / "state"), "XDG_DATA_HOME": str(estate.folder)}
        self._config = ("--config", str(config), "--json")
        self.told: list[tuple[str, str]] = []

    @contextmanager
    def every_second(self) -> Iterator[subprocess.Popen[str]]:
        arguments = [sys.executable, "-m", "calward", "watch", *self._where, *self._config, "--every", "1s"]
        options = {"env": os.environ | self._environment, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, **options) as running:
            try:
                yield running
            finally:
                if running.poll() is None:
                    running.kill()

    def once(self):
        return calward("watch", *self._where, *self._config, "--once", **self._environment)

    def until(self, running: subprocess.Popen[str], change: str, key: str) -> None:
        """Read what is told until this is."""
        while (change, key) not in self.told:
            line = running.stdout.readline()
            assert line, running.stderr.read()
            self.told += [(one["change"], one["key"]) for one in json.loads(line)["changes"]]


@pytest.fixture
def hook():
    with a_webhook([200] * 100) as made:
        yield made


@pytest.fixture
def watching(estate, hook):
    config = estate.folder / "watch.toml"
    config.write_text(THRESHOLD.format(url=hook.url))
    secret = estate.folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("whsec-of-the-test\n")
    return Watching(estate, config)


def done(ran):
    assert ran.code == Exit.OK, ran
    return ran


def activate(estate):
    done(estate.at("ls1", "server", "activate", "--clearinghouse", estate.url))


def install(estate, quantity):
    done(estate.at("ls1", "pack", "install", "--program", "retail", *estate.buy("retail", "2022", quantity)))


def log_on(estate, *users):
    token = estate.folder / "host.token"
    if not token.exists():
        done(estate.at("ls1", "host", "enroll", "SH1", *HOST, "--token-file", str(token)))
    for user in users:
        done(estate.at("ls1", "license", "request", "--host-token-file", str(token), "--user", user))


def test_each_change_is_told_once_until_sigterm(estate, watching, hook):
    with watching.every_second() as running:
        watching.until(running, "new", "server-not-activated@ls1")
        activate(estate)
        watching.until(running, "gone", "server-not-activated@ls1")
        install(estate, 2)
        log_on(estate, "alice", "bob")
        watching.until(running, "new", KEY)
        install(estate, 20)
        watching.until(running, "gone", KEY)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == Exit.OK
    assert [change for change, key in watching.told if key == KEY] == ["new", "gone"]
    assert len(set(watching.told)) == len(watching.told)
    posted = [(one["change"], one["key"]) for post in hook.posts for one in json.loads(post.body)["changes"]]
    assert posted == watching.told
    assert all(post.is_signed_with("whsec-of-the-test") for post in hook.posts)


def test_what_happens_between_two_looks_is_told_at_the_second(estate, watching):
    activate(estate)
    install(estate, 2)
    watching.once()
    log_on(estate, "alice", "bob")
    second = watching.once()
    assert second.code == Exit.FINDINGS
    assert ("new", KEY) in [(one["change"], one["key"]) for one in second.json["changes"]]
    third = watching.once()
    assert (third.code, third.out) == (Exit.OK, "")


def test_a_second_watcher_is_refused_and_says_why_and_the_first_goes_on(estate, watching):
    with watching.every_second() as running:
        watching.until(running, "new", "server-not-activated@ls1")
        second = watching.once()
        assert second.code == Exit.REFUSED
        assert "another calward watch tells about ls1 already" in second.err
        with watching.every_second() as also:
            assert also.wait(timeout=30) == Exit.REFUSED, "it would be so at each look"
            assert also.stdout.read() == ""
        activate(estate)
        watching.until(running, "gone", "server-not-activated@ls1")
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == Exit.OK
    assert watching.once().code == Exit.OK


def test_a_server_that_is_down_for_a_while_is_told_on_standard_error_and_looked_at_again(estate, watching):
    with watching.every_second() as running:
        watching.until(running, "new", "server-not-activated@ls1")
        estate.servers["ls1"].end()
        assert "it is tried again at the next look" in running.stderr.readline()
        estate.servers["ls1"].start()
        activate(estate)
        watching.until(running, "gone", "server-not-activated@ls1")
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == Exit.OK


def test_the_server_s_own_metrics_tell_how_many_findings_there_are(estate):
    estate.servers["ls1"].end()
    estate.servers["ls1"].environment["CALWARD_FINDINGS_EVERY_SECONDS"] = "1"
    estate.servers["ls1"].start()
    url = estate.servers["ls1"].places["url"]

    def told():
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            return answer.read().decode().splitlines()

    def wait_for(line):
        while line not in told():
            time.sleep(0.1)

    wait_for('calward_check_findings{check="server-not-activated"} 1.0')
    activate(estate)
    wait_for('calward_check_findings{check="server-not-activated"} 0.0')
    assert any(line.startswith('calward_findings{severity="warning"} ') for line in told())


def test_a_server_can_be_told_not_to_count_findings(estate):
    estate.servers["ls1"].end()
    estate.servers["ls1"].environment["CALWARD_FINDINGS_EVERY_SECONDS"] = "0"
    estate.servers["ls1"].start()
    time.sleep(1)
    with urllib.request.urlopen(f"{estate.servers['ls1'].places['url']}/metrics") as answer:
        assert b"calward_findings" not in answer.read()
