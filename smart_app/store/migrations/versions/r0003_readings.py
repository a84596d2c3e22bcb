"""What was read for a launch, for a few minutes, so that every worker shows the newest."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of readings."""
    launch = sa.ForeignKey("launches.id", ondelete="CASCADE")
    op.create_table(
        "readings",
        sa.Column("launch_id", sa.String(32), launch, primary_key=True, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("ticket", "kept", "dropped")
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_readings_read_at", "readings", ["read_at"])
