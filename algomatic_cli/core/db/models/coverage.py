"""What providers were asked for, and what of their answers could not be stored."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import Base, CreatedAt, SerialKey, UpdatedAt

NOTHING = text("'{}'::tstzmultirange")


class BarCoverage(Base):
    """What was asked for and answered, of one series from one source: "no trade" is covered, "never asked" is not.

    `covered` holds opening instants. `confirmed` is the part of it that was asked for again because bars seemed to be
    missing, and stayed empty.
    """

    __tablename__ = "bar_coverage"
    __table_args__ = (UniqueConstraint("ticker_id", "timeframe", "provider", "feed", "adjustment"),)

    id: Mapped[SerialKey]
    ticker_id: Mapped[int] = mapped_column(ForeignKey("tickers.id", ondelete="CASCADE"))
    timeframe: Mapped[str] = mapped_column(String(10))
    provider: Mapped[str] = mapped_column(String(20))
    feed: Mapped[str] = mapped_column(String(20))
    adjustment: Mapped[str] = mapped_column(String(20))
    covered: Mapped[Any] = mapped_column(TSTZMULTIRANGE, server_default=NOTHING)
    confirmed: Mapped[Any] = mapped_column(TSTZMULTIRANGE, server_default=NOTHING)
    updated_at: Mapped[UpdatedAt]


class BarQuarantine(Base):
    """A row that a provider sent and that is no bar: kept to be looked at, once however often it was sent."""

    __tablename__ = "bar_quarantine"
    __table_args__ = (
        Index("uq_bar_quarantine_row", "ticker_id", "timeframe", "provider", func.md5(text("row_text")), unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticker_id: Mapped[int] = mapped_column(ForeignKey("tickers.id", ondelete="CASCADE"))
    timeframe: Mapped[str] = mapped_column(String(10))
    provider: Mapped[str] = mapped_column(String(20))
    timestamp: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text)
    row_text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
