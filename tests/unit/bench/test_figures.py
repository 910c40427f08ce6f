"""Do the benchmarks run, and do their figures have the shape that was agreed? What the figures are is not asked here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import issue, morning
from bench.estate import HOST_VERSION, open_ledger, prepare, requests, with_host
from bench.figures import TINY, middle, middle_ratio, ratio, table
from bench.main import arguments
from bench.places import DIALECTS, place
from bench.yardstick import bare_inserts, captured, ways
from calward.domain.cals import CalType
from tests.support.postgresql import find_programs

ROOT = Path(__file__).parents[3]
ISSUE = {
    "http_issues_per_s",
    "http_echo_per_s",
    "ratio_to_echo",
    "batch_issues_per_s",
    "ledger_issues_per_s",
    "bare_inserts_per_s",
    "ratio_batch_to_ledger",
    "ratio_ledger_to_bare",
}
POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["sqlite", POSTGRESQL])
def test_issue_has_every_figure_with_its_yardstick(dialect, tmp_path):
    if dialect == "postgresql" and find_programs() is None:
        pytest.skip("no PostgreSQL server is installed")
    found = issue.measure(tmp_path, TINY, [dialect])
    assert set(found) == {dialect}
    assert set(found[dialect]) == ISSUE
    assert all(value > 0 for value in found[dialect].values())


@pytest.mark.slow
def test_stdout_is_one_json_object_with_a_key_for_each_name():
    words = [sys.executable, "bench/main.py", "growth", "size", "--json", "--tiny"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"growth", "size"}
    assert set(found["growth"]) == {"p50_ms_10k", "p50_ms_1m", "ratio"}
    assert set(found["size"]) == {"bytes_per_license", "rss_mb"}


def test_a_morning_says_what_devices_got_and_why_it_was_less(tmp_path):
    found = morning.measure(tmp_path, TINY)
    assert {"seconds", "requests", "p50_ms", "p99_ms"} < set(found)
    assert set(found["outcomes"]) >= {"granted active", "granted temporary"}
    assert set(found["less_than_full_by_reason"]) >= {"first-contact"}
    assert set(found["refusals_by_reason"]) <= {"no-cal-free", "temporary-license-expired", "cal-version-too-low"}


def test_an_unknown_name_ends_with_those_that_are_known(capsys):
    with pytest.raises(SystemExit) as ended:
        arguments(["issue", "speed"])
    assert ended.value.code == 2
    assert "there is no benchmark speed: say issue, growth, size, morning" in capsys.readouterr().err


def test_no_names_mean_all():
    assert arguments([]).names == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_yardstick_writes_the_very_rows_of_the_issues_in_every_way(dialect, tmp_path):
    with place(dialect, tmp_path) as where:
        if where is None:
            pytest.skip("no PostgreSQL server is installed")
        url, base = _issued(where)
        written = captured(url)
        for way in ways(dialect):
            again = where.copy(base)
            bare_inserts(again, written, way)
            assert captured(again) == written, way


def _issued(where):
    """A ledger with issued licenses, and one with the same packs and nothing else."""
    base = where.empty()
    prepare(base, [(HOST_VERSION, CalType.PER_USER, 600)])
    host, _ = with_host(base, "SH1", HOST_VERSION, CalType.PER_USER)
    url = where.copy(base)
    ledger = open_ledger(url)
    ledger.write_all(requests(host, 1, 300))
    ledger.close()
    return url, base


def test_the_postgresql_place_is_none_where_its_programs_are_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("bench.places.find_programs", lambda: None)
    with place("postgresql", tmp_path) as where:
        assert where is None
    assert "no PostgreSQL server is installed" in capsys.readouterr().err
    assert "postgresql" in DIALECTS


@pytest.mark.parametrize(
    ("values", "expected"), [([1, 2, 9], 2), ([0.12345], 0.123), ([12.345], 12.35), ([1234.5], 1234)]
)
def test_a_figure_is_the_median_with_as_many_places_as_it_deserves(values, expected):
    assert middle(values) == pytest.approx(expected, abs=0.01)


def test_a_machine_that_is_slow_for_a_while_leaves_the_ratio_alone():
    fast, slow = (100.0, 200.0), (30.0, 60.0)
    measured, yardsticks = zip(fast, slow, (100.0, 60.0), slow, fast, strict=True)
    assert middle_ratio(measured, yardsticks) == 0.5
    assert middle(measured) / middle(yardsticks) == 100 / 60


def test_a_ratio_is_the_share_of_the_yardstick():
    assert ratio(1, 4) == 0.25


def test_people_read_a_table_of_nested_figures():
    assert [line.split() for line in table({"size": {"rss_mb": 1234}, "x": 1}).splitlines()] == [
        ["size"],
        ["rss_mb", "1,234"],
        ["x", "1"],
    ]


@pytest.mark.slow
def test_wire_counts_handshakes_and_copies_beside_a_bare_splice():
    words = [sys.executable, "bench/main.py", "wire", "--json", "--tiny"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["wire"]
    assert set(found) >= {"new", "presented", "upgrade", "null_keys"}
    assert set(found["new"]) == {"cpu_ms", "per_second_per_core"}
    assert found["relay_mib_per_s"] > 0
    assert found["ratio_relay_to_splice"] > 0
    assert {"relay_cpu_s_per_gib", "splice_cpu_s_per_gib"} <= set(found)
