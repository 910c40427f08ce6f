"""Do the commands work against the server that users start, over its socket and over TCP?"""

import json
import os
import socket
import subprocess
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from calward.entrypoints.cli.common.exit_codes import Exit
from tests.support.command_line import calward
from tests.support.running_server import CALWARD, Running, serving

pytestmark = pytest.mark.xdist_group("served")  # One server for all of them.
USER_HOST = ("--version", "2016", "--mode", "per-user")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("served")
    (made / "ls").mkdir()  # As an operator makes it: everybody may look in.
    (made / "ls").chmod(0o755)
    return made


@pytest.fixture(scope="module")
def server(folder):
    with serving(folder, "--data-dir", str(folder / "ls")) as found:
        yield found


def local(server: Running, *arguments: str, **options):
    return calward(*arguments, CALWARD_SERVER=server.socket, **options)


def enrolled(server: Running, folder: Path, name: str) -> str:
    file = folder / f"{name}.token"
    ran = local(server, "host", "enroll", name, *USER_HOST, "--token-file", str(file))
    assert ran.code == Exit.OK, ran
    return str(file)


def test_the_local_socket_knows_who_asks(server):
    assert local(server, "status").code == Exit.OK
    found = calward("status", CALWARD_DATA_DIR=str(Path(server.socket.removeprefix("unix:")).parent))
    assert found.code == Exit.OK, "it is found where it usually is"


def test_over_tcp_nobody_is_known_without_a_token(server):
    ran = calward("status", "--server", server.url)
    assert ran.code == Exit.UNAUTHORIZED
    assert "CALWARD_TOKEN_FILE" in ran.err


def test_the_setup_link_makes_the_first_administrator_once(server, folder):
    file = folder / "admin.token"
    assert calward("setup", server.setup, "-o", str(file)).code == Exit.OK
    assert calward("status", "--server", server.url, "--token-file", str(file)).code == Exit.OK
    assert calward("setup", server.setup).code == Exit.UNAUTHORIZED


@pytest.mark.parametrize("way", ["socket", "url"])
def test_a_host_requests_and_confirms_a_license(server, folder, way):
    address, token, user = getattr(server, way), enrolled(server, folder, f"SH-{way}"), f"alice-{way}"
    asked = ["license", "request", "--host-token-file", token, "--server", address, "--json"]
    first = calward(*asked, "--user", user, "--request-id", f"r-{way}")
    assert first.code == Exit.OK, first
    assert {"outcome", "license", "decision", "trace", "reason"} <= set(first.json)
    assert set(first.json["license"]) == {"id", "version", "type", "status", "expires_at", "pack", "change"}
    assert calward(*asked, "--user", user, "--request-id", f"r-{way}").json == first.json
    other = calward(*asked, "--user", "bob", "--request-id", f"r-{way}")
    assert (other.code, other.error["problem"]) == (Exit.REFUSED, "conflict")
    number = first.json["license"]["id"]
    confirmed = calward(
        "license", "confirm", "--host-token-file", token, "--license", number, "--server", address, "--json"
    )
    assert confirmed.json["outcome"] in {"confirmed", "refused"}


@pytest.mark.parametrize("name", ["", " ", "\x1b[2J", "a\nb", "\u202eevil", "x" * 400, "\udcff", "\u0000"])
def test_a_hostile_name_of_a_holder_is_malformed_and_cannot_move_the_cursor(server, folder, name):
    file = folder / "SH-hostile.token"
    token = str(file) if file.exists() else enrolled(server, folder, "SH-hostile")
    asked = ["license", "request", "--host-token-file", token, "--server", server.url]
    for holder in (["--user", name], ["--device", "PC1", "--hardware-id", name]):
        ran = calward(*asked, *holder)
        assert ran.code == Exit.USAGE, ran
        assert not {"\x1b", "\u202e", "\u0000"} & set(ran.err)
    assert calward(*asked, "--user", "alice", "--request-id", name).code == Exit.USAGE


def test_a_host_joins_by_its_code_over_tcp_once(server, folder):
    code = json.loads(local(server, "host", "enroll", "SH-join", *USER_HOST, "--json").out)["code"]
    file = folder / "joined.token"
    join = ["host", "join", "-", "--server", server.url, "--token-file"]
    ran = calward(*join, str(file), stdin=code.encode())
    assert ran.code == Exit.OK, ran
    assert file.stat().st_mode & 0o777 == 0o600
    assert calward(*join, str(folder / "again.token"), stdin=code.encode()).code == Exit.UNAUTHORIZED
    assert not (folder / "again.token").exists()


def test_a_token_of_a_host_administers_nothing(server, folder):
    token = enrolled(server, folder, "SH-curious")
    assert local(server, "pack", "list", "--token-file", token).code == Exit.UNAUTHORIZED


def test_a_token_that_others_can_read_is_refused(server, folder):
    file = folder / "open.token"
    file.write_text("cala_x\n")
    file.chmod(0o644)
    ran = local(server, "status", "--token-file", str(file))
    assert ran.code == Exit.UNAUTHORIZED
    assert f"chmod 600 {file}" in ran.err


def test_an_unknown_host_token_is_unauthorized(server, folder):
    file = folder / "unknown.token"
    file.touch(mode=0o600)
    file.write_text("calh_unknown\n")
    ran = calward("license", "request", "--host-token-file", str(file), "--user", "a", "--server", server.url)
    assert ran.code == Exit.UNAUTHORIZED


def test_a_reader_that_has_had_enough_is_no_error(server):
    environment = os.environ | {"CALWARD_SERVER": server.socket}
    script = f'set -o pipefail; "{CALWARD}" audit export | head -n 1 >/dev/null'
    ended = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_server_that_is_down_says_how_to_start_it(tmp_path):
    ran = calward("status", "--server", f"unix:{tmp_path}/none.sock", "--json")
    assert ran.code == Exit.UNAVAILABLE
    assert ran.error["problem"] == "unreachable"
    assert "calward serve" in ran.error["help"]


def test_a_certificate_of_its_own_is_pinned(tmp_path):
    with serving(tmp_path, "--data-dir", str(tmp_path / "ls"), "--self-signed") as server:
        pin = server.place("fingerprint")
        admin = tmp_path / "admin.token"
        assert server.url.startswith("https://127.0.0.1:")
        assert calward("setup", server.setup, "-o", str(admin)).code == Exit.OK
        arguments = ["status", "--server", server.url, "--token-file", str(admin)]
        assert calward(*arguments, "--fingerprint", pin).code == Exit.OK
        assert calward(*arguments).code == Exit.UNAVAILABLE, "nobody has signed it"
        wrong = calward(*arguments, "--fingerprint", "0" * 64)
        assert wrong.code == Exit.UNAVAILABLE
        assert pin in wrong.err
        code = json.loads(local(server, "host", "enroll", "SH1", *USER_HOST, "--json").out)["code"]
        token = tmp_path / "host.token"
        assert calward("host", "join", code, "--server", server.url, "--token-file", str(token)).code == Exit.OK
        asked = ["license", "request", "--host-token-file", str(token), "--user", "alice", "--server", server.url]
        assert calward(*asked, "--fingerprint", pin).code == Exit.OK


def test_a_host_is_told_the_port_that_is_served_also_where_it_was_left_open(server, folder):
    token = Path(enrolled(server, folder, "SH-TOLD")).read_text(encoding="ascii").strip()
    asked = urllib.request.Request(f"{server.url}/api/v1/host", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked) as answer:
        assert json.load(answer)["servers"] == [server.url]


def test_a_ledger_that_is_served_is_not_served_twice(server, folder):
    ran = calward("serve", "--data-dir", str(folder / "ls"), "--listen", "127.0.0.1:0", "--socket", "none")
    assert ran.code == Exit.REFUSED, ran
    assert "another process serves the ledger" in ran.err
    assert "ledger.db.lock" in ran.err
    assert "stop that one first" in ran.err
    assert "request id" not in ran.err


def test_what_the_server_keeps_is_read_by_its_owner_only(server, folder):
    kept = [one for one in (folder / "ls").iterdir() if not one.is_socket()]
    assert {"ledger.db", "ledger.db-wal", "ledger.db.lock", "server.key"} <= {one.name for one in kept}
    assert {one.name: oct(one.stat().st_mode & 0o077) for one in kept} == dict.fromkeys((x.name for x in kept), "0o0")


@pytest.mark.parametrize("more", [b"X: y\r\n" * 2_000, b"a" * 10_000], ids=["headers", "one header"])
def test_a_head_that_does_not_end_is_cut_off(server, more):
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as stranger:
        stranger.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: ")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):  # Long before so much has been taken.
            stranger.sendall(more * 10_000)
    assert calward("status", CALWARD_SERVER=server.socket).code == Exit.OK


def test_a_long_head_that_ends_is_served(server):
    asked = urllib.request.Request(f"{server.url}/livez", headers={"X-Long": "a" * 40_000})
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200


def test_a_ledger_is_made_where_it_is_said_to_be(tmp_path):
    place = tmp_path / "deep" / "down" / "books.db"
    with serving(tmp_path, "--data-dir", str(tmp_path / "ls"), "--database", f"sqlite:///{place}") as found:
        assert local(found, "status").code == Exit.OK
    assert place.is_file()
    ran = calward("serve", "--data-dir", str(tmp_path / "ls"), "--database", "sqlite:///", "--listen", "127.0.0.1:0")
    assert (ran.code, "names no file" in ran.err) == (Exit.USAGE, True)
