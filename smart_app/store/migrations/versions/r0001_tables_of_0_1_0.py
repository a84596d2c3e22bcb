"""The tables as release 0.1.0 made them, without a version: made where they are absent."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the four tables; those of release 0.1.0 are left as they are."""
    op.create_table(
        "sign_ins",
        sa.Column("state_hash", sa.String(64), primary_key=True),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "launches",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        *_times("created_at", "usable_until", "expires_at", "refreshing_until"),
        sa.Column("return_to", sa.String(500), nullable=True),
        if_not_exists=True,
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(32), primary_key=True),
        _parent("launch_id", "launches.id"),
        sa.Column("protocol", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        *_times("claimed_until", "created_at", "updated_at"),
        if_not_exists=True,
    )
    op.create_table(
        "receipts",
        _parent("draft_id", "drafts.id", primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        *_times("created_at"),
        if_not_exists=True,
    )
    for table, column in (
        ("sign_ins", "expires_at"),
        ("launches", "owner"),
        ("drafts", "launch_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)


def _times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _parent(name: str, column: str, *, primary_key: bool = False) -> sa.Column[str]:
    foreign = sa.ForeignKey(column, ondelete="CASCADE")
    return sa.Column(name, sa.String(32), foreign, primary_key=primary_key, nullable=False)
