"""A trader's own strategies, and the benchmarks to hold them against."""

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import Base, Flag, JsonList, JsonObject, SerialKey, Timestamped


class Strategy(Timestamped, Base):
    """A strategy in words; its name is unique within the account. It outlives its owner (`account_id` is then NULL)."""

    __tablename__ = "strategies"
    __table_args__ = (UniqueConstraint("account_id", "name"), Index("ix_strategies_account_id", "account_id"))

    id: Mapped[SerialKey]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("user_accounts.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(String(10), server_default=text("'both'"))
    timeframes: Mapped[JsonList]
    entry_criteria: Mapped[str | None] = mapped_column(Text)
    exit_criteria: Mapped[str | None] = mapped_column(Text)
    max_risk_pct: Mapped[float | None]
    min_risk_reward: Mapped[float | None]
    is_active: Mapped[Flag]
    risk_profile: Mapped[JsonObject]
    implied_strategy_family: Mapped[str | None] = mapped_column(String(50))
