"""The agent's decisions about devices, joined with the users that come with them; one process, a license server that is a fake."""

import asyncio
from pathlib import Path

import pytest

from calward.adapters.host_config import load_host_config
from calward.app.sessionhost.check_device import DeviceQuestion
from calward.bootstrap_agent import make_desk
from calward.entrypoints.agent.desk import Desk
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


@pytest.fixture
def agent(tmp_path: Path):
    fake = PerDevice(mode="per-device", cals=1)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    with serving(fake) as url:
        (tmp_path / "host.toml").write_text(
            f'state_dir = "{tmp_path}/state"\ntoken_file = "{tmp_path}/token"\ngrace_days = 0\n[[server]]\nurl = "{url}"\n'
        )
        made = make_desk(load_host_config(tmp_path / "host.toml"), Lines())
        yield made, fake
        made.stop()


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
