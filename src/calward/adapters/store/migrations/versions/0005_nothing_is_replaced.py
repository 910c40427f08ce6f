"""An event is not replaced by another one of its number or place, and a stored checkpoint stays.

SQLite asks no trigger of DELETE for the row that INSERT OR REPLACE takes away, unless the connection wants it so; it does ask those
of INSERT first. PostgreSQL knows no REPLACE. A checkpoint of a size that is stored is passed over, as it is when it is stored twice.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = {
    "sqlite": (
        (
            "CREATE TRIGGER event_is_new BEFORE INSERT ON event "
            "WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id OR position = NEW.position) "
            "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
        ),
        (
            "CREATE TRIGGER checkpoint_is_new BEFORE INSERT ON checkpoint "
            "WHEN EXISTS (SELECT 1 FROM checkpoint WHERE size = NEW.size) BEGIN SELECT RAISE(IGNORE); END"
        ),
        "CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints stay'); END",
        "CREATE TRIGGER checkpoint_is_fixed BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints stay'); END",
    ),
    "postgresql": (
        (
            "CREATE FUNCTION checkpoint_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'checkpoints stay'; END $$"
        ),
        (
            "CREATE TRIGGER checkpoint_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint "
            "FOR EACH STATEMENT EXECUTE FUNCTION checkpoint_append_only()"
        ),
    ),
}
DOWN = {
    "sqlite": (
        "DROP TRIGGER event_is_new",
        "DROP TRIGGER checkpoint_is_new",
        "DROP TRIGGER checkpoint_stays",
        "DROP TRIGGER checkpoint_is_fixed",
    ),
    "postgresql": ("DROP FUNCTION checkpoint_append_only() CASCADE",),
}


def upgrade() -> None:
    """Bring the tables forward; works while the release before is still running."""
    for statement in UP[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Take it back."""
    for statement in DOWN[op.get_bind().dialect.name]:
        op.execute(statement)
