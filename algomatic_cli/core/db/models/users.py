"""People: accounts, their preferences, their own rules, and those who wait for access."""

from datetime import date

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import Base, Flag, JsonObject, SerialKey, Timestamped


class UserAccount(Timestamped, Base):
    """A person's account. `auth_provider` is NULL for one that signs in nowhere."""

    __tablename__ = "user_accounts"
    __table_args__ = (UniqueConstraint("external_user_id"), UniqueConstraint("email"), UniqueConstraint("google_id"))

    id: Mapped[SerialKey]
    external_user_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(255))
    google_id: Mapped[str | None] = mapped_column(String(255))
    auth_provider: Mapped[str | None] = mapped_column(String(50))
    profile_picture_url: Mapped[str | None] = mapped_column(String(1024))
    phone: Mapped[str | None] = mapped_column(String(50))
    address: Mapped[str | None] = mapped_column(Text)
    date_of_birth: Mapped[date | None]
    gender: Mapped[str | None] = mapped_column(String(20))
    is_active: Mapped[Flag]


class UserProfile(Timestamped, Base):
    """An account's trading, risk and site preferences: one row an account at most."""

    __tablename__ = "user_profiles"
    __table_args__ = (UniqueConstraint("user_account_id"),)

    id: Mapped[SerialKey]
    user_account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    profile: Mapped[JsonObject]
    risk_profile: Mapped[JsonObject]
    site_prefs: Mapped[JsonObject]


class UserRule(Timestamped, Base):
    """A limit an account sets for itself: one row per (account, rule code)."""

    __tablename__ = "user_rules"
    __table_args__ = (UniqueConstraint("account_id", "rule_code"),)

    id: Mapped[SerialKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("user_accounts.id", ondelete="CASCADE"))
    rule_code: Mapped[str] = mapped_column(String(50))
    evaluator: Mapped[str | None] = mapped_column(String(100))
    parameters: Mapped[JsonObject]
    is_enabled: Mapped[Flag]
    description: Mapped[str | None] = mapped_column(Text)


class Waitlist(Timestamped, Base):
    """Somebody who asked for access."""

    __tablename__ = "waitlist"
    __table_args__ = (UniqueConstraint("email"),)

    id: Mapped[SerialKey]
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20), server_default=text("'waiting'"))
    referral_source: Mapped[str | None] = mapped_column(String(255))
    notes: Mapped[str | None] = mapped_column(Text)
