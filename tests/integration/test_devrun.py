"""Does the demo's history come out whole, consistent and the same each time; does a run keep to its folder?"""

import fcntl
import socket
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from calward.adapters.companion import Companion
from calward.adapters.signing import verify
from calward.adapters.store.audit_desk import SqlAuditDesk
from calward.adapters.store.tables import checkpoint, event
from calward.app.licensing.records import LogKey
from calward.app.licensing.show_status import show_status
from calward.app.reading import LicenseFilter, Page
from calward.bootstrap.demo import STATE_FILE, fill_demo
from calward.bootstrap.devrun import LOCK_FILE, _on_port, devrun
from calward.bootstrap.license_server import LicenseServer
from calward.config import ServerConfig
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import read_event
from calward.entrypoints.cli.common.wiring import RunOptions
from tests.support.clocks import DAY, SetClock
from tests.support.dev_runs import alive

NOW = 1_772_450_400
"""2026-03-02T11:20:00Z, a Monday."""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]  # Filling takes some seconds: once for all tests here.


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, fill_demo(folder, "clearinghouse", until=NOW)


@pytest.fixture(scope="module")
def server(filled):
    folder, _ = filled
    made = LicenseServer(ServerConfig(data_dir=folder), clock=SetClock(NOW))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bodies(server):
    with server.engine.connect() as connection:
        return [read_event(x) for x in connection.scalars(select(event.c.body).order_by(event.c.id))]


def test_every_act_of_the_history_is_carried_out_or_refused_as_told(filled):
    _, summary = filled
    assert {
        key: n for key, n in summary.acts.items() if key[1] not in {"activated", "enrolled", "installed", "set"}
    } == {
        ("ChangeHost", "changed"): 1,
        ("Deactivate", "deactivated"): 1,
        ("GiveToken", "made"): 3,
        ("InstallPack", "server-version-too-low"): 1,
        ("Release", "released"): 3,
        ("RemoveHost", "removed"): 1,
        ("RemovePack", "pack-in-use"): 1,
        ("RemovePack", "removed"): 1,
        ("Revoke", "revocation-limit"): 2,
        ("Revoke", "revoked"): 8,
    }


def test_the_history_has_full_temporary_and_over_used_licenses_and_refusals(filled):
    _, summary = filled
    assert summary.answers["active"] > 10_000
    for answer in ("temporary", "over-used", "no-cal-free", "server-version-too-low"):
        assert summary.answers[answer] > 10, answer


def test_the_books_and_the_audit_trail_agree(server):
    key = LogKey(server.audit_log.origin, (server.keys.server.public_key,), verify)
    found = SqlAuditDesk(server.audit_log, server.engine, key, server.ladder).verify(None)
    assert found["holds"], found["findings"]
    assert found["size"] == found["events"] > 5_000


def test_nothing_happens_after_the_storys_end_and_every_day_with_events_has_its_checkpoint(server, bodies):
    times = [x["at"] for x in bodies]
    assert times == sorted(times)
    assert times[-1] <= NOW
    assert times[0] <= NOW - 150 * DAY
    with server.engine.connect() as connection:
        stored = {at // DAY for at in connection.scalars(select(checkpoint.c.at))}
    assert {at // DAY for at in times} - {NOW // DAY} <= stored


def test_the_history_holds_upgrades_renewals_and_what_administrators_and_warnings_leave(bodies):
    kinds = Counter(x["kind"] for x in bodies)
    for kind in (
        "refusal",
        "proven",
        "expired",
        "revoked",
        "released",
        "act-refused",
        "shortage",
        "settings",
        "policy",
    ):
        assert kinds[kind], kind
    changes = Counter(x["change"] for x in bodies if x["kind"] == "license")
    for change in ("new", "kept", "renewed", "upgraded"):
        assert changes[change] > 5, change
    assert {"server-not-activated", "no-cal-free", "not-proven", "first-contact"} <= {
        reason for x in bodies for reason in x.get("reasons", ())
    }


def test_the_decision_that_the_readme_explains_is_one(bodies):
    assert bodies[41]["id"] == 42
    assert bodies[41]["kind"] == "license"


def test_today_every_temporary_and_over_used_license_shows_why(server):
    for status in ("temporary", "over-used"):
        rows = server.reader.licenses(LicenseFilter(status=status), Page(500), NOW)
        assert len(rows) > 5
        assert all(row.decision.get("reasons") for row in rows), status


def test_today_one_pack_has_expired_one_is_used_up_and_one_ends_soon(server):
    packs = server.reader.packs(NOW)
    assert any(row.pack.expires_at <= NOW for row in packs)
    assert any(NOW < row.pack.expires_at < NOW + 30 * DAY for row in packs)
    assert any(row.issued == row.pack.total for row in packs)
    assert any(0 < row.issued < row.pack.total for row in packs)


def test_the_status_has_something_to_say(server):
    assert show_status(server.reader, now=NOW)


def test_hosts_of_all_versions_have_tokens_for_their_owner_to_try(filled, server):
    folder, _ = filled
    tokens = {file.stem: file for file in (folder / "hosts").glob("*.token")}
    for host in server.reader.hosts():
        file = tokens[host.host.name]
        assert file.stat().st_mode & 0o777 == 0o600
        known = server.host_tokens.host_of(file.read_text().strip())
        assert known is not None
        assert (known.name, known.mode) == (host.host.name, host.mode)
    assert {host.mode_from for host in server.reader.hosts()} == {"host", "policy"}


def test_the_same_day_has_the_same_history_and_a_filled_folder_stays_as_it_is(filled, tmp_path):
    folder, summary = filled
    assert fill_demo(tmp_path, "clearinghouse", until=NOW) == summary
    assert fill_demo(folder, "clearinghouse", until=NOW + 40 * DAY) is None


def test_an_interrupted_filling_begins_anew(tmp_path, monkeypatch):
    (tmp_path / STATE_FILE).write_text("filling\n")
    (tmp_path / "ledger.db").write_text("half of something")
    seen = []
    monkeypatch.setattr("calward.bootstrap.demo._fill", lambda folder, *_: seen.append(sorted(folder.iterdir())))
    fill_demo(tmp_path, "clearinghouse", until=NOW)
    assert seen == [[tmp_path / STATE_FILE]]


def test_a_ledger_that_is_no_demos_is_left_alone(tmp_path):
    (tmp_path / "ledger.db").write_text("of somebody")
    with pytest.raises(LicensingError, match="no demo's") as caught:
        fill_demo(tmp_path, "clearinghouse", until=NOW)
    assert caught.value.problem is Problem.CONFLICT
    assert (tmp_path / "ledger.db").read_text() == "of somebody"


def run_in(folder: Path, **options):
    devrun(RunOptions(data_dir=folder, **options), lambda places: pytest.fail(f"it came up: {places}"))


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LicensingError, match="has not made"):
        run_in(tmp_path, fresh=True)
    assert (tmp_path / "thesis.txt").exists()


def test_two_runs_never_share_a_folder(tmp_path):
    with (tmp_path / LOCK_FILE).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LicensingError, match="another run") as caught:
            run_in(tmp_path)
    assert caught.value.problem is Problem.CONFLICT


def test_where_a_port_is_taken_any_free_one_is_asked_for():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert _on_port(port, lambda found: found) == 0
    assert _on_port(port, lambda found: found) == port


def test_a_port_that_is_taken_at_the_last_moment_gives_way_too_and_other_errors_go_on():
    asked = []

    def start(port, problem=Problem.UNAVAILABLE):
        asked.append(port)
        if port:
            raise LicensingError(problem, "somebody was faster")
        return "up"

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    assert _on_port(port, start) == "up"
    assert asked == [port, 0]
    with pytest.raises(LicensingError, match="faster"):
        _on_port(port, lambda found: start(found, Problem.CONFLICT))


def test_a_companion_that_cannot_start_is_an_error_that_says_so(tmp_path):
    arguments = ["clearinghouse", "serve", "--dir", str(tmp_path / "none"), "--json"]
    with (
        Companion(arguments) as companion,
        pytest.raises(LicensingError, match="clearinghouse serve ended with code") as caught,
    ):
        companion.first_answer(60)
    assert caught.value.problem is Problem.UNAVAILABLE


def test_a_companion_that_says_nothing_is_not_waited_for(tmp_path):
    with Companion(["clearinghouse", "serve", "--dir", str(tmp_path), "--json"]) as companion:
        with pytest.raises(LicensingError, match="did not answer in time"):
            companion.first_answer(0)
        pid = companion.pid
    assert not alive(pid)
