"""The life of a trade: fills, what the trader thought at each, the checks on it, and the campaigns fills form."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import (
    FALSE,
    NOW,
    Base,
    BigSerialKey,
    CreatedAt,
    JsonObject,
    Timestamped,
)


class TradeFill(Base):
    """One execution: a row of the ledger, never changed. `quantity` is absolute; unknown fees are NULL, not zero."""

    __tablename__ = "trade_fills"
    __table_args__ = (
        UniqueConstraint("account_id", "external_trade_id"),
        CheckConstraint("side IN ('buy', 'sell')", name="side"),
        Index("ix_trade_fills_account_executed", "account_id", "executed_at"),
        Index("ix_trade_fills_broker_connection_id", "broker_connection_id"),
    )

    id: Mapped[BigSerialKey]
    # The ledger survives the removal of a connection.
    broker_connection_id: Mapped[int | None] = mapped_column(ForeignKey("broker_connections.id", ondelete="SET NULL"))
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    symbol: Mapped[str] = mapped_column(String(64))
    side: Mapped[str] = mapped_column(String(10))
    quantity: Mapped[float]
    price: Mapped[float]
    fees: Mapped[float | None]
    executed_at: Mapped[datetime]
    broker: Mapped[str | None] = mapped_column(String(100))
    asset_type: Mapped[str] = mapped_column(String(20), server_default=text("'equity'"))
    currency: Mapped[str] = mapped_column(String(10), server_default=text("'USD'"))
    order_id: Mapped[str | None] = mapped_column(String(255))
    venue: Mapped[str | None] = mapped_column(String(100))
    external_trade_id: Mapped[str | None] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(20), server_default=text("'manual'"))
    import_batch_id: Mapped[int | None] = mapped_column(BigInteger)
    raw_data: Mapped[dict[str, Any] | None]
    created_at: Mapped[CreatedAt]
    # Of revision 033: what identity and replay need to know.
    broker_account_id: Mapped[int | None] = mapped_column(ForeignKey("broker_accounts.id", ondelete="SET NULL"))
    multiplier: Mapped[float | None]
    action: Mapped[str | None] = mapped_column(String(40))
    is_date_only: Mapped[bool] = mapped_column(server_default=FALSE)
    execution_id: Mapped[str | None] = mapped_column(String(255))
    reference_id: Mapped[str | None] = mapped_column(String(255))
    activity_id: Mapped[str | None] = mapped_column(String(255))
    occurrence: Mapped[int] = mapped_column(server_default=text("1"))
    # The place among fills of one instant; NULL is the id's. A correction takes its original's.
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    feed: Mapped[str | None] = mapped_column(String(30))


class DecisionContext(Timestamped, Base):
    """What the trader thought, planned and felt at one fill. What was not written down is NULL."""

    __tablename__ = "decision_contexts"
    __table_args__ = (
        UniqueConstraint("fill_id"),
        Index("ix_decision_contexts_account_fill", "account_id", "fill_id"),
        CheckConstraint(
            "context_type IN ('entry', 'add', 'reduce', 'exit', 'idea', 'post_trade_reflection')", name="context_type"
        ),
    )

    id: Mapped[BigSerialKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    fill_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("trade_fills.id", ondelete="CASCADE"))
    context_type: Mapped[str] = mapped_column(String(30))
    strategy_id: Mapped[int | None] = mapped_column(ForeignKey("strategies.id", ondelete="SET NULL"))
    hypothesis: Mapped[str | None] = mapped_column(Text)
    exit_intent: Mapped[dict[str, Any] | None]
    feelings_then: Mapped[dict[str, Any] | None]
    feelings_now: Mapped[dict[str, Any] | None]
    notes: Mapped[str | None] = mapped_column(Text)
    # Of revision 036: made from the position alone; a person's hand clears it.
    is_inferred: Mapped[bool] = mapped_column(server_default=FALSE)


class CampaignCheck(Base):
    """The outcome of one check on one decision context. `passed` is NULL when data was missing to judge."""

    __tablename__ = "campaign_checks"
    __table_args__ = (
        UniqueConstraint("decision_context_id", "check_type"),
        Index("ix_campaign_checks_decision_context", "decision_context_id"),
        Index("ix_campaign_checks_account_id", "account_id"),
        CheckConstraint("severity IN ('info', 'warn', 'critical')", name="severity"),
        CheckConstraint(
            "check_phase IN ('pre_trade', 'at_entry', 'during', 'at_exit', 'post_trade')", name="check_phase"
        ),
    )

    id: Mapped[BigSerialKey]
    decision_context_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("decision_contexts.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    check_type: Mapped[str] = mapped_column(String(50))
    severity: Mapped[str] = mapped_column(String(10))
    passed: Mapped[bool | None]
    details: Mapped[JsonObject]
    nudge_text: Mapped[str | None] = mapped_column(Text)
    acknowledged: Mapped[bool] = mapped_column(server_default=FALSE)
    trader_action: Mapped[str | None] = mapped_column(String(20))
    checked_at: Mapped[datetime] = mapped_column(server_default=NOW)
    check_phase: Mapped[str] = mapped_column(String(20))


class CampaignFill(Base):
    """A fill's place in a campaign. `group_id` is the id of the campaign's first fill; a flip is in two groups."""

    __tablename__ = "campaign_fills"
    __table_args__ = (
        UniqueConstraint("group_id", "fill_id"),
        Index("ix_campaign_fills_group_id", "group_id"),
        Index("ix_campaign_fills_fill_id", "fill_id"),
    )

    id: Mapped[BigSerialKey]
    group_id: Mapped[int] = mapped_column(BigInteger)
    fill_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("trade_fills.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]
    # Of revision 033: the signed part of the fill in this campaign, and the campaign's position after it.
    quantity: Mapped[float | None]
    position: Mapped[float | None]
