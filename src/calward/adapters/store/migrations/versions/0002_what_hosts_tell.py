"""What each session host told last of itself. A table more, of which the release before knows nothing and needs nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward; works while the release before is still running."""
    op.create_table(
        "heartbeat",
        sa.Column("host", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["host"], ["host.id"]),
        sa.PrimaryKeyConstraint("host", name=op.f("heartbeat_pk")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("heartbeat")
