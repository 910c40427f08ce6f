"""Several license servers: with a ledger each, a device on both is seen as a duplicate; on one ledger it takes one CAL."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Ran, calward
from tests.support.dev_runs import DevRun, dev_run
from tests.support.running_server import Running, serving

pytestmark = pytest.mark.xdist_group("dev run")
DEVICE = ("--device", "PC1", "--hardware-id", "0a" * 20)


def done(*words: str, at: DevRun | Running) -> Ran:
    ran = calward(*words, "--server", at.socket)
    assert ran.code == 0, ran.err
    return ran


def stock(run: DevRun, version: str, total: int) -> None:
    server = done("server", "show", "--json", at=run).json["id"]
    file = str(Path(run["data"]) / f"{version}.json")
    sale = ("--server", server, "--version", version, "--type", "per-device", "--total", str(total))
    house = str(Path(run["data"]) / "clearinghouse")
    assert calward("clearinghouse", "sign", *sale, "--dir", house, "-o", file).code == 0
    done("pack", "install", file, at=run)


def log_on(run: DevRun, token: Path) -> str:
    """Connect twice with a logon in between: the device is proven and gets a full license."""
    for _ in range(2):
        asked = calward(
            "license", "request", *DEVICE, "--host-token-file", str(token), "--server", run["url"], "--json"
        )
        number = asked.json["license"]["id"]
        calward("license", "confirm", "--host-token-file", str(token), "--license", number, "--server", run["url"])
    return str(number)


def test_a_device_with_cals_on_two_servers_is_a_duplicate(tmp_path: Path) -> None:
    with dev_run(tmp_path / "one") as one, dev_run(tmp_path / "two") as two:
        for number, (run, version) in enumerate(((one, "2019"), (two, "2022"))):
            stock(run, version, 3)
            token = tmp_path / f"token{number}"
            enroll = ("host", "enroll", "TS1", "--version", "2016", "--mode", "per-device", "--token-file", str(token))
            done(*enroll, at=run)
            log_on(run, token)
        both = ("--at", one.socket, "--at", two.socket)
        packs = calward("servers", "packs", *both, "--json").json["items"]
        assert [(pack["version"], pack["total"], pack["issued"]) for pack in packs] == [("2019", 3, 1), ("2022", 3, 1)]
        assert packs[0]["server"] != packs[1]["server"]
        found = calward("servers", "duplicates", *both, "--json")
        assert found.code == 7
        [duplicate] = found.json["items"]
        assert duplicate["label"] == "PC1"
        assert "(2022)" in duplicate["needed"]
        assert "(2019)" in duplicate["spare"][0]
        shown = calward("servers", "duplicates", *both)
        assert "1 CALs are held twice" in shown.err
        alone = calward("servers", "duplicates", "--at", one.socket)
        assert (alone.code, alone.out) == (0, "")
        half = calward("servers", "packs", "--at", one.socket, "--at", "http://127.0.0.1:9")
        assert "2019" in half.out
        assert half.code != 0
        assert "not asked: http://127.0.0.1:9" in half.err


def test_a_server_is_named_with_options_behind_commas() -> None:
    wrong = calward("servers", "packs", "--at", "https://ls1:8460,tokn=x")
    assert wrong.code == 2
    assert "token=FILE" in wrong.err


@pytest.mark.postgresql
def test_replicas_on_one_ledger_give_a_device_one_cal(tmp_path: Path, postgresql_database: Any) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    options = ("--database", str(postgresql_database), "--data-dir", "data")
    with serving(folders[0], *options) as first:
        shutil.copytree(folders[0] / "data", folders[1] / "data", ignore=shutil.ignore_patterns("*.sock"))
        token = tmp_path / "token"
        with serving(folders[1], *options) as second:
            enroll = ("host", "enroll", "TS1", "--version", "2016", "--mode", "per-user", "--token-file", str(token))
            done(*enroll, at=first)
            answers = [
                calward(
                    "license",
                    "request",
                    "--user",
                    "anna",
                    "--host-token-file",
                    str(token),
                    "--server",
                    at.url,
                    "--json",
                )
                for at in (first, second, first)
            ]
            numbers = {answer.json["license"]["id"] for answer in answers}
            assert len(numbers) == 1
            shown = [done("license", "list", "--json", at=at).json["items"] for at in (first, second)]
            assert [[one["id"] for one in items] for items in shown] == [sorted(numbers)] * 2
            assert calward("servers", "duplicates", "--at", first.socket).code == 0
