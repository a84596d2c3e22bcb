"""The tables: sealed, with only the columns that queries need in the clear."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, true
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
    expires_at: Mapped[int] = mapped_column(index=True)
    refreshing_until: Mapped[int] = mapped_column(default=0)
    return_to: Mapped[str | None] = mapped_column(String(500), default=None)
    holds_tokens: Mapped[bool] = mapped_column(default=True, server_default=true())

    __table_args__ = (Index("ix_launches_tokens", "holds_tokens", "expires_at"),)


class LaunchUseRow(Base):
    """What changes with a launch's pages: when it was used last, and what was ticked before."""

    __tablename__ = "launch_uses"

    launch_id: Mapped[str] = mapped_column(
        ForeignKey("launches.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[int] = mapped_column(BigInteger)
    given: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)


class ClosedLaunchRow(Base):
    """Why a launch was closed; it outlives the launch, so that its pages can say so."""

    __tablename__ = "closed_launches"

    launch_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reason: Mapped[str] = mapped_column(String(16))
    drafts_kept: Mapped[bool]
    closed_at: Mapped[int] = mapped_column(BigInteger, index=True)


class RateRow(Base):
    """How often something was asked for in one window of time; the key tells nothing of whom."""

    __tablename__ = "rates"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    window: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    ends_at: Mapped[int] = mapped_column(BigInteger, index=True)


class DraftRow(Base):
    """A draft plan, from the first proposal to the written CarePlan."""

    __tablename__ = "drafts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    launch_id: Mapped[str] = mapped_column(
        ForeignKey("launches.id", ondelete="CASCADE"), index=True
    )
    protocol: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="draft", index=True)
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


class OutboxRow(Base):
    """An accepted plan on its way to the EHR: one a draft, made with the receipt that holds it.

    Who sends it holds the claim on the draft. `line` tells patients and servers apart, `said` is
    sealed: why the last try failed, and what the server said.
    """

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"))
    server: Mapped[str] = mapped_column(String(2000))
    line: Mapped[str] = mapped_column(String(64))
    place: Mapped[int]
    state: Mapped[str] = mapped_column(String(24))
    attempts: Mapped[int]
    failures: Mapped[int]
    accepted_at: Mapped[int]
    retried_at: Mapped[int | None] = mapped_column(BigInteger, default=None)
    tried_at: Mapped[int | None] = mapped_column(BigInteger, default=None)
    due_at: Mapped[int]
    draft_version: Mapped[int]
    said: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)

    __table_args__ = (
        Index("ix_outbox_draft", "draft_id", unique=True),
        Index("ix_outbox_due", "state", "due_at"),
        Index("ix_outbox_line", "line", "place"),
    )


class ChoreRow(Base):
    """Work that one process at a time does, and when it is due again."""

    __tablename__ = "chores"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[int]


class SecretRow(Base):
    """A secret made for this database alone, which outlives the key that seals it."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AuditRow(Base):
    """One event of the audit trail; `chained` covers it and every event before it."""

    __tablename__ = "audit_events"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(index=True)
    once: Mapped[str | None] = mapped_column(String(64), unique=True, index=True, default=None)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    chained: Mapped[str] = mapped_column(String(64))


class AuditDeliveryRow(Base):
    """An event of the trail that the EHR may have, until the EHR has it or refuses it.

    Nobody else tries before `due_at`: who sends it moves that moment first.
    """

    __tablename__ = "audit_deliveries"

    number: Mapped[int] = mapped_column(
        ForeignKey("audit_events.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    launch_id: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int]
    due_at: Mapped[int]

    __table_args__ = (Index("ix_audit_deliveries_launch", "launch_id", "state", "due_at"),)


class AuditMarkRow(Base):
    """Where the trail ends ("head"), and up to where it was removed by age ("removed"); signed."""

    __tablename__ = "audit_marks"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int]
    chained: Mapped[str] = mapped_column(String(64))
    signed: Mapped[str] = mapped_column(String(64))


class ReadingRow(Base):
    """What was read for a launch, for a few minutes; `sealed` is empty before and after.

    Each read takes the next `ticket` when it begins; `kept` is the ticket of the read that is kept,
    `dropped` the last one that must not be kept any more.
    """

    __tablename__ = "readings"

    launch_id: Mapped[str] = mapped_column(
        ForeignKey("launches.id", ondelete="CASCADE"), primary_key=True
    )
    ticket: Mapped[int] = mapped_column(default=1)
    kept: Mapped[int] = mapped_column(default=0)
    dropped: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    read_at: Mapped[int | None] = mapped_column(index=True, default=None)
