"""When launches were used, what was ticked before a sign-in, and why launches were closed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    launch = sa.ForeignKey("launches.id", ondelete="CASCADE")
    op.create_table(
        "launch_uses",
        sa.Column("launch_id", sa.String(32), launch, primary_key=True, nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("given", sa.LargeBinary(), nullable=True),
    )
    op.create_table(
        "closed_launches",
        sa.Column("launch_id", sa.String(32), primary_key=True),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("drafts_kept", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_closed_launches_closed_at", "closed_launches", ["closed_at"])
