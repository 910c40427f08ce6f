"""Packs that move and change. Columns with defaults: the release before writes packs without them and is none the wiser."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward; works while the release before is still running."""
    op.add_column("pack", sa.Column("generation", sa.Integer(), server_default="1", nullable=False))
    op.add_column("pack", sa.Column("bought_as", sa.String(length=32), server_default="", nullable=False))
    op.add_column("pack", sa.Column("transfer", sa.String(length=32), nullable=True))
    op.add_column("pack", sa.Column("frozen_at", sa.BigInteger(), nullable=True))
    op.add_column("pack", sa.Column("aside", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take it back."""
    for column in ("aside", "frozen_at", "transfer", "bought_as", "generation"):
        op.drop_column("pack", column)
