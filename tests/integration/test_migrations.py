"""Do migrations make the tables that the code names, on both databases, from nothing and from anywhere between?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from calward.adapters.store import tables
from calward.adapters.store.engines import open_writer
from calward.adapters.store.migrate import alembic_config, migrate
from calward.domain.errors import LicensingError, Problem
from tests.support.audits import Office, a_long_history, new_sqlite

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])
REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]


@pytest.fixture(params=["sqlite", POSTGRESQL])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = server.new_database("template1")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(exist_ok=True)
    engine = open_writer(url)
    yield engine
    engine.dispose()


def table_names(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_a_new_database_gets_all_tables(url, engine):
    migrate(url)
    assert table_names(engine) == set(tables.metadata.tables)


@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_a_database_that_is_not_there_is_named_without_its_password(postgresql_server):
    there = postgresql_server.url("nowhere")
    with pytest.raises(LicensingError) as told:
        migrate(there.replace("calward@", "calward:secret@"))
    assert told.value.problem is Problem.UNAVAILABLE
    assert "nowhere" in told.value.detail
    assert "does not exist" in told.value.detail
    assert "secret" not in told.value.detail


def test_a_file_that_is_no_database_is_named(tmp_path):
    file = tmp_path / "ledger.db"
    file.write_text("This is not a database, it is a letter to an aunt. " * 40)
    with pytest.raises(LicensingError, match=r"ledger\.db cannot be opened: file is not a database"):
        migrate(f"sqlite:///{file}")


def test_migrations_and_tables_say_the_same(url, engine):
    migrate(url)
    with engine.begin() as connection:
        command.check(alembic_config(connection))  # Raises where a migration would still have something to do.


def test_migrating_again_changes_nothing(url, engine):
    migrate(url)
    before = table_names(engine)
    migrate(url)
    assert table_names(engine) == before


def test_every_migration_can_be_taken_back_and_made_again(url, engine):
    for revision in REVISIONS:
        with engine.begin() as connection:
            command.upgrade(alembic_config(connection), revision)
            command.downgrade(alembic_config(connection), "-1")
            command.upgrade(alembic_config(connection), revision)
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert table_names(engine) == set()


def test_there_is_one_line_of_migrations(url):
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_what_is_stored_survives_a_migration(url, tmp_path):
    migrate(url)
    office = Office(url)
    a_long_history(office)
    office.log.fold()
    before = office.verify()
    migrate(url)
    assert office.verify() == before
    assert before.holds
    office.close()


@pytest.mark.parametrize(
    "statement", ["DELETE FROM event", "UPDATE event SET body = '{}'", "UPDATE event SET position = 7"]
)
def test_events_can_only_be_appended(url, engine, statement):
    migrate(url)
    office = Office(url)
    office.open_for_business()
    office.log.fold()
    with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    office.close()


REPLACING = [
    "INSERT OR REPLACE INTO event (id, position, body) VALUES (2, 2, '{}')",
    "REPLACE INTO event (id, position, body) SELECT 2, 2, body FROM event WHERE id = 1",
    "INSERT OR REPLACE INTO event (id, position, body) VALUES (99999, 2, '{}')",
    "INSERT OR REPLACE INTO event (id, position, body) VALUES (2, 99999, '{}')",
    "INSERT OR IGNORE INTO event (id, position, body) VALUES (2, 2, '{}')",
    "INSERT INTO event VALUES (2, 2, '{}') ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    "UPDATE OR REPLACE event SET id = 1 WHERE id = 2",
    "UPDATE OR REPLACE event SET position = 1 WHERE id = 2",
]
"""What SQLite knows beside the plain ones; by itself it asks no trigger of DELETE for what is replaced."""


@pytest.mark.parametrize("recursive", ["OFF", "ON"])
def test_events_cannot_be_replaced_in_sqlite(tmp_path, recursive):
    office = Office(new_sqlite(tmp_path))
    a_long_history(office)
    engine = open_writer(office.url)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA recursive_triggers = {recursive}")
        for statement in REPLACING:
            with pytest.raises(Exception, match="append-only"):
                connection.exec_driver_sql(statement)
            connection.commit()
    engine.dispose()
    office.log.fold()
    assert office.verify().holds
    office.close()


STORED = "SELECT size, note FROM checkpoint"


@pytest.mark.parametrize("statement", ["DELETE FROM checkpoint", "UPDATE checkpoint SET note = ''"])
def test_checkpoints_stay(url, engine, statement):
    migrate(url)
    office = Office(url)
    office.open_for_business()
    office.log.store_checkpoint()
    with pytest.raises(Exception, match="checkpoints stay"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    office.close()


def test_a_stored_checkpoint_is_not_replaced_in_sqlite(tmp_path):
    office = Office(new_sqlite(tmp_path))
    office.open_for_business()
    office.log.store_checkpoint()
    engine = open_writer(office.url)
    with engine.begin() as connection:
        before = connection.exec_driver_sql(STORED).all()
        connection.exec_driver_sql("INSERT OR REPLACE INTO checkpoint SELECT size, at, 'x' FROM checkpoint")
        assert connection.exec_driver_sql(STORED).all() == before != []
    engine.dispose()
    office.close()


@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_events_cannot_be_emptied_at_a_stroke(postgresql_database):
    engine = open_writer(postgresql_database)
    with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE event")
    with pytest.raises(Exception, match="checkpoints stay"), engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE checkpoint")
    engine.dispose()


def test_a_sqlite_file_is_for_its_owner_only(tmp_path):
    migrate(f"sqlite:///{tmp_path / 'folder' / 'ledger.db'}")
    assert (tmp_path / "folder").stat().st_mode & 0o077 == 0


def test_the_template_of_tests_is_a_migrated_ledger(tmp_path):
    url = new_sqlite(tmp_path)
    engine = open_writer(url)
    with engine.begin() as connection:
        command.check(alembic_config(connection))
    engine.dispose()
