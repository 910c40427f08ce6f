"""How does a database get its tables, and the next release's?"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from calward.adapters.store.engines import dialect_of, open_writer, sqlite_path

__all__ = ["alembic_config", "migrate"]


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings: where the migrations lie, and the connection to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(url: str) -> None:
    """Bring a database to this release's tables, making it if it is SQLite; replicas that start together take turns."""
    if dialect_of(url) == "sqlite":
        sqlite_path(url).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_writer(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7310417)")
            command.upgrade(alembic_config(connection), "head")
    finally:
        engine.dispose()
