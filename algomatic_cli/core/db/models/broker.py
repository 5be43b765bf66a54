"""The aggregator's users and the brokerage accounts they connected."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import Base, CreatedAt, Flag, JsonObject, SerialKey, Timestamped


class SnapTradeUser(Base):
    """An account's user at SnapTrade. The secret is stored encrypted."""

    __tablename__ = "snaptrade_users"
    __table_args__ = (UniqueConstraint("user_account_id"), UniqueConstraint("snaptrade_user_id"))

    id: Mapped[SerialKey]
    user_account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    snaptrade_user_id: Mapped[str] = mapped_column(String(255))
    snaptrade_user_secret: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[CreatedAt]


class BrokerConnection(Timestamped, Base):
    """A brokerage account that is connected, or one that statement files speak of (then without a SnapTrade user)."""

    __tablename__ = "broker_connections"
    __table_args__ = (UniqueConstraint("authorization_id"),)

    id: Mapped[SerialKey]
    snaptrade_user_id: Mapped[int | None] = mapped_column(ForeignKey("snaptrade_users.id", ondelete="CASCADE"))
    brokerage_name: Mapped[str] = mapped_column(String(100))
    brokerage_slug: Mapped[str | None] = mapped_column(String(50))
    authorization_id: Mapped[str | None] = mapped_column(String(255))
    meta: Mapped[JsonObject]
    is_active: Mapped[Flag]
