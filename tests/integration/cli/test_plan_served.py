"""Do `calward plan` and `calward forecast` ask the server that users start for its own ledger?"""

import pytest

from tests.support.command_line import calward
from tests.support.running_server import serving

pytestmark = pytest.mark.xdist_group("plan_served")  # One server for all of them.


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """A server whose host has seen two users: neither has a CAL, as none is installed."""
    folder = tmp_path_factory.mktemp("plan_served")
    (folder / "ls").mkdir()
    with serving(folder, "--data-dir", str(folder / "ls")) as server:

        def ask(*arguments: str):
            return calward(*arguments, CALWARD_SERVER=server.socket, CALWARD_ESTATES=str(folder / "none"), columns=120)

        token = str(folder / "sh1.token")
        host = ("SH1", "--version", "2016", "--mode", "per-user", "--token-file", token)
        assert ask("host", "enroll", *host).code == 0
        for user in ("alice", "bob"):
            ran = ask("license", "request", "--user", user, "--host-token-file", token, "--json")
            assert ran.code == 0, ran
        yield ask


def test_the_ledger_says_which_cals_are_needed(ask):
    ran = ask("plan", "needs", "--json")
    assert ran.code == 7, ran
    (row,) = ran.json["before"]
    assert (row["type"], row["version"], row["needed"], row["short"]) == ("per-user", "2016", 2, 2)
    assert ran.json["purchase"]["lines"][0]["cals"] == 2
    # The ledger knows each holder's host; nobody has activated the server.
    assert [note.partition(" ")[2] for note in ran.json["notes"]] == [
        "has no right to issue: temporary licenses only, and none is renewed"
    ]


def test_a_plan_begins_from_the_ledger(ask, tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text('base = "estate"\n[[edit]]\ndo = "upgrade-hosts"\nhosts = ["SH1"]\nto = "2025"\n')
    ran = ask("plan", "run", str(file), "--json")
    assert ran.code == 7, ran
    assert [(row["version"], row["needed"]) for row in ran.json["after"]] == [("2025", 2)]


def test_a_new_ledger_is_too_young_for_a_forecast(ask):
    ran = ask("forecast", "--json")
    assert ran.code == 0, ran
    assert all(row["thin"]["days_needed"] == 56 for row in ran.json["items"])
