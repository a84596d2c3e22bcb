"""The tables: sealed, with only the columns that queries need in the clear."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables; times are whole seconds since 1970."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger}


class SignInRow(Base):
    """A sign-in under way: found by its state, bound to one browser, gone once used."""

    __tablename__ = "sign_ins"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[int] = mapped_column(index=True)


class LaunchRow(Base):
    """One launch: one patient, one user, one EHR, one browser; its tokens are in `sealed`."""

    __tablename__ = "launches"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(64), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[int]
    usable_until: Mapped[int]
    expires_at: Mapped[int]
    refreshing_until: Mapped[int] = mapped_column(default=0)
    return_to: Mapped[str | None] = mapped_column(String(500), default=None)


class DraftRow(Base):
    """A draft plan, from the first proposal to the written CarePlan."""

    __tablename__ = "drafts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    launch_id: Mapped[str] = mapped_column(
        ForeignKey("launches.id", ondelete="CASCADE"), index=True
    )
    protocol: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="draft")
    version: Mapped[int] = mapped_column(default=1)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    claimed_until: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[int]
    updated_at: Mapped[int]


class ReceiptRow(Base):
    """What became of a draft's write: one a draft."""

    __tablename__ = "receipts"

    draft_id: Mapped[str] = mapped_column(
        ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[int]
