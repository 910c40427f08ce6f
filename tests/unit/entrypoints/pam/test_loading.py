"""A user waits while the helper loads: it brings no framework along."""

import json
import subprocess
import sys

HEAVY = {
    "alembic",
    "click",
    "cryptography",
    "fastapi",
    "httpx2",
    "msgspec",
    "rich",
    "rich_click",
    "sqlalchemy",
    "starlette",
}


def test_the_helper_loads_the_standard_library_and_our_rules_only():
    code = "import calward.bootstrap.pam, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert HEAVY.isdisjoint(json.loads(done.stdout))


def test_the_helper_says_how_it_is_called():
    command = [sys.executable, "-m", "calward.bootstrap.pam", "acount"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "account|session" in done.stderr
