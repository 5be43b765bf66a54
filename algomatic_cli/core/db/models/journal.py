"""The trader's journal."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import Base, JsonList, SerialKey, Timestamped


class JournalEntry(Timestamped, Base):
    """One entry. `date` is the day it speaks of, YYYY-MM-DD."""

    __tablename__ = "journal_entries"

    id: Mapped[SerialKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    date: Mapped[str] = mapped_column(String(10))
    entry_type: Mapped[str] = mapped_column(String(30))
    content: Mapped[str] = mapped_column(Text)
    trade_id: Mapped[str | None] = mapped_column(String(50))
    tags: Mapped[JsonList]
    mood: Mapped[str | None] = mapped_column(String(20))
