"""A PostgreSQL server for one run of the tests: its own data, its own port, stopped at the end.

It starts the programs that the distribution's package brings, as somebody other than root, because they refuse root.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

TEMPLATE = "calward_template"
_WAIT_SECONDS = 60


@dataclass
class PostgresqlServer:
    """A running server; ``url`` gives the address of one of its databases."""

    port: int
    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql://calward@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def new_database(self, template: str = TEMPLATE) -> str:
        name = f"calward_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    if find_programs() is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql (./dev test does it where it may)")
    with running_server() as server:
        yield server


@contextmanager
def running_server(parent: Path | None = None) -> Iterator[PostgresqlServer]:
    """A server with its data in a folder of its own (in ``parent``, else where temporary files go), gone afterwards."""
    programs = find_programs()
    assert programs is not None, "ask find_programs first"
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="calward-pg-", dir=parent))
    try:
        if user:
            shutil.chown(folder, user)
        yield from _serve(programs, folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_database(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The address of a database with all tables and no rows; gone after the test."""
    name = postgresql_server.new_database()
    yield postgresql_server.url(name)
    postgresql_server.run(f"DROP DATABASE {name} WITH (FORCE)")


def find_programs() -> Path | None:
    """The folder with initdb and pg_ctl: the newest under Debian's, else where PATH finds them."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _unprivileged() -> str | None:
    """Whom to run as; None: ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _serve(programs: Path, folder: Path, user: str | None) -> Iterator[PostgresqlServer]:
    from calward.adapters.store.migrate import migrate  # Every run of the tests loads this file, few make a database.

    data, log = folder / "data", folder / "log"

    def run(*command: object) -> None:
        done = subprocess.run(
            [str(part) for part in command],
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_WAIT_SECONDS,
            check=False,
        )
        if done.returncode:
            said = log.read_text(encoding="utf-8") if log.exists() else ""
            pytest.fail(f"PostgreSQL: {command[0]} failed:\n{done.stdout}{done.stderr}{said}")

    run(programs / "initdb", "-D", data, "-U", "calward", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    port = _free_port()
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c max_connections=60 -c shared_buffers=32MB"
    run(programs / "pg_ctl", "start", "-D", data, "-l", log, "-w", "-o", options)
    try:
        server = PostgresqlServer(port, folder)
        server.run(f"CREATE DATABASE {TEMPLATE}")
        migrate(server.url(TEMPLATE))
        yield server
    finally:
        run(programs / "pg_ctl", "stop", "-D", data, "-m", "immediate", "-w")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
