"""An administrator whose ledger went back: what the commands say, and what they lead to."""

import json

import pytest

from calward.app.licensing.make_token import MakeToken, make_token
from calward.app.licensing.quarantine import enter_quarantine
from calward.bootstrap.program import main
from calward.domain.quarantine import Cause, Quarantine
from calward.domain.roles import Role
from calward.domain.statements import Channel
from tests.support.going_back import GoingBack, Line


@pytest.fixture
def office(tmp_path):
    return GoingBack(tmp_path)


@pytest.fixture
def served(office, monkeypatch):
    monkeypatch.setattr(
        "calward.bootstrap.clearinghouse_contact.HttpClearinghouse", lambda _address: Line(office.house)
    )
    with office.serving() as found:
        office.set_up(found)
        yield found


@pytest.fixture
def run(served, tmp_path, capsys):
    """Run a command as a license administrator; gives its exit code and what it printed."""
    one = served.server
    command = MakeToken("anna", Role.LICENSE_ADMINISTRATOR, "tests")
    token = one.ledger.write(lambda book: make_token(command, book, now=book.now(), entropy=one.entropy)).token
    file = tmp_path / "token"
    file.write_text(token)
    file.chmod(0o600)

    def ran(*words):
        capsys.readouterr()
        code = main([*words, "--server", served.url, "--token-file", str(file)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return ran


def quarantined(served, cause=Cause.OLDER, **more):
    one = served.server
    now = one.clock.now()
    found = Quarantine(cause, now, 7, **more)
    one.ledger.write(lambda book: enter_quarantine(found, book, now=now, by="host:SH1"))
    served.tell()


def test_a_sound_ledger_has_nothing_to_recover_from(run):
    code, said = run("server", "recover")
    assert (code, said) == (0, "the ledger is not in quarantine: nobody has seen a newer one\n")


def test_it_is_explained_who_saw_what_and_what_leads_out(served, run):
    quarantined(served, seen=20, seen_at=served.server.clock.now(), by="host:SH1")
    code, said = run("server", "recover")
    assert code == 0
    assert "host:SH1 has seen a ledger of 20 events" in said
    assert "at least 13 events are missing here" in said
    assert "--accept-loss" in said
    assert "--nothing-lost" not in said


def test_status_server_readyz_and_metrics_say_so_too(served, run):
    quarantined(served, seen=20, by="host:SH1")
    assert run("status")[1].startswith("stopped: the ledger may be older than what others have seen of it")
    assert "ledger-rolled-back" in run("server", "show")[1]
    ready, metrics = (get(served, path) for path in ("/readyz", "/metrics"))
    assert json.loads(ready) == {"ready": True, "temporary_only": "ledger-rolled-back"}
    assert "calward_ledger_quarantined 1.0" in metrics


def get(served, path):
    from urllib.request import urlopen

    with urlopen(served.url + path) as answer:
        return answer.read().decode()


def test_accepting_the_loss_online_ends_it(served, run):
    quarantined(served, seen=20, by="host:SH1")
    code, said = run("server", "recover", "--accept-loss", "--clearinghouse", "https://ch.example")
    assert code == 0, said
    assert said == "recovered: 1 key packs are this server's; licenses it does not know are void\n"
    assert run("server", "recover", "--json")[1].startswith('{\n  "quarantined": false')


@pytest.mark.parametrize("command", [("recover", "--accept-loss"), ("rebuild",)])
def test_without_a_network_two_files_do(office, served, run, tmp_path, command):
    quarantined(served, seen=20, by="host:SH1")
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    code, said = run("server", *command, "--request-file", str(request))
    assert code == 0, said
    answer.write_bytes(office.house.answer(request.read_bytes().strip(), Channel.FILE))
    code, said = run("server", *command, "--answer-file", str(answer))
    assert code == 0, said
    assert said.startswith("recovered: 1 key packs")
    assert json.loads(run("server", "recover", "--json")[1])["quarantined"] is False


def test_the_answer_to_another_request_is_refused(office, served, run, tmp_path):
    quarantined(served, seen=20, by="host:SH1")
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    assert run("server", "recover", "--accept-loss", "--request-file", str(request))[0] == 0
    answer.write_bytes(office.house.answer(request.read_bytes().strip(), Channel.FILE))
    assert run("server", "rebuild", "--answer-file", str(answer))[0] == 0  # One answer ends both questions.
    code, said = run("server", "recover", "--accept-loss", "--answer-file", str(request))
    assert code == 4
    assert "is it the answer of the clearinghouse" in said


def test_nothing_is_given_up_unless_it_is_said(served, run):
    quarantined(served, seen=20, by="host:SH1")
    code, said = run("server", "recover", "--clearinghouse", "https://ch.example")
    assert code == 2
    assert "--accept-loss" in said
    assert run("server", "recover", "--accept-loss", "--nothing-lost")[0] == 2
    assert json.loads(run("server", "recover", "--json")[1])["quarantined"] is True


def test_a_restored_ledger_can_be_confirmed_and_an_older_one_cannot(served, run):
    quarantined(served, Cause.RESTORED)
    assert "--nothing-lost" in run("server", "recover")[1]
    assert run("server", "recover", "--nothing-lost") == (0, "the ledger is confirmed: full licenses are given again\n")
    quarantined(served, seen=20, by="host:SH1")
    code, said = run("server", "recover", "--nothing-lost")
    assert code == 4
    assert "something was lost" in said
