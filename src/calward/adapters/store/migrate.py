"""How does a database get its tables, and the next release's?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pysqlite3
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from calward.adapters.store.engines import dialect_of, open_writer, sqlite_path
from calward.domain.errors import LicensingError, Problem

__all__ = ["alembic_config", "migrate"]


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings: where the migrations lie, and the connection to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(url: str) -> None:
    """Bring a database to this release's tables, making it if it is SQLite; replicas that start together take turns.

    Raises: LicensingError(UNAVAILABLE): there is no such database, or it does not let us in.
    """
    if dialect_of(url) == "sqlite":
        sqlite_path(url).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_writer(url)
    try:
        with _opened(engine) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7310417)")
            command.upgrade(alembic_config(connection), "head")
    finally:
        engine.dispose()


@contextmanager
def _opened(engine: Engine) -> Iterator[Connection]:
    """The first connection that is made: what is wrong with the address, the server or the password shows here."""
    try:
        connection = engine.connect()
    except (DBAPIError, pysqlite3.Error) as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
        shown = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)
        raise LicensingError(
            Problem.UNAVAILABLE, f"the database {shown} cannot be opened: {said}", field="database"
        ) from error
    with connection:
        yield connection
