"""Our lines in a PAM service: shown, put in, taken out exactly."""

import pytest

from calward.adapters.sessionhost.pam_service import apply_change, installed_in, plan_install, plan_undo
from calward.domain.errors import LicensingError, Problem

XRDP = """#%PAM-1.0
auth     required  pam_env.so readenv=1
@include common-auth
-auth    optional  pam_gnome_keyring.so
@include common-account
@include common-session
-session optional  pam_gnome_keyring.so auto_start
@include common-password
"""
HELPER = "/usr/bin/python3 -I -m calward.bootstrap.pam"


@pytest.fixture
def service(tmp_path):
    path = tmp_path / "xrdp-sesman"
    path.write_text(XRDP)
    path.chmod(0o644)
    return path


def install(path):
    change = plan_install(path.parent, path.name, HELPER)
    apply_change(change)
    return change


def test_the_gate_stands_behind_the_account_stack_and_the_note_behind_the_session_stack(service):
    install(service)
    lines = [line for line in service.read_text().splitlines() if not line.startswith("#")]
    at = lines.index("@include common-account")
    assert lines[at + 1 : at + 4] == [
        f"account [success=1 default=ignore] pam_exec.so quiet stdout {HELPER} account",
        "account requisite pam_debug.so acct=acct_expired",
        "@include common-session",
    ]
    at = lines.index("-session optional  pam_gnome_keyring.so auto_start")
    assert lines[at + 1] == f"session optional pam_exec.so quiet stdout {HELPER} session"
    assert service.stat().st_mode & 0o777 == 0o644
    assert installed_in(service.parent) == ["xrdp-sesman"]


@pytest.mark.parametrize("text", [XRDP, XRDP.rstrip("\n"), "account required a.so\nsession required b.so\n"])
def test_undo_gives_back_every_byte_and_leaves_nothing(service, text):
    service.write_text(text)
    install(service)
    apply_change(plan_undo(service.parent, service.name))
    assert service.read_text() == text
    assert [path.name for path in service.parent.iterdir()] == [service.name]


def test_undo_keeps_what_others_have_changed_meanwhile(service):
    install(service)
    service.write_text(service.read_text() + "session optional pam_other.so\n")
    apply_change(plan_undo(service.parent, service.name))
    assert service.read_text() == XRDP + "session optional pam_other.so\n"


def test_installing_twice_changes_nothing(service):
    install(service)
    assert plan_install(service.parent, service.name, HELPER).diff == ""


def test_the_difference_shows_both_ways_and_nothing_is_done_by_looking(service):
    assert "+account requisite" in plan_install(service.parent, service.name, HELPER).diff
    assert plan_undo(service.parent, service.name).diff == ""
    assert service.read_text() == XRDP


def test_a_file_that_was_changed_after_it_was_shown_is_left_alone(service):
    change = plan_install(service.parent, service.name, HELPER)
    service.write_text(XRDP + "# more\n")
    with pytest.raises(LicensingError) as caught:
        apply_change(change)
    assert caught.value.problem is Problem.CONFLICT
    assert service.read_text() == XRDP + "# more\n"


@pytest.mark.parametrize(("name", "problem"), [("../passwd", Problem.MALFORMED), ("none", Problem.NOT_FOUND)])
def test_a_service_that_is_none_is_said(service, name, problem):
    with pytest.raises(LicensingError) as caught:
        plan_install(service.parent, name, HELPER)
    assert caught.value.problem is problem


def test_a_service_without_a_stack_to_stand_behind_is_refused(service):
    service.write_text("auth required pam_permit.so\n")
    with pytest.raises(LicensingError, match="no account stack"):
        plan_install(service.parent, service.name, HELPER)


def test_a_service_without_sessions_gets_the_gate_alone(service):
    service.write_text("auth required pam_unix.so\naccount required pam_unix.so\n")
    planned = plan_install(service.parent, service.name, HELPER)
    assert f"{HELPER} account" in planned.after
    assert f"{HELPER} session" not in planned.after
    planned.apply()
    assert plan_undo(service.parent, service.name).after == planned.before
