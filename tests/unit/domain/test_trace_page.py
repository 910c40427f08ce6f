"""Does the page about issuing list every rule and verdict with its number, and is its example true?"""

import re
from pathlib import Path

from calward.domain.trace import _DETAILS, RULES, Verdict
from tests.support.builders import a_host
from tests.support.office import Office

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "issuing.md").read_text(encoding="utf-8")
TABLES = re.split(r"\n\| (?:rule|verdict) \| name \|", PAGE)


def rows(table: str) -> list[tuple[int, str, str]]:
    found = re.findall(r"^\| (\d+) \| ([a-z-]+) \| ([^|]+) \|$", table, re.MULTILINE)
    return [(int(number), name, sentence) for number, name, sentence in found]


def test_every_rule_stands_on_the_page():
    assert rows(TABLES[1]) == [(rule.value, name, sentence) for rule, (name, sentence) in RULES.items()]


def test_every_verdict_stands_on_the_page():
    assert rows(TABLES[2]) == [(x.value, x.name.lower().replace("_", "-"), _DETAILS[x]) for x in Verdict]


def test_the_example_of_the_page_comes_true():
    office = Office()
    office.install("2003", total=1)
    office.install("2008", total=1)
    old, new = a_host("2003"), a_host("2008", number=2)
    first = [office.log_on(old, device) for device in "ABC"]
    then = [office.ask(old, device) for device in "ABC"]
    assert [(event["status"], event["version"]) for event in [*first, *then, office.ask(new, "A")]] == [
        *[("temporary", "2003")] * 3,
        ("active", "2003"),
        ("active", "2008"),
        ("temporary", "2003"),
        ("temporary", "2008"),
    ]
    assert office.ask(old, "A")["version"] == "2003"
