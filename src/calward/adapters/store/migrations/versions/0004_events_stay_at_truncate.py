"""Emptying the table of events at a stroke is refused as well; PostgreSQL asks no row's trigger then, SQLite knows no TRUNCATE."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward; works while the release before is still running."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER event_stays_whole BEFORE TRUNCATE ON event "
            "FOR EACH STATEMENT EXECUTE FUNCTION event_append_only()"
        )


def downgrade() -> None:
    """Take it back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER event_stays_whole ON event")
