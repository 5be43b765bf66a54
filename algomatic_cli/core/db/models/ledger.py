"""What the ledger keeps beside the fills: books, marks, events, quarantine, and what campaigns come to.

`campaigns` and `realised_events` are derived: a rebuild makes them from the effective fills and the events.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import (
    ZERO,
    Base,
    BigSerialKey,
    CreatedAt,
    Flag,
    JsonObject,
    SerialKey,
    Timestamped,
)


class BrokerAccount(Timestamped, Base):
    """A book: one account at a broker. Several may stand under one connection; their fills are kept apart."""

    __tablename__ = "broker_accounts"
    __table_args__ = (
        UniqueConstraint("snaptrade_account_id"),
        Index("ix_broker_accounts_user_account_id", "user_account_id"),
        Index("ix_broker_accounts_broker_connection_id", "broker_connection_id"),
    )

    id: Mapped[SerialKey]
    user_account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    broker_connection_id: Mapped[int] = mapped_column(ForeignKey("broker_connections.id", ondelete="CASCADE"))
    snaptrade_account_id: Mapped[str | None] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    number: Mapped[str | None] = mapped_column(String(50))
    is_active: Mapped[Flag]
    synced_through: Mapped[date | None]
    last_synced_at: Mapped[datetime | None]


class ImportBatch(Base):
    """One sync window or statement file that was taken in, with its summary."""

    __tablename__ = "import_batches"
    __table_args__ = (Index("ix_import_batches_account_id", "account_id"),)

    id: Mapped[BigSerialKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    broker_account_id: Mapped[int | None] = mapped_column(ForeignKey("broker_accounts.id", ondelete="SET NULL"))
    feed: Mapped[str] = mapped_column(String(30))
    source: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str | None] = mapped_column(String(64))
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    summary: Mapped[JsonObject]
    created_at: Mapped[CreatedAt]


class FillMark(Base):
    """Why a fill does not count: voided, ignored, or superseded by a corrected one. A fill has one mark at most."""

    __tablename__ = "fill_marks"
    __table_args__ = (
        UniqueConstraint("superseded_by"),
        Index("ix_fill_marks_account_id", "account_id"),
        CheckConstraint("kind IN ('void', 'ignore', 'supersede')", name="kind"),
        CheckConstraint("(kind = 'supersede') = (superseded_by IS NOT NULL)", name="superseded_by"),
    )

    fill_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("trade_fills.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    superseded_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("trade_fills.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]


class LedgerEvent(Base):
    """A split, grant, transfer or opening lot, applied when fills are replayed. `identity` makes it idempotent."""

    __tablename__ = "ledger_events"
    __table_args__ = (
        UniqueConstraint("account_id", "identity"),
        CheckConstraint("kind IN ('split', 'grant', 'transfer', 'opening')", name="kind"),
    )

    id: Mapped[BigSerialKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    broker_connection_id: Mapped[int | None] = mapped_column(ForeignKey("broker_connections.id", ondelete="SET NULL"))
    broker_account_id: Mapped[int | None] = mapped_column(ForeignKey("broker_accounts.id", ondelete="SET NULL"))
    identity: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(10))
    type: Mapped[str] = mapped_column(String(40))
    symbol: Mapped[str] = mapped_column(String(64))
    asset_type: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(10))
    multiplier: Mapped[Decimal | None] = mapped_column(Numeric)
    effective_at: Mapped[datetime]
    quantity: Mapped[Decimal] = mapped_column(Numeric, server_default=ZERO)
    ratio_new: Mapped[Decimal | None] = mapped_column(Numeric)
    ratio_old: Mapped[Decimal | None] = mapped_column(Numeric)
    price: Mapped[Decimal | None] = mapped_column(Numeric)
    fees: Mapped[Decimal] = mapped_column(Numeric, server_default=ZERO)
    feed: Mapped[str] = mapped_column(String(30))
    import_batch_id: Mapped[int | None] = mapped_column(BigInteger)
    raw_data: Mapped[dict[str, Any] | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[CreatedAt]


class QuarantinedFill(Base):
    """A row that could not be understood, with its line and the reason."""

    __tablename__ = "fill_quarantine"
    __table_args__ = (UniqueConstraint("account_id", "digest"),)

    id: Mapped[BigSerialKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    import_batch_id: Mapped[int | None] = mapped_column(BigInteger)
    feed: Mapped[str] = mapped_column(String(30))
    source: Mapped[str] = mapped_column(String(255))
    line: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    record: Mapped[JsonObject]
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[CreatedAt]


class Campaign(Base):
    """One campaign. Results are not here: they are the sum of its `realised_events`."""

    __tablename__ = "campaigns"
    __table_args__ = (
        Index("ix_campaigns_account_opened", "account_id", "opened_at"),
        CheckConstraint("direction IN ('long', 'short')", name="direction"),
    )

    group_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    broker_connection_id: Mapped[int | None]
    broker_account_id: Mapped[int | None]
    symbol: Mapped[str] = mapped_column(String(64))
    asset_type: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(10))
    multiplier: Mapped[Decimal] = mapped_column(Numeric)
    direction: Mapped[str] = mapped_column(String(5))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    fills: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(Numeric)
    max_quantity: Mapped[Decimal] = mapped_column(Numeric)
    open_quantity: Mapped[Decimal] = mapped_column(Numeric)
    open_basis: Mapped[Decimal | None] = mapped_column(Numeric)
    open_fees: Mapped[Decimal] = mapped_column(Numeric)
    fees: Mapped[Decimal] = mapped_column(Numeric)
    fees_unknown: Mapped[int]
    opened_by_sell: Mapped[bool]
    basis_known: Mapped[bool]


class RealisedEvent(Base):
    """The result of one exit on its exchange day; an unmatched close has no campaign and no amounts."""

    __tablename__ = "realised_events"
    __table_args__ = (
        Index("ix_realised_events_account_day", "account_id", "day"),
        CheckConstraint("matched = (group_id IS NOT NULL)", name="matched"),
    )

    fill_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    matched: Mapped[bool] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    group_id: Mapped[int | None] = mapped_column(BigInteger)
    day: Mapped[date]
    realised_at: Mapped[datetime]
    quantity: Mapped[Decimal] = mapped_column(Numeric)
    gross: Mapped[Decimal | None] = mapped_column(Numeric)
    fees: Mapped[Decimal] = mapped_column(Numeric)
    net: Mapped[Decimal | None] = mapped_column(Numeric)
    cost: Mapped[Decimal | None] = mapped_column(Numeric)
