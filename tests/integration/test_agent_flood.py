"""Two hundred questions at once while the license server hangs: each has its answer in time, by what the host knows itself."""

import asyncio
import json
import time
from contextlib import contextmanager

import pytest

from calward.adapters.sessionhost.agent_socket import peer_of
from calward.adapters.sessionhost.config import load_host_config
from calward.app.sessionhost.check_device import DeviceQuestion
from calward.bootstrap.agent import make_desk
from calward.domain.grace import HostOutcome
from calward.entrypoints.agent.door import Door
from tests.support.fake_license_server import TOKEN, FakeLicenseServer, dead_url, serving
from tests.support.journals import Lines

pytestmark = pytest.mark.xdist_group("agent_flood")
MANY = 200
KNOWN = 100
"""So many of them have a license from before."""


class Server(FakeLicenseServer):
    """Gives devices what the fake gives users."""

    def _request(self, body):
        device = body.get("device")
        status, said = super()._request({"user": device["hardware_id"]} if device else body)
        if device and said["license"]:
            said["license"]["type"] = "per-device"
        return status, said

    def answer(self, path, body, token):
        self.asked.append((path, body))
        self.speaks.wait(60)
        return self._request(body) if path.endswith("licenses:request") else super().answer(path, body, token)


@contextmanager
def desk(folder, fake, *others: str, **agent):
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    with serving(fake) as url:
        listed = "".join(f'[[server]]\nurl = "{one}"\n' for one in (url, *others))
        table = "".join(f"{key} = {value}\n" for key, value in agent.items())
        (folder / "host.toml").write_text(
            f'state_dir = "{folder}/state"\ntoken_file = "{folder}/token"\ngrace_days = 0\n{listed}[agent]\n{table}'
        )
        lines = Lines()
        made = make_desk(load_host_config(folder / "host.toml"), lines)
        yield made, lines
        fake.speaks.set()
        made.stop()


def device(number: int) -> DeviceQuestion:
    return DeviceQuestion(bytes(4) + number.to_bytes(16, "big"), f"PC{number}", None, f"127.64.1.{number}", "192.0.2.1")


def logon(number: int, seconds: float = 2) -> dict:
    asked = {"ask": "pam", "seconds": seconds, "stack": "account", "type": "account", "line": "xrdp-sesman"}
    return {**asked, "user": f"user{number}", "remote": "192.0.2.7"}


LOOP = asyncio.Runner()
"""One for all questions, as the agent has one."""


@pytest.fixture(scope="module", autouse=True)
def _loop():
    yield
    LOOP.close()


def on_loop(waiting):
    return LOOP.run(waiting)


async def timed(waiting):
    begun = time.monotonic()
    return await waiting, time.monotonic() - begun


async def all_at_once(ask, many: int):
    return await asyncio.gather(*(timed(ask(number)) for number in range(many)))


def test_two_hundred_devices_are_answered_within_three_seconds_each_and_the_known_ones_let_in(tmp_path):
    fake = Server(mode="per-device", cals=MANY)
    with desk(tmp_path, fake) as (made, lines):
        for first in range(0, KNOWN, 10):
            before = on_loop(all_at_once(lambda number, first=first: made.decide(device(first + number)), 10))
            assert {verdict.admission.outcome for verdict, _ in before} == {HostOutcome.GRANTED}
        fake.speaks.clear()
        found = on_loop(all_at_once(lambda number: made.decide(device(number)), MANY))
    outcomes = [verdict.admission.outcome for verdict, _ in found]
    assert outcomes == [HostOutcome.GRANTED] * KNOWN + [HostOutcome.REFUSED] * (MANY - KNOWN)
    assert {verdict.no_server for verdict, _ in found[KNOWN:]} == {True}
    assert max(seconds for _, seconds in found) < 3.0
    assert len([line for line in lines.of("warning") if "asked after the others" in line]) == 1


def test_two_hundred_users_are_answered_within_two_seconds_each_and_the_known_ones_let_in(tmp_path):
    fake = Server(cals=MANY)
    with desk(tmp_path, fake) as (made, _):
        for first in range(0, KNOWN, 10):
            before = on_loop(all_at_once(lambda number, first=first: made.answer(logon(first + number), 1), 10))
            assert {answer["exit"] for answer, _ in before} == {0}
        fake.speaks.clear()
        found = on_loop(all_at_once(lambda number: made.answer(logon(number), 1), MANY))
    assert [answer["exit"] for answer, _ in found] == [0] * KNOWN + [1] * (MANY - KNOWN)
    assert max(seconds for _, seconds in found) < 2.0


def test_two_hundred_programs_at_the_door_are_all_answered_in_time(tmp_path):
    async def ask(number: int) -> dict:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "sock")
        writer.write(json.dumps(logon(number)).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return answer

    async def at_the_door(made):
        door = Door(tmp_path / "sock", made.answer, peer_of)
        await door.open()
        try:
            return await all_at_once(ask, MANY)
        finally:
            await door.close()

    fake = Server(cals=MANY)
    with desk(tmp_path, fake) as (made, _):
        on_loop(made.answer(logon(0), 1))
        fake.speaks.clear()
        found = on_loop(at_the_door(made))
    assert [answer["exit"] for answer, _ in found] == [0] + [1] * (MANY - 1)
    assert max(seconds for _, seconds in found) < 2.0


def test_a_server_that_hangs_in_a_request_is_asked_after_the_others_at_once_and_comes_back(tmp_path):
    first, second = Server(cals=0), Server(cals=10)
    with serving(second) as other, desk(tmp_path, first, other) as (made, lines):
        on_loop(made.answer(logon(1), 1))  # The host hears what it is.
        first.speaks.clear()
        answer, slow = on_loop(timed(made.answer(logon(2), 1)))
        assert answer["exit"] == 0
        assert slow > 0.5, "it was waited for once"
        first.asked.clear()
        answer, fast = on_loop(timed(made.answer(logon(3), 1)))
        assert (answer["exit"], first.asked) == (0, [])
        assert fast < slow
        first.speaks.set()
        made.beat()
        on_loop(made.answer(logon(4), 1))
        assert any(path.endswith("licenses:request") for path, _ in first.asked)
    assert [line.partition(" did not")[0] for line in lines.of("warning")] == [f"license server {first.url}"]
    assert lines.of("info") == [f"license server {first.url} answers again"]


def test_while_no_server_listens_at_all_nobody_waits(tmp_path):
    with desk(tmp_path, Server(), dead_url()) as (made, _):
        on_loop(made.answer(logon(1), 1))
    (tmp_path / "host.toml").write_text(
        f'state_dir = "{tmp_path}/state"\ntoken_file = "{tmp_path}/token"\n[[server]]\nurl = "{dead_url()}"\n'
    )
    made = make_desk(load_host_config(tmp_path / "host.toml"), Lines())
    try:
        answer, seconds = on_loop(timed(made.answer(logon(1), 1)))
    finally:
        made.stop()
    assert answer["exit"] == 0
    assert seconds < 1.0
