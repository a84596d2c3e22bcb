"""Which launches hold tokens, work that is due, secrets that outlive a key, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and the tables; any launch of before may hold tokens."""
    op.add_column(
        "launches",
        sa.Column("holds_tokens", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.create_index("ix_launches_expires_at", "launches", ["expires_at"])
    op.create_index("ix_launches_tokens", "launches", ["holds_tokens", "expires_at"])
    op.create_table(
        "chores",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "audit_events",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("once", sa.String(64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("chained", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
    op.create_index("ix_audit_events_once", "audit_events", ["once"], unique=True)
    op.create_table(
        "audit_marks",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("chained", sa.String(64), nullable=False),
        sa.Column("signed", sa.String(64), nullable=False),
    )
