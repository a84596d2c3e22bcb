"""When somebody let a parked plan be tried again: its time counts from then."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; an earlier release kept that moment as the one of the acceptance."""
    op.add_column("outbox", sa.Column("retried_at", sa.BigInteger(), nullable=True))
