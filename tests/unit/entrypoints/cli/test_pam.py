"""Do the commands of `calward pam` hand PAM's question on, and its answer back?"""

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from calward.entrypoints.cli.sessionhost.pam import pam


def run(*arguments: str, code: int = 0, **environment: str) -> tuple[int, list[tuple]]:
    asked: list[tuple] = []

    def run_pam(stack, config, given):
        asked.append((stack, config, given.get("PAM_USER"), given.get("PAM_TYPE")))
        return code

    result = CliRunner().invoke(pam, arguments, obj=SimpleNamespace(run_pam=run_pam), env=environment)
    return result.exit_code, asked


@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_code_is_the_answer(code):
    assert run("account", code=code, PAM_USER="alice", PAM_TYPE="account") == (
        code,
        [("account", None, "alice", "account")],
    )


def test_a_user_can_be_tried_by_hand():
    assert run("account", "--user", "bob", "--config", "h.toml", PAM_USER="alice")[1] == [
        ("account", Path("h.toml"), "bob", "account")
    ]


def test_a_session_is_handed_on_as_pam_says():
    assert run("session", PAM_USER="alice", PAM_TYPE="close_session") == (
        0,
        [("session", None, "alice", "close_session")],
    )
