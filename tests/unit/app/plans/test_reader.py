"""Is a plan file read as it is written, and is every slip of the pen an error with its line?"""

from decimal import Decimal
from pathlib import Path

import pytest

from calward.app.plans.edit_tables import EDITS
from calward.app.plans.reader import read_plan
from calward.domain.errors import LicensingError, Problem
from calward.insight.estate import EstateServer
from calward.insight.planner import plan
from tests.support.ladders import windows_server
from tests.support.plans import NOW, a_host, a_pack, an_estate, licenses

BASE = 'base = "estate:berlin"\n'


def load_ladder(name):
    assert name == "windows-server"
    return windows_server()


def berlin(name):
    assert name in {"berlin", None}
    return an_estate(
        a_host("TS1", "2016"),
        a_pack("P1", "2016", 9),
        a_pack("PD", "2019", 4, type_="per-device"),
        licenses(5, "2016", pack="P1"),
    )


def read(text):
    return read_plan(text, load_ladder, berlin)


def refusal(text) -> str:
    with pytest.raises(LicensingError) as caught:
        read(text)
    assert caught.value.problem is Problem.MALFORMED
    return caught.value.detail


FORMS = {
    "upgrade-hosts": 'hosts = ["TS1"]\nto = "2019"\nholders = 3',
    "add": 'users = 80\nversion = "2016"',
    "leave": 'users = 2\nversion = "2016"',
    "set-mode": 'hosts = ["TS1"]\nmode = "per-device"',
    "expire": 'pack = "P1"\nserver = "LS1"',
    "remove": 'pack = "P1"',
    "install": 'id = "P2"\nserver = "LS1"\nversion = "2019"\ntype = "per-user"\ntotal = 5',
    "move": 'pack = "P1"\nto = "LS1"',
    "convert": 'pack = "PD"\nto = "per-user"\ncount = 2',
    "replace-server": 'server = "LS1"\nversion = "2022"\nby = "LS9"',
    "lapse": 'server = "LS1"',
    "activate": 'server = "LS1"',
}
BEFORE = {"activate": '[[edit]]\ndo = "lapse"\nserver = "LS1"\n'}
"""What must be so before an edit can be made."""


def test_each_edit_has_a_form_here():
    assert set(FORMS) == set(EDITS)


@pytest.mark.parametrize("do", FORMS)
def test_each_edit_is_read_and_played(do):
    before = BEFORE.get(do, "")
    found = read(f'{BASE}{before}[[edit]]\ndo = "{do}"\n{FORMS[do]}\n')
    result = plan(found.estate, found.edits, until=NOW + 1)
    assert [because for _, because in result.standings] == [tuple(one.words for one in found.edits)]
    assert found.edits[-1].words.startswith(f"line {2 + before.count(chr(10))}: ")
    assert found.edits[-1].at == NOW


def test_a_right_to_issue_ends_when_the_snapshot_says_so_unless_the_edit_says_when():
    def load(_name):
        return an_estate(servers=[EstateServer("LS1", "2022", activated=True, issue_until=NOW + 5)])

    def ends(at):
        text = f'{BASE}[[edit]]\ndo = "lapse"\nserver = "ls1"\n{at}'
        return read_plan(text, lambda _: windows_server(), load).edits[0].at

    assert ends("") == NOW + 5
    assert ends("at = 2027-02-01T00:00:00Z") == 1_801_440_000


@pytest.mark.parametrize("do", FORMS)
def test_each_edit_refuses_a_key_that_it_does_not_know(do):
    detail = refusal(f'{BASE}[[edit]]\ndo = "{do}"\n{FORMS[do]}\nwhen = 3\n')
    assert detail.startswith(f"line {5 + FORMS[do].count(chr(10))}: edit 1, when: is no key of edit 1")


def test_a_plan_without_base_is_an_estate_of_its_own():
    found = read(
        'start = 2027-01-01T00:00:00Z\n[[server]]\nname = "LS1"\n'
        '[[host]]\nname = "TS1"\nversion = "2022"\nmode = "per-user"\nservers = ["LS1"]\n'
        '[[holders]]\nusers = 7\nhost = "TS1"\n[[price]]\nversion = "2022"\ntype = "per-user"\nprice = 159.90\n'
    )
    assert found.alone
    result = plan(found.estate, found.edits, found.prices.offers, given=found.given)
    assert result.purchase.cost == Decimal("1119.30")


def test_what_stands_in_the_file_is_added_to_its_base():
    found = read(
        BASE
        + '[[server]]\nname = "LS2"\n[[pack]]\nid = "P9"\nserver = "LS2"\nversion = "2022"\ntype = "per-user"\ntotal = 3\n'
    )
    assert [pack.id for pack in found.estate.packs] == ["P1", "PD", "P9"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = 3\n", "line 1: title: must be a text"),
        ("", "line 1: start: is missing"),
        ('base = "snapshot"\n', 'line 1: base: must be "estate"'),
        (BASE + "bases = 1\n", "line 2: bases: is no key of a scenario file: did you mean base"),
        (BASE + '[[edit]]\ndo = "fly"\n', "line 3: edit 1, do: must be one of upgrade-hosts"),
        (BASE + '[[edit]]\ndo = "add"\nversion = "2016"\n', "line 2: edit 1, users: is missing"),
        (BASE + '[[edit]]\ndo = "add"\nusers = 3\ndevices = 4\nversion = "2016"\n', "line 5: edit 1, devices: is no key"),
        (BASE + '[[edit]]\ndo = "upgrade-hosts"\nto = "2019"\n', "line 2: edit 1, from: is missing"),
        (BASE + '[[edit]]\nat = 2001-01-01T00:00:00Z\ndo = "expire"\npack = "P1"\n', "line 3: edit 1, at: must not be earlier"),
        (BASE + "until = 2001-01-01T00:00:00Z\n", "line 2: until: must be later"),
        (BASE + '[[price]]\nversion = "2022"\ntype = "per-user"\nprice = 1.23456\n', "line 5: price 1, price: must be an amount"),
        (BASE + '[[price]]\nversion = "2022"\ntype = "per-user"\nprice = true\n', "line 5: price 1, price: must be an amount"),
        (BASE + '[[price]]\nversion = "2022"\ntype = "per-user"\nprice = nan\n', "line 5: price 1, price: must be an amount"),
        (BASE + 2 * '[[price]]\nversion = "2022"\ntype = "per-user"\nprice = 1\n', "line 7: price 2, version: 2022/per-user has"),
        (BASE + '[[pack]]\nid = "X"\nserver = "LS7"\n', "line 4: pack 1, server: must be one of LS1"),
        (BASE + '[[host]]\nname = "ts1"\nversion = "2022"\nmode = "per-user"\nservers = []\n', "there is a session host ts1"),
        (BASE + '[[host]]\nname = "T"\nversion = "2022"\nmode = "per-user"\nservers = ["LS3"]\n', "there is no license server LS3"),
        ("x = \n", "a plan file must be TOML: "),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_named_with_its_line(text, words):
    assert words in refusal(text)


def test_the_page_lists_every_edit():
    page = (Path(__file__).parents[4] / "docs" / "reference" / "plans.md").read_text(encoding="utf-8")
    assert [do for do in EDITS if f"`{do}`" not in page] == []
