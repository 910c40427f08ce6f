"""A session host whose logins go through the real libpam: Debian's ``pamtester`` and ``pam_exec``.

Needs root, since libpam reads services from /etc/pam.d only: each host writes one uniquely named service there and takes it away.
"""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAM_FOLDER = Path("/etc/pam.d")
WHY_NOT = next(
    (
        reason
        for reason, missing in {
            "pamtester is not installed (Debian: apt-get install pamtester)": shutil.which("pamtester") is None,
            "a PAM service can be written by root only": os.geteuid() != 0,
            "there is no /etc/pam.d": not PAM_FOLDER.is_dir(),
        }.items()
        if missing
    ),
    None,
)
pam_marks = [pytest.mark.pam, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]


class Host:
    """A session host: its settings, its memory, and a PAM service of its own."""

    def __init__(self, folder: Path, service: str):
        self.folder = folder
        self.service = service
        self.token = folder / "token"
        self.use_token("none yet")
        self.configure()

    def use_token(self, token: str) -> None:
        self.token.write_text(token)
        self.token.chmod(0o600)

    def configure(self, *urls: str, **settings: object) -> None:
        lines = [f"{key} = {value!r}".replace("'", '"') for key, value in settings.items()]
        lines += [f'state_dir = "{self.folder}/state"', f'token_file = "{self.token}"']
        lines += [f'[[server]]\nurl = "{url}"' for url in urls]
        (self.folder / "host.toml").write_text("\n".join(lines) + "\n")

    def pam(self, user: str, *operations: str) -> tuple[bool, str, float]:
        """Let libpam decide; gives whether it succeeded, what the user read, and the seconds it took."""
        begun = time.monotonic()
        done = subprocess.run(
            ["pamtester", "-I", "tty=:10", self.service, user, *operations],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode == 0, done.stdout + done.stderr, time.monotonic() - begun

    def account(self, user: str) -> tuple[bool, str, float]:
        return self.pam(user, "acct_mgmt")


@contextmanager
def pam_host(tmp_path: Path) -> Iterator[Host]:
    name = f"calward-test-{uuid.uuid4().hex[:12]}"
    helper = f"{sys.executable} -m calward.bootstrap.pam"
    wrapper = tmp_path / "helper"
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}/src exec {helper} "$1" --config {tmp_path}/host.toml\n')
    wrapper.chmod(0o700)
    service = PAM_FOLDER / name
    service.write_text(
        "auth required pam_permit.so\n"
        f"account required pam_exec.so quiet stdout {wrapper} account\n"
        f"session optional pam_exec.so quiet stdout {wrapper} session\n"
        "session required pam_permit.so\n"
    )
    try:
        yield Host(tmp_path, name)
    finally:
        service.unlink()
