"""Does ``./dev run`` give a newcomer a license server that works, from the set-up link to a full license and a verified trail?"""

import json
import re
import signal
import time
from pathlib import Path

import httpx2
import pytest

from tests.support.command_line import calward
from tests.support.dev_runs import alive, dev_run
from tests.support.running_server import serving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dev run")]  # Starts servers; one at a time is enough.

DEVICE = {"name": "PC1", "hardware_id": "c0ffee"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with dev_run(tmp_path_factory.mktemp("run") / "data") as found:
        yield found


@pytest.fixture
def web():
    with httpx2.Client(trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def administrator(run) -> dict[str, str]:
    """What the set-up page gives, as headers; also the journey's first step."""
    url, _, code = run["setup"].partition("?code=")
    with httpx2.Client(trust_env=False) as client:
        assert code in client.get(run["setup"]).text
        page = client.post(url, data={"code": code, "name": "first"})
        assert page.status_code == 200
        [token] = set(re.findall(r"cala_[\w-]+", page.text))
        assert client.post(url, data={"code": code, "name": "second"}).status_code == 400
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def host_token(run, administrator, tmp_path_factory) -> Path:
    """A host enrolled by the command line over the local socket."""
    file = tmp_path_factory.mktemp("host") / "sh1.token"
    command = ("host", "enroll", "SH1", "--version", "2019", "--mode", "per-device", "--token-file", str(file))
    assert calward(*command, "--server", run.socket).code == 0
    return file


@pytest.fixture(scope="module")
def pack(run) -> str:
    """A pack bought at the running clearinghouse and installed; its id."""
    house = str(Path(run["data"]) / "clearinghouse")
    seller = calward("clearinghouse", "operator", "shop", "--dir", house, "--json").json["token"]
    sale = {
        "order": "1",
        "server_id": calward("server", "show", "--json", "--server", run.socket).json["id"],
        "ladder": "windows-server",
        "version": "2022",
        "cal_type": "per-device",
        "total": 2,
    }
    with httpx2.Client(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {seller}"}
        signed = client.post(f"{run['clearinghouse']}/v1/key-packs", json=sale, headers=headers)
        assert signed.status_code == 200, signed.text
    file = Path(run["data"]) / "pack.json"
    file.write_bytes(signed.content)
    ran = calward("pack", "install", str(file), "--json", "--server", run.socket)
    assert ran.json["outcome"] == "installed", ran.err
    return str(ran.json["pack"]["id"])


def test_it_says_where_everything_is_and_what_to_try(run):
    assert {"url", "socket", "setup", "clearinghouse", "data", "try", "then", "and"} <= set(run.places)
    assert run["url"].startswith("http://127.0.0.1:")
    assert run["try"].endswith(f"calward status --server {run.socket}")


def test_the_set_up_link_makes_an_administrator_once(run, web, administrator):
    status = web.get(f"{run['url']}/api/v1/status", headers=administrator)
    assert status.status_code == 200
    assert "line" in status.json()
    assert web.get(f"{run['url']}/api/v1/status").status_code == 401


def test_the_local_socket_needs_no_token_and_the_server_is_activated(run):
    found = calward("server", "show", "--json", "--server", run.socket).json
    assert found["activated"]
    assert found["blocked"] is None


def test_a_device_gets_a_temporary_license_then_a_full_one_and_the_decision_is_explained(run, pack, host_token):
    ask = ("license", "request", "--host-token-file", str(host_token), "--server", run["url"], "--json")
    device = ("--device", DEVICE["name"], "--hardware-id", DEVICE["hardware_id"])
    first = calward(*ask, *device).json
    assert (first["license"]["status"], first["reason"]) == ("temporary", ["first-contact"])
    confirm = ("license", "confirm", "--host-token-file", str(host_token), "--server", run["url"], "--json")
    assert calward(*confirm, "--license", first["license"]["id"]).json["outcome"] == "confirmed"
    second = calward(*ask, *device).json["license"]
    assert (second["status"], second["version"], second["pack"]) == ("active", "2022", pack)
    explained = calward("explain", calward(*ask, *device).json["decision"], "--json", "--server", run.socket)
    assert explained.code == 0
    assert "2022" in explained.out


def test_the_audit_trail_holds(run, pack, host_token):
    ran = calward("audit", "verify", "--json", "--server", run.socket)
    assert (ran.code, ran.json["holds"]) == (0, True)


def test_a_second_run_beside_the_first_takes_other_ports_and_says_so(run, tmp_path):
    port = run["url"].rpartition(":")[2]
    with dev_run(tmp_path / "data", "--port", port) as other:
        assert other["url"] != run["url"]
        assert port in other["note"]


def test_a_second_start_goes_on_where_the_first_was_and_each_end_leaves_nothing(tmp_path):
    folder, ids = tmp_path / "data", []
    for number in (signal.SIGTERM, signal.SIGINT):
        with dev_run(folder) as found:
            [child] = found.children()
            ids.append(calward("server", "show", "--json", "--server", found.socket).json["id"])
            assert found.stop(number) == 0
            assert not alive(child)
            assert not Path(found["socket"]).exists()
    assert ids[0] == ids[1]


def test_when_it_is_killed_its_clearinghouse_ends_too_and_the_next_start_works(tmp_path):
    with dev_run(tmp_path / "data") as found:
        [child] = found.children()
        found.stop(signal.SIGKILL)
        deadline = time.monotonic() + 20
        while alive(child) and time.monotonic() < deadline:
            pass  # The kernel has sent the signal; it ends within milliseconds.
        assert not alive(child)
    with dev_run(tmp_path / "data") as found:
        assert calward("status", "--server", found.socket).code == 0


def test_a_host_joins_over_a_certificate_of_our_own_and_talks_to_no_other_server(tmp_path):
    for name in ("ours", "other"):
        (tmp_path / name).mkdir()
    tls = ("--listen", "127.0.0.1:0", "--self-signed", "--data-dir")
    with (
        serving(tmp_path / "ours", *tls, str(tmp_path / "ours" / "data")) as ours,
        serving(tmp_path / "other", *tls, str(tmp_path / "other" / "data")) as other,
    ):
        assert ours.url.startswith("https://")
        made = calward(
            "host", "enroll", "SH1", "--version", "2022", "--mode", "per-user", "--json", "--server", ours.socket
        )
        join = ("host", "join", made.json["code"], "--json", "--server")
        wrong = calward(*join, other.url, "--token-file", str(tmp_path / "no.token"))
        assert wrong.code != 0
        assert wrong.error["problem"] == "unreachable"
        right = calward(*join, ours.url, "--token-file", str(tmp_path / "sh1.token"))
        assert right.code == 0, right.err
        assert right.json["fingerprint"] == ours.place("fingerprint")
        assert right.json["host"]["name"] == "SH1"
        assert calward("setup", ours.setup, "--json").json["token"].startswith("cala_")


@pytest.mark.timeout(300)
def test_the_demo_shows_an_estate_with_a_history(tmp_path):
    with dev_run(tmp_path / "data", "--demo") as found:
        status = calward("status", "--json", "--server", found.socket).json
        assert status["packs"]
        assert "stops" in status["line"]
        temporary = calward("license", "list", "--status", "temporary", "--json", "--server", found.socket).json[
            "items"
        ]
        assert temporary
        assert all(one["why"] for one in temporary)
        assert calward("audit", "verify", "--server", found.socket).code == 0
        assert json.dumps(status)
