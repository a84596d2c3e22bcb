"""Which events of the audit trail the EHR has, and which still wait for it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what was kept before has no row, and does not go to an EHR any more."""
    op.create_table(
        "audit_deliveries",
        sa.Column(
            "number",
            sa.BigInteger(),
            sa.ForeignKey("audit_events.number", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("launch_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_audit_deliveries_launch", "audit_deliveries", ["launch_id", "state", "due_at"]
    )
