"""The ledger's tables, and what holds that events are only ever appended."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BESIDE_TABLES = {
    "sqlite": (
        "CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
        "CREATE TRIGGER event_is_fixed BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    ),
    "postgresql": (
        (
            "CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF TG_OP = 'UPDATE' AND OLD.position IS NULL AND NEW.id = OLD.id AND NEW.body = OLD.body THEN RETURN NEW; END IF; "
            "RAISE EXCEPTION 'events are append-only'; END $$"
        ),
        "CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION event_append_only()",
        "CREATE SEQUENCE event_id",
        "CREATE SEQUENCE holder_id",
    ),
}
"""What tables alone cannot hold, by dialect."""


def upgrade() -> None:
    """Bring the tables forward; works while the release before is still running."""
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("checkpoint_pk")),
    )
    op.create_table(
        "code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("host", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("code_pk")),
    )
    op.create_table(
        "document",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("document_pk")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("event_pk")),
        sa.UniqueConstraint("position", name=op.f("event_position_once")),
    )
    op.create_table(
        "holder",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=1), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("proven_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("holder_pk")),
    )
    op.create_index("holder_key", "holder", ["kind", "key"], unique=True)
    op.create_table(
        "host",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=False),
        sa.Column("host_group", sa.String(length=64), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=True),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("host_pk")),
        sa.UniqueConstraint("name", name=op.f("host_name_once")),
        sa.UniqueConstraint("token_hash", name=op.f("host_token_hash_once")),
    )
    op.create_table(
        "pack",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=1), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("installed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("total >= 1", name="pack_holds_cals"),
        sa.PrimaryKeyConstraint("number", name=op.f("pack_pk")),
    )
    op.create_index(
        "pack_installed_once",
        "pack",
        ["id"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "policy",
        sa.Column("host_group", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=True),
        sa.Column("servers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("host_group", name=op.f("policy_pk")),
    )
    op.create_table(
        "refusal",
        sa.Column("holder", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("host", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "host", "reasons", name=op.f("refusal_pk")),
    )
    op.create_index("refusal_event", "refusal", ["event"], unique=False)
    op.create_table(
        "request",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("request_pk")),
        sqlite_with_rowid=False,
    )
    op.create_index("request_at", "request", ["at"], unique=False)
    op.create_table(
        "server",
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint("k = 1", name="server_is_one"),
        sa.PrimaryKeyConstraint("k", name=op.f("server_pk")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("token_pk")),
        sa.UniqueConstraint("hash", name=op.f("token_hash_once")),
    )
    op.create_table(
        "tree",
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("k = 1", name="tree_is_one"),
        sa.PrimaryKeyConstraint("k", name=op.f("tree_pk")),
    )
    op.create_table(
        "warning",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("warning_pk")),
    )
    op.create_table(
        "license",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("holder", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=1), nullable=False),
        sa.Column("status", sa.String(length=1), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("pack", sa.BigInteger(), nullable=True),
        sa.Column("seat", sa.Integer(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ending", sa.String(length=16), nullable=True),
        sa.CheckConstraint("(status = 'a') = (seat IS NOT NULL)", name="license_full_holds_a_cal"),
        sa.ForeignKeyConstraint(
            ["holder"],
            ["holder.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("license_pk")),
    )
    op.create_index(
        "license_cal",
        "license",
        ["pack", "seat"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL AND seat IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NULL AND seat IS NOT NULL"),
    )
    op.create_index("license_holder", "license", ["holder"], unique=False)
    op.create_index(
        "license_loose_end",
        "license",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL AND seat IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL AND seat IS NULL"),
    )
    op.create_index(
        "license_revoked",
        "license",
        ["family", "expires_at"],
        unique=False,
        sqlite_where=sa.text("ending = 'revoked'"),
        postgresql_where=sa.text("ending = 'revoked'"),
    )
    op.create_table(
        "seat",
        sa.Column("pack", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("license", sa.BigInteger(), nullable=True),
        sa.Column("held_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("license IS NOT NULL OR held_until = 0", name="seat_held_by_a_license"),
        sa.ForeignKeyConstraint(
            ["pack"],
            ["pack.number"],
        ),
        sa.PrimaryKeyConstraint("pack", "n", name=op.f("seat_pk")),
        sqlite_with_rowid=False,
    )
    op.create_index("seat_free", "seat", ["pack", "held_until", "n"], unique=False)
    for statement in BESIDE_TABLES[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Take it back."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in (
            "DROP FUNCTION event_append_only() CASCADE",
            "DROP SEQUENCE event_id",
            "DROP SEQUENCE holder_id",
        ):
            op.execute(statement)
    op.drop_index("seat_free", table_name="seat")
    op.drop_table("seat")
    op.drop_index(
        "license_revoked",
        table_name="license",
        sqlite_where=sa.text("ending = 'revoked'"),
        postgresql_where=sa.text("ending = 'revoked'"),
    )
    op.drop_index(
        "license_loose_end",
        table_name="license",
        sqlite_where=sa.text("ended_at IS NULL AND seat IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL AND seat IS NULL"),
    )
    op.drop_index("license_holder", table_name="license")
    op.drop_index(
        "license_cal",
        table_name="license",
        sqlite_where=sa.text("ended_at IS NULL AND seat IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NULL AND seat IS NOT NULL"),
    )
    op.drop_table("license")
    op.drop_table("warning")
    op.drop_table("tree")
    op.drop_table("token")
    op.drop_table("server")
    op.drop_index("request_at", table_name="request")
    op.drop_table("request")
    op.drop_index("refusal_event", table_name="refusal")
    op.drop_table("refusal")
    op.drop_table("policy")
    op.drop_index(
        "pack_installed_once",
        table_name="pack",
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.drop_table("pack")
    op.drop_table("host")
    op.drop_index("holder_key", table_name="holder")
    op.drop_table("holder")
    op.drop_table("event")
    op.drop_table("document")
    op.drop_table("code")
    op.drop_table("checkpoint")
