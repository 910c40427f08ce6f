"""The agent's decisions about devices, joined with the users that come with them; one process, a license server that is a fake."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from calward.adapters.sessionhost.config import load_host_config
from calward.app.sessionhost.check_device import DeviceQuestion
from calward.bootstrap.agent import make_desk
from calward.entrypoints.agent.desk import Desk
from calward.entrypoints.agent.outside import Holders
from tests.support.fake_license_server import TOKEN, FakeLicenseServer, serving
from tests.support.journals import Lines

HARDWARE = bytes.fromhex("00000104") + bytes(range(16))
CONNECTION = "127.64.0.9"


class PerDevice(FakeLicenseServer):
    def _request(self, body):
        return super()._request({"user": body["device"]["hardware_id"]})

    def answer(self, path, body, token):
        if path.endswith("licenses:request"):
            self.asked.append((path, body))
            status, said = self._request(body)
            if said["license"]:
                said["license"]["type"] = "per-device"
            return status, said
        return super().answer(path, body, token)


@contextmanager
def host(folder: Path, fake: FakeLicenseServer, lines: Lines) -> Iterator[Desk]:
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    with serving(fake) as url:
        (folder / "host.toml").write_text(
            f'state_dir = "{folder}/state"\ntoken_file = "{folder}/token"\ngrace_days = 0\n[[server]]\nurl = "{url}"\n'
        )
        made = make_desk(load_host_config(folder / "host.toml"), lines)
        yield made
        made.stop()


@pytest.fixture
def agent(tmp_path: Path):
    fake = PerDevice(mode="per-device", cals=1)
    with host(tmp_path, fake, Lines()) as made:
        yield made, fake


def pam(agent: Desk, stack: str, kind: str, line: str, remote: str = CONNECTION) -> dict:
    asked = {"ask": "pam", "seconds": 2, "stack": stack, "type": kind, "user": "alice", "line": line, "remote": remote}
    return asyncio.run(agent.answer(asked, 1))


def connect(agent: Desk, hardware: bytes = HARDWARE):
    return asyncio.run(agent.decide(DeviceQuestion(hardware, "PC1", None, CONNECTION, "192.0.2.1")))


def test_a_user_comes_in_with_an_admitted_device_whose_license_is_confirmed_and_told(agent):
    made, fake = agent
    assert connect(made).admission.license.id == "L1"
    assert pam(made, "account", "account", "xrdp-sesman") == {"exit": 0, "say": []}
    assert pam(made, "session", "open_session", ":10")["exit"] == 0
    assert ("/api/v1/licenses:confirm", {"license": "L1"}) in fake.asked
    made.beat()
    told = next(body for path, body in fake.asked if path.endswith("heartbeat"))["sessions"]
    assert [(one["user"], one["license"], one["hardware_id"]) for one in told] == [("alice", "L1", HARDWARE.hex())]


def test_a_device_too_many_is_refused_and_its_connection_lets_no_user_in(agent):
    made, _ = agent
    connect(made)
    made.ended(CONNECTION)
    assert connect(made, bytes(4) + bytes(range(1, 17))).admission.reasons == ("no-cal-free",)
    assert pam(made, "account", "account", "xrdp-sesman")["exit"] == 1


def test_the_connection_that_ended_lets_nobody_in_any_more(agent):
    made, _ = agent
    connect(made)
    assert pam(made, "account", "account", "x")["exit"] == 0
    made.ended(CONNECTION)
    assert pam(made, "account", "account", "x")["exit"] == 1


def test_the_device_of_a_session_is_still_known_when_the_agent_starts_anew(agent, tmp_path):
    made, fake = agent
    connect(made)
    pam(made, "account", "account", "xrdp-sesman")
    pam(made, "session", "open_session", ":10")
    made.stop()
    fake.asked.clear()
    again = make_desk(load_host_config(tmp_path / "host.toml"), Lines())
    try:
        again.beat()
        told = next(body for path, body in fake.asked if path.endswith("heartbeat"))["sessions"]
        assert [(one["line"], one["user"], one["license"], one["hardware_id"]) for one in told] == [
            (":10", "alice", "L1", HARDWARE.hex())
        ]
        pam(again, "session", "close_session", ":10")
        fake.asked.clear()
        again.beat()
        assert next(body for path, body in fake.asked if path.endswith("heartbeat"))["sessions"] == []
    finally:
        again.stop()


def test_a_device_with_which_somebody_has_logged_on_is_no_stranger_any_more(agent, tmp_path):
    made, fake = agent
    fake.full_status = "temporary"
    connect(made)
    [path] = (tmp_path / "state" / "devices").glob("*.json")
    assert json.loads(path.read_text())["proven"] is False
    pam(made, "account", "account", "xrdp-sesman")
    made._proving.finish()
    assert json.loads(path.read_text())["proven"] is True


def test_a_logon_that_the_host_has_accepted_itself_proves_its_device(agent, tmp_path):
    made, fake = agent
    fake.full_status = "temporary"
    connect(made)
    made.logged_on("127.64.0.10")
    made.logged_on("")
    made.logged_on(CONNECTION)
    made._proving.finish()
    assert [body for path, body in fake.asked if path.endswith("confirm")] == [{"license": "L1"}]
    [path] = (tmp_path / "state" / "devices").glob("*.json")
    assert json.loads(path.read_text())["proven"] is True


def test_what_goes_well_is_told_at_debug_and_a_refusal_is_news(tmp_path):
    lines, fake = Lines(), PerDevice(mode="per-device", cals=1)
    with host(tmp_path, fake, lines) as made:
        connect(made)
        assert [level for level, _ in lines.all] == ["debug"]
        assert "peer=192.0.2.1 connection=127.64.0.9 outcome=granted" in lines.all[0][1]
        connect(made, bytes(4) + bytes(range(1, 17)))
        assert [level for level, _ in lines.all] == ["debug", "info"]


def test_devices_beyond_the_cap_do_not_fill_the_disk(tmp_path):
    fake = PerDevice(mode="per-device", cals=10_000, full_status="temporary")
    with host(tmp_path, fake, Lines()) as made:
        made._settings = replace(made._settings, most={Holders.DEVICES: 100, Holders.USERS: 100})
        for number in range(520):
            connect(made, bytes(4) + number.to_bytes(16, "big"))
        made._own.shutdown(wait=True)
        # Looked at after 256 and 512 of them: 90 were left each time, and some had come meanwhile.
        assert len(list((tmp_path / "state" / "devices").glob("*.json"))) < 256
