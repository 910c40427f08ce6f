"""The whole way of a user's logon: real libpam, the helper, ``calward serve`` in a process of its own, a pack signed by a clearinghouse."""

import json
import signal
from pathlib import Path

import pytest

from tests.support.command_line import calward
from tests.support.dev_runs import dev_run
from tests.support.pam_host import pam_host, pam_marks

pytestmark = [*pam_marks, pytest.mark.slow, pytest.mark.xdist_group("dev run")]

CALS = 2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with dev_run(tmp_path_factory.mktemp("run") / "data") as found:
        install_pack(found)
        enforce = calward("server", "set", "per_user=enforce", "--server", found.socket)
        assert enforce.code == 0, enforce.err
        yield found


def install_pack(run) -> None:
    """Sell and install two per-user CALs, as files."""
    house = str(Path(run["data"]) / "clearinghouse")
    server = calward("server", "show", "--json", "--server", run.socket).json["id"]
    file = str(Path(run["data"]) / "pack.json")
    sale = ("--server", server, "--version", "2022", "--type", "per-user", "--total", str(CALS))
    signed = calward("clearinghouse", "sign", *sale, "--dir", house, "-o", file)
    assert signed.code == 0, signed.err
    installed = calward("pack", "install", file, "--server", run.socket)
    assert installed.code == 0, installed.err


@pytest.fixture
def host(run, tmp_path):
    file = tmp_path / "enrolled.token"
    name = f"SH-{tmp_path.name[-8:]}".replace("_", "-").strip("-")
    enrolled = calward(
        "host",
        "enroll",
        name,
        "--version",
        "2019",
        "--mode",
        "per-user",
        "--token-file",
        str(file),
        "--server",
        run.socket,
    )
    assert enrolled.code == 0, enrolled.err
    with pam_host(tmp_path) as found:
        found.use_token(file.read_text().strip())
        found.configure(run["url"], grace_days=0)
        yield found


def test_users_get_in_until_the_packs_are_used_up_and_the_next_one_reads_why(host, run):
    assert [host.account(user)[0] for user in ("alice", "bob", "carol")] == [True, True, False]
    let_in, text, _ = host.account("carol")
    assert not let_in
    assert "no CAL that opens this host is free" in text
    assert host.account("alice")[0], "who holds a CAL keeps it"
    [alice] = calward("license", "list", "--holder", "alice", "--json", "--server", run.socket).json["items"]
    released = calward("license", "release", alice["id"], "--server", run.socket)
    assert released.code == 0, released.err
    assert host.account("carol")[0], "a released CAL is free at once"
    assert json.loads(calward("audit", "verify", "--json", "--server", run.socket).out)["holds"]


def test_a_license_server_that_stops_lets_users_in_with_the_license_they_were_seen_with(host, run):
    user = "bob"
    assert host.account(user)[0]
    run.stop(signal.SIGTERM)
    let_in, _, seconds = host.account(user)
    assert let_in
    assert seconds < 2.0
    assert not host.account("dave")[0], "without a grace period a stranger stays out"
