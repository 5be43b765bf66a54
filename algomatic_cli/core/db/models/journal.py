"""The trader's journal."""

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import Base, JsonList, SerialKey, Timestamped


class JournalEntry(Timestamped, Base):
    """One entry. `date` is the day it speaks of, YYYY-MM-DD."""

    __tablename__ = "journal_entries"
    __table_args__ = (Index("ix_journal_entries_account_date", "account_id", "date"),)

    id: Mapped[SerialKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    date: Mapped[str] = mapped_column(String(10))
    entry_type: Mapped[str] = mapped_column(String(30))
    content: Mapped[str] = mapped_column(Text)
    trade_id: Mapped[str | None] = mapped_column(String(50))
    tags: Mapped[JsonList]
    mood: Mapped[str | None] = mapped_column(String(20))
