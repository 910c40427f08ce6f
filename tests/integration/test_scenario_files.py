"""Do the example scenarios prove what their pages say, through the command that people use?"""

import json
import re
import shutil
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from calward.adapters.ladders import load_ladder
from calward.adapters.scenario_files import read_scenario_file
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.migrate import migrate
from calward.app.scenarios.player import play
from calward.app.scenarios.reader import read_scenario
from calward.entrypoints.cli.scenario.run import scenario
from tests.support.clocks import SetClock
from tests.support.ladders import HARBOR_FILE
from tests.support.scenarios import ESTATE, a_step

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples/scenarios"
QUESTIONS = sorted(EXAMPLES.glob("*.toml"))
RULES = sorted(EXAMPLES.glob("rules/*.toml"))
PAGES = ROOT / "docs/explanation/questions"


def run(*arguments: object, charset: str = "utf-8", columns: int = 100) -> Result:
    context = SimpleNamespace(load_ladder=load_ladder, read_scenario_file=read_scenario_file)
    runner = CliRunner(charset=charset)
    return runner.invoke(scenario, ["run", *map(str, arguments)], obj=context, env={"COLUMNS": str(columns)})


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory):
    file = tmp_path_factory.mktemp("ledger") / "empty.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def wrong(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text(ESTATE + a_step(expect='{ status = "active" }'))
    return file


@pytest.mark.parametrize("file", QUESTIONS + RULES, ids=lambda file: file.stem)
def test_every_example_proves_its_answer(file):
    result = run(file)
    assert result.exit_code == 0, result.output


def test_several_files_have_a_last_line_about_all_of_them(wrong):
    well = run(*QUESTIONS[:2]).output.splitlines()
    assert re.fullmatch(r"2 files, \d+ steps: all expectations hold", well[-1])
    assert run(QUESTIONS[0], wrong).output.splitlines()[-1].endswith("in 1 something is wrong, see above")
    assert "files" not in run(QUESTIONS[0]).output.splitlines()[-1]


def test_what_is_left_of_a_license_is_told_in_days_and_hours():
    shown = " ".join(run(EXAMPLES / "article.toml", columns=300).output.split())
    assert "53 days left" in shown
    assert "89 days 23 h left" in shown


@pytest.mark.parametrize("file", QUESTIONS + RULES, ids=lambda file: file.stem)
def test_every_example_expects_something_of_its_title(file):
    assert file.read_text().count("expect = ") >= 3


@pytest.mark.parametrize("file", QUESTIONS + RULES, ids=lambda file: file.stem)
def test_every_example_comes_out_the_same_on_a_real_ledger(file, empty_ledger, tmp_path):
    story = read_scenario(file.read_text(), load_ladder)
    with ExitStack() as opened:

        def make_ledger(entropy):
            copy = shutil.copy(empty_ledger, tmp_path / f"{len(list(tmp_path.glob('*.db')))}.db")
            return opened.enter_context(closing(SqlLedger(f"sqlite:///{copy}", entropy=entropy, clock=SetClock())))

        assert [x.result for x in play(story, make_ledger).played] == [x.result for x in play(story).played]


@pytest.mark.parametrize("file", QUESTIONS, ids=lambda file: file.stem)
def test_every_question_has_its_page(file):
    page = (PAGES / f"{file.stem}.md").read_text()
    assert f"$ calward scenario run examples/scenarios/{file.name}\n" in page
    assert f"examples/scenarios/{file.name}\n:language: toml" in page
    assert f"\n{file.stem}\n" in (PAGES / "index.md").read_text()


def test_every_page_has_its_scenario():
    assert {page.stem for page in PAGES.glob("*.md")} - {"index"} == {file.stem for file in QUESTIONS}


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_scenario_of_a_rule_is_listed(file):
    assert f"`rules/{file.name}`" in (ROOT / "docs/reference/scenarios.md").read_text()


def test_all_files_may_be_played_at_once():
    result = run("--json", *QUESTIONS)
    assert result.exit_code == 0
    shown = json.loads(result.output)
    assert shown["ok"]
    assert [file["file"] for file in shown["files"]] == [str(file) for file in QUESTIONS]


def test_an_expectation_that_does_not_hold_ends_with_7_and_says_why(wrong):
    result = run(wrong)
    assert result.exit_code == 7
    assert "expected status active, got temporary" in " ".join(result.output.split())
    assert "✗ 1 of 1 expectations do not hold: step 1" in result.output


def test_json_says_the_same(wrong):
    result = run(wrong, "--json")
    assert result.exit_code == 7
    [file] = json.loads(result.output)["files"]
    [step] = file["steps"]
    assert (file["ok"], step["ok"], step["line"], step["result"]["status"]) == (False, False, 15, "temporary")
    assert step["mismatches"] == [{"key": "status", "expected": "active", "got": "temporary"}]
    assert step["trace"][0]["rule"] == "keep"


def test_a_wrong_file_ends_with_2_and_does_not_keep_others_from_being_played(tmp_path, wrong):
    bad = tmp_path / "bad.toml"
    bad.write_text(ESTATE + a_step(hots='"H"'))
    result = run(bad, wrong, "--json")
    assert result.exit_code == 2
    assert f"{bad}: line 20: step 1, hots: is no key of step 1: did you mean host\n" in result.stderr
    refused, played = json.loads(result.stdout)["files"]
    assert refused == {
        "file": str(bad),
        "ok": False,
        "error": "line 20: step 1, hots: is no key of step 1: did you mean host",
    }
    assert len(played["steps"]) == 1


@pytest.mark.parametrize(
    ("content", "said"), [(None, "there is no such file"), (b"\n\xff", "line 2: the file must be text in UTF-8")]
)
def test_what_is_no_text_file_ends_with_2(tmp_path, content, said):
    file = tmp_path / "file.toml"
    if content is not None:
        file.write_bytes(content)
    result = run(file)
    assert (result.exit_code, result.stderr) == (2, f"{file}: {said}\n")


def test_a_folder_is_no_scenario(tmp_path):
    assert "the file cannot be read: is a directory" in run(tmp_path).stderr


def test_a_file_that_is_too_large_is_no_scenario(tmp_path):
    file = tmp_path / "large.toml"
    file.write_bytes(b"#" * 4_194_305)
    assert "it is larger than" in run(file).stderr


def test_a_ladder_file_is_looked_for_beside_the_scenario(tmp_path):
    (tmp_path / "harbor.toml").write_bytes(HARBOR_FILE.read_bytes())
    file = tmp_path / "story.toml"
    file.write_text(
        'ladder = "./harbor.toml"\n' + ESTATE.replace('"2022"', '"barque"') + a_step(expect='{ version = "barque" }')
    )
    assert run(file).exit_code == 0


def test_no_name_is_taken_for_markup(tmp_path):
    file = tmp_path / "markup.toml"
    file.write_text(ESTATE.replace("One server", "[red]One[/red] [/]") + a_step(device='"[bold]PC[/bold]"'))
    result = run(file)
    assert result.exit_code == 0
    assert "[red]One[/red] [/]" in result.output
    assert "[bold]PC[/bold]" in result.output


def test_a_terminal_without_check_marks_gets_words(wrong):
    result = run(wrong, charset="ascii")
    assert "NO 1 of 1" in result.output


def test_every_kind_of_step_has_words_for_people():
    shown = run(*QUESTIONS, *RULES, columns=400).output
    for words in (
        "connect root to TS-A as administrator",
        "connect PC1 to H, no logon",
        "connect PC1 and ann to H",
        "install P08 on LS08: 200 of 2008/per-device",
        "remove P from LS1",
        "revoke the license of PC1 on LS1",
        "LS1 goes down",
        "deactivate LS1",
        "set LS1: prevent_license_upgrade = false",
        "set LS1: version = 2012",
        "set TS-A: 2003, per-user, asks LS1",
        "look at LS1, 2003, per-device",
        "move P03 from OLD to NEW",
        "move PA from OLD to NEW, OLD is unreachable",
        "moved, on its way until 2010-05-02T08:59:59Z, licenses 0",
        "on its way to NEW until 2010-05-12T08:59:59Z",
        "downgrade P08 to 2003, 10 CALs as BRANCH10",
        "upgrade P08 to 2008",
        "convert PD to per-user, 4 CALs as PU",
        "rebuild LS1",
    ):
        assert words in shown
    assert "no-license-server: no license server of the host's list answers" in shown


def test_help_has_examples():
    assert "calward scenario run before.toml after.toml --json" in run("--help").output
