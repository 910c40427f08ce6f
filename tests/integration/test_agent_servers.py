"""A host with two license servers, each as users start it: who gives what, and what is recorded where."""

import asyncio
from contextlib import contextmanager
from pathlib import Path

import pytest

from calward.adapters.network.http_exchange import Address
from calward.adapters.network.license_server_client import LicenseServerClient
from calward.adapters.sessionhost.config import load_host_config
from calward.app.sessionhost.check_device import DeviceQuestion
from calward.bootstrap.agent import make_desk
from tests.support.command_line import calward
from tests.support.dev_runs import dev_run
from tests.support.journals import Lines

pytestmark = pytest.mark.xdist_group("dev run")
CONNECTION = "127.64.0.9"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The first of the list: activated, without any CAL."""
    with dev_run(tmp_path_factory.mktemp("first") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """The second, with one CAL of each type."""
    with dev_run(tmp_path_factory.mktemp("second") / "data") as found:
        server = done("server", "show", "--json", at=found).json["id"]
        for kind in ("per-user", "per-device"):
            file = str(Path(found["data"]) / f"{kind}.json")
            house = str(Path(found["data"]) / "clearinghouse")
            sale = ("--server", server, "--version", "2022", "--type", kind, "--total", "1")
            assert calward("clearinghouse", "sign", *sale, "--dir", house, "-o", file).code == 0
            done("pack", "install", file, at=found)
        yield found


def done(*words: str, at):
    ran = calward(*words, "--server", at.socket)
    assert ran.code == 0, ran.err
    return ran


def licenses(run, holder: str) -> list[tuple[str, str]]:
    found = done("license", "list", "--holder", holder, "--json", at=run).json["items"]
    return [(one["type"], one["status"]) for one in found]


@contextmanager
def host(folder: Path, name: str, mode: str, *runs):
    """The agent of a host that is enrolled at each server of its list."""
    servers = ""
    for number, run in enumerate(runs):
        token = folder / f"token{number}"
        done("host", "enroll", name, "--version", "2019", "--mode", mode, "--token-file", str(token), at=run)
        servers += f'[[server]]\nurl = "{run["url"]}"\ntoken_file = "{token}"\n'
    (folder / "host.toml").write_text(f'state_dir = "{folder}/state"\ngrace_days = 0\ndeadline_seconds = 10\n{servers}')
    desk = make_desk(load_host_config(folder / "host.toml"), Lines())
    try:
        desk.beat()
        yield desk
    finally:
        desk.stop()


def logon(desk, user: str) -> int:
    asked = {"ask": "pam", "seconds": 10, "stack": "account", "type": "account", "user": user}
    return asyncio.run(desk.answer({**asked, "line": "xrdp-sesman", "remote": CONNECTION}, 1))["exit"]


def connect(desk, number: int, name: str):
    question = DeviceQuestion(bytes(4) + number.to_bytes(16, "big"), name, None, CONNECTION, "192.0.2.1")
    return asyncio.run(desk.decide(question)).admission


def test_a_users_cal_comes_from_the_server_that_has_one_and_the_first_records_nothing(tmp_path, empty, stocked):
    done("server", "set", "per_user=enforce", at=empty)
    with host(tmp_path, "SH-users", "per-user", empty, stocked) as desk:
        assert logon(desk, "alice") == 0
        assert (licenses(empty, "alice"), licenses(stocked, "alice")) == ([], [("per-user", "active")])
        assert logon(desk, "bob") == 1, "no server has a CAL, and the first one answers no"
        assert (licenses(empty, "bob"), licenses(stocked, "bob")) == ([], [])
        done("server", "set", "per_user=track", at=empty)
        assert logon(desk, "bob") == 0
        assert (licenses(empty, "bob"), licenses(stocked, "bob")) == ([("per-user", "over-used")], [])
        assert logon(desk, "alice") == 0, "who holds a CAL at the second keeps it there"
        assert (licenses(empty, "alice"), licenses(stocked, "alice")) == ([], [("per-user", "active")])


def test_a_device_is_proven_at_the_server_that_gave_its_temporary_license_and_only_there(tmp_path, empty, stocked):
    with host(tmp_path, "SH-devices", "per-device", empty, stocked) as desk:
        assert connect(desk, 1, "PC-one").license.status == "temporary"
        assert (licenses(empty, "PC-one"), licenses(stocked, "PC-one")) == ([("per-device", "temporary")], [])
        assert logon(desk, "carol") == 0
        desk._proving.finish()
        assert connect(desk, 1, "PC-one").license.status == "temporary", "the second server has never seen it"
        assert licenses(stocked, "PC-one") == []


def test_a_device_that_the_second_server_knows_gets_its_cal_there_though_the_first_is_asked_first(
    tmp_path, empty, stocked
):
    with host(tmp_path, "SH-later", "per-device", empty, stocked) as desk:
        token = (tmp_path / "token1").read_text().strip()
        second = LicenseServerClient(Address.parse(stocked["url"]), token)
        device = (bytes(4) + (2).to_bytes(16, "big")).hex()
        first_contact = second.request_for_device("PC-two", device, "first-contact", full_only=False, seconds=10)
        second.confirm(first_contact.license.id, seconds=10)
        found = connect(desk, 2, "PC-two")
        assert (found.license.status, found.license.server) == ("active", stocked["url"])
        assert licenses(empty, "PC-two") == []
        answers = [
            second.request_for_device("PC-two", device, "again.full", full_only=True, seconds=10) for _ in range(2)
        ]
        assert answers[0].license.id == answers[1].license.id == found.license.id
        assert answers[0].signed == answers[1].signed
