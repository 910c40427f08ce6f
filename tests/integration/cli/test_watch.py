"""Does ``calward watch`` tell each change once: on standard output, to a mail server and to a webhook that are really there?"""

import json
import os
import shutil
import signal
import subprocess
import sys
from email import message_from_string
from email.policy import default
from pathlib import Path

import pytest

from calward.adapters.estates import notices
from calward.adapters.one_process import only_process
from calward.entrypoints.cli.common.exit_codes import Exit
from tests.support.command_line import calward
from tests.support.notice_receivers import a_mail_server, a_webhook

IMPORTS = Path(__file__).parents[3] / "examples" / "imports" / "two-servers"
SECRET = "whsec-of-the-test"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(*arguments, **options):
        away = {"CALWARD_ESTATES": str(tmp_path / "estates"), "CALWARD_SOCKET": str(tmp_path / "no.sock")}
        return calward(*map(str, arguments), **away, **options)

    return run


@pytest.fixture
def imported(run):
    assert run("estate", "import", *sorted(IMPORTS.glob("*.csv")), "--taken-at", "2026-11-24T12:00:00Z").code == Exit.OK


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr("calward.bootstrap.watch.pause", lambda _seconds: False)


def config(folder, text):
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    path = folder / "watch.toml"
    path.write_text(text)
    return path


def test_the_first_look_tells_what_is_open_and_the_second_nothing(run, imported):
    first = run("watch", "--once", "--json")
    assert first.code == Exit.FINDINGS
    assert {one["change"] for one in first.json["changes"]} == {"new"}
    second = run("watch", "--once", "--json")
    assert (second.code, second.out) == (Exit.OK, "")


def test_what_is_snoozed_is_told_as_gone(run, imported):
    key = run("watch", "--once", "--json").json["changes"][0]["key"]
    run("diagnose", "--snooze", key, "--reason", "known", "--until", "9999-12-31")
    ran = run("watch", "--once", "--json")
    assert [(one["change"], one["key"]) for one in ran.json["changes"]] == [("gone", key)]


def test_a_mail_comes_once(run, imported, tmp_path):
    with a_mail_server() as server:
        file = config(
            tmp_path,
            f'[mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
            'from = "calward@example.org"\nto = ["admin@example.org", "boss@example.org"]\n',
        )
        run("watch", "--once", "--config", file)
        run("watch", "--once", "--config", file)
    [(sender, to, text)] = server.mails
    assert (sender, to) == ("calward@example.org", ["admin@example.org", "boss@example.org"])
    mail = message_from_string(text, policy=default)
    assert mail["Subject"].startswith("Calward: imported: ")
    assert "new:" in mail.get_body().get_content()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["notice.json"]


def test_a_webhook_that_fails_twice_gets_the_same_notice_signed_and_none_again(run, imported, tmp_path, no_pauses):
    with a_webhook([500, 503, 200]) as hook:
        file = config(tmp_path, f'[webhook]\nurl = "{hook.url}"\nsecret_file = "secret"\n')
        assert run("watch", "--once", "--config", file).code == Exit.FINDINGS
        assert run("watch", "--once", "--config", file).code == Exit.OK
    assert len(hook.posts) == 3
    assert len({post.headers["Calward-Notice-Id"] for post in hook.posts}) == 1
    for post in hook.posts:
        assert post.is_signed_with(SECRET)
        assert not post.is_signed_with("another")


def test_a_webhook_that_is_out_of_order_keeps_nobody_else_from_being_told_and_is_told_later(
    run, imported, tmp_path, no_pauses
):
    with a_webhook([500] * (1 + len(notices._PAUSES)) + [200]) as hook:
        file = config(tmp_path, f'[webhook]\nurl = "{hook.url}"\nsecret_file = "secret"\n')
        first = run("watch", "--once", "--config", file)
        assert first.code == Exit.UNAVAILABLE
        assert "it answered 500" in first.err
        assert "new:" in first.out
        second = run("watch", "--once", "--config", file)
        assert (second.code, second.out) == (Exit.FINDINGS, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("leest = 'error'", "leest is no setting"),
        ("least = 'bad'", "least must be one of error, warning, info"),
        ("[mail]\nhost = 'h'\nfrom = 'a@b'", "mail.to is missing"),
        ("[mail]\nhost = 'h'\nfrom = 'a@b'\nto = 'a@b'", "mail.to must be a list"),
        ("[mail]\nhost = 'h'\nfrom = 'a@b'\nto = ['a@b']\nuser = 'u'", "goes with mail.password_file"),
        ("[webhook]\nurl = 'http://example.org/'\nsecret_file = 's'", "webhook.url must be https"),
        ("[webhook]\nurl = 3\nsecret_file = 's'", "webhook.url must be a text"),
        ("= 3", "is no TOML"),
        ("settle = 'soon'", "settle must be a time like 90s"),
        ("[threshold]\nmeasure = 'free'", "threshold must be written [[threshold]]"),
        ("threshold = [3]", "threshold[1] must be a table"),
        ("[[threshold]]\nwarning = 3", "threshold[1].measure must be one of free, free-percent, "),
        ("[[threshold]]\nmeasure = 'fre'\nwarning = 3", "threshold[1].measure must be one of free, "),
        ("[[threshold]]\nmeasure = 'free'", "threshold[1] needs at least one limit: error, warning, info"),
        ("[[threshold]]\nmeasure = 'free'\nwarnin = 3", "threshold[1].warnin is no setting: did you mean warning?"),
        ("[[threshold]]\nmeasure = 'refusals'\nwarning = 3\npack = 'P'", "threshold[1].pack is no setting"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = -1", "threshold[1].warning must be a number from 0"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = true", "threshold[1].warning must be a number from 0"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = nan", "threshold[1].warning must be a number from 0"),
        ("[[threshold]]\nmeasure = 'free-percent'\nwarning = 101", "from 0 to 100 (%)"),
        ("[[threshold]]\nmeasure = 'refusals'\nwarning = 0", "must be a number from 1"),
        ("[[threshold]]\nmeasure = 'refusals'\nwarning = 1\nwithin_days = 31", "a whole number of days from 1 to 30"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = 5\nerror = 5", "what matters more must have the lower limit"),
        ("[[threshold]]\nmeasure = 'over-used'\nwarning = 5\nerror = 4", "must have the higher limit"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = 5\ntype = 'built-in'", "must be one of per-device, per-user"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = 5\neach = 'server'", "must be one of version, pack, all"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = 5\nversion = 2022", "threshold[1].version must be a text"),
        ("[[threshold]]\nmeasure = 'free'\nwarning = 5\n[[threshold]]\nmeasure = 3", "threshold[2].measure must be"),
    ],
)
def test_a_wrong_setting_is_named(run, imported, tmp_path, text, said):
    ran = run("watch", "--once", "--config", config(tmp_path, text))
    assert ran.code not in {Exit.OK, Exit.FINDINGS, Exit.BUG}
    assert said in ran.err


def test_a_threshold_is_told_snoozed_and_counted_as_a_finding_of_its_own(run, imported, tmp_path):
    config(tmp_path, '[[threshold]]\nmeasure = "free"\neach = "all"\ninfo = 1000000\n')
    watch = ("watch", "--once", "--json", "--config", tmp_path / "watch.toml")
    assert "threshold-free@all" not in [one["key"] for one in run(*watch).json["changes"]], "info matters less"
    (tmp_path / "watch.toml").write_text('[[threshold]]\nmeasure = "free"\neach = "all"\nerror = 1000000\n')
    [told] = run(*watch, "--metrics-file", tmp_path / "calward.prom").json["changes"]
    assert (told["change"], told["key"], told["severity"]) == ("new", "threshold-free@all", "error")
    assert " CALs are free" in told["what"]
    errors = sum(one["severity"] == "error" for one in run("diagnose", "--json").json["findings"])
    assert (
        f'calward_findings{{estate="imported",severity="error"}} {errors + 1}'
        in (tmp_path / "calward.prom").read_text()
    )
    assert run("diagnose", "--snooze", told["key"], "--reason", "x", "--until", "9999-12-31").code != Exit.USAGE
    assert [(one["change"], one["key"]) for one in run(*watch).json["changes"]] == [("gone", told["key"])]


def test_two_watchers_of_one_folder_do_not_import_twice(run, tmp_path):
    put(tmp_path / "exports")
    lock = tmp_path / "estates" / "berlin" / "told.lock"
    lock.parent.mkdir(parents=True)
    with only_process(lock, "the test cannot have it", ""):
        ran = run("estate", "watch", tmp_path / "exports", "--name", "berlin", "--once")
    assert ran.code == Exit.REFUSED
    assert "another calward watch tells about berlin already" in ran.err
    assert not (lock.parent / "watched.json").exists()


def test_a_secret_that_others_can_read_is_refused(run, imported, tmp_path):
    file = config(tmp_path, '[webhook]\nurl = "http://127.0.0.1:1/"\nsecret_file = "secret"\n')
    (tmp_path / "secret").chmod(0o644)
    assert "others than its owner may read" in run("watch", "--once", "--config", file).err


def test_the_metrics_file_counts_what_is_open(run, imported, tmp_path):
    run("watch", "--once", "--metrics-file", tmp_path / "calward.prom")
    lines = (tmp_path / "calward.prom").read_text().splitlines()
    found = run("diagnose", "--json").json["findings"]
    errors = sum(one["severity"] == "error" for one in found)
    assert f'calward_findings{{estate="imported",severity="error"}} {errors}' in lines


def put(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names or [one.name for one in IMPORTS.glob("*.csv")]:
        shutil.copyfile(IMPORTS / name, folder / name)


def snapshots(run):
    return len(run("estate", "history", "berlin", "--json").json["items"])


def test_exports_in_a_folder_are_imported_when_they_are_whole_and_only_once(run, tmp_path):
    folder = tmp_path / "exports"
    put(folder)
    watch = ("estate", "watch", folder, "--name", "berlin", "--once", "--json")
    first = run(*watch)
    assert (first.code, first.out) == (Exit.OK, "")
    assert "no whole export yet" in first.err
    second = run(*watch)
    assert second.code == Exit.FINDINGS
    assert {one["change"] for one in second.json["changes"]} == {"new"}
    assert run(*watch).code == Exit.OK
    put(folder)  # The same content once more, as a job that exports each night writes it.
    for name in IMPORTS.glob("*.csv"):
        os.utime(folder / name.name, (1, 1))
    assert run(*watch).code == run(*watch).code == Exit.OK
    assert snapshots(run) == 1


def test_a_file_that_still_grows_keeps_the_export_waiting(run, tmp_path):
    folder = tmp_path / "exports"
    put(folder)
    watch = ("estate", "watch", folder, "--name", "berlin", "--once")
    run(*watch)
    grows = min(folder.iterdir())
    whole = grows.read_bytes()
    grows.write_bytes(whole[: len(whole) // 2])
    assert "no whole export yet" in run(*watch).err
    grows.write_bytes(whole)
    assert "no whole export yet" in run(*watch).err
    assert run(*watch).code == Exit.FINDINGS


def test_a_file_that_is_no_export_is_named_and_what_was_known_is_still_told(run, tmp_path):
    folder = tmp_path / "exports"
    put(folder)
    watch = ("estate", "watch", folder, "--name", "berlin", "--once")
    run(*watch)
    run(*watch)
    (folder / "notes.txt").write_text("buy milk\n")
    run(*watch)
    ran = run(*watch)
    assert ran.code not in {Exit.OK, Exit.FINDINGS, Exit.BUG}
    assert "notes.txt" in ran.err
    (folder / "notes.txt").unlink()
    assert run(*watch).code == Exit.OK
    assert snapshots(run) == 1


def test_a_name_that_leads_elsewhere_writes_nothing(run, tmp_path):
    put(tmp_path / "exports")
    assert run("estate", "watch", tmp_path / "exports", "--name", "../x", "--once").code == Exit.USAGE
    assert not (tmp_path / "x").exists()


def test_a_watcher_runs_until_sigterm_and_ends_well(tmp_path):
    put(tmp_path / "exports")
    arguments = ("estate", "watch", "exports", "--name", "berlin", "--every", "1s", "--json")
    places = {"CALWARD_ESTATES": str(tmp_path / "estates"), "XDG_STATE_HOME": str(tmp_path / "state")}
    with subprocess.Popen(
        [sys.executable, "-m", "calward", *arguments],
        cwd=tmp_path,
        env=os.environ | places,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            told = json.loads(running.stdout.readline())  # The second look tells it.
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(timeout=30)
    assert running.returncode == Exit.OK
    assert told["estate"] == "berlin"
