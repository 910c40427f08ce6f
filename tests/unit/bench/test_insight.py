"""Does the benchmark of questions run, and do its figures have their shape?"""

import pytest

from bench import insight, questions
from bench.figures import TINY
from bench.main import BENCHMARKS, NAMES

FIGURES = {"seconds", "licenses_per_s", "mib", "file_mib", "times_bare_csv"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    return questions.measure(tmp_path_factory.mktemp("asked"), TINY)


def test_imports_have_every_figure_at_three_lengths(tmp_path, monkeypatch, asked):
    monkeypatch.setattr(questions, "measure", lambda folder, sizes: asked)
    found = insight.measure(tmp_path, TINY)["import"]
    growth = found.pop("growth_of_seconds_tenfold")
    assert growth > 0
    assert set(found) == {"60_licenses", "300_licenses", "600_licenses"}
    assert all(set(figures) == FIGURES for figures in found.values())


@pytest.mark.parametrize("question", ["plan", "diagnose", "forecast"])
def test_questions_have_seconds_and_memory_at_three_sizes(asked, question):
    found = dict(asked[question])
    assert found.pop("growth_of_seconds_tenfold") > 0
    assert found.pop("growth_of_cpu_seconds_tenfold") > 0
    assert set(found) == {"60_licenses", "300_licenses", "600_licenses"}
    assert all(set(figures) == {"seconds", "cpu_seconds", "mib"} for figures in found.values())


def test_every_name_has_its_benchmark():
    assert {name for names in BENCHMARKS for name in names} == set(NAMES)
