"""Does the benchmark of questions run, and do its figures have their shape?"""

from bench import insight
from bench.figures import TINY
from bench.main import BENCHMARKS, NAMES

FIGURES = {"seconds", "licenses_per_s", "mib", "file_mib", "times_bare_csv"}


def test_imports_have_every_figure_at_three_lengths(tmp_path):
    found = insight.measure(tmp_path, TINY)["import"]
    growth = found.pop("growth_of_seconds_tenfold")
    assert growth > 0
    assert set(found) == {"60_licenses", "300_licenses", "600_licenses"}
    assert all(set(figures) == FIGURES for figures in found.values())


def test_every_name_has_its_benchmark():
    assert {name for names in BENCHMARKS for name in names} == set(NAMES)
