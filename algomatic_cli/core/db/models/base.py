"""What every table has in common: the naming convention, and the columns that repeat.

Names of constraints and indexes are part of the schema: error handling, migrations and people at a psql prompt rely on
them. Where the schema document names one, the model gives that name; every other follows the convention here:

    pk_<table>                    primary key
    fk_<table>_<column>           foreign key
    uq_<table>_<column>[_…]       unique
    ck_<table>_<rule>             check
    ix_<table>_<column>[_…]       index

Models hold columns only. Rules that need more than one row, or a clock, live in the domains.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Float, MetaData, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

NOW = text("now()")
TRUE = text("true")
FALSE = text("false")
ZERO = text("0")
EMPTY_OBJECT = text("'{}'::jsonb")
EMPTY_LIST = text("'[]'::jsonb")

SerialKey = Annotated[int, mapped_column(primary_key=True)]
BigSerialKey = Annotated[int, mapped_column(BigInteger, primary_key=True)]
Flag = Annotated[bool, mapped_column(server_default=TRUE)]
"""A boolean that is true unless said otherwise."""
JsonObject = Annotated[dict[str, Any], mapped_column(JSONB, server_default=EMPTY_OBJECT)]
JsonList = Annotated[list[Any], mapped_column(JSONB, server_default=EMPTY_LIST)]
CreatedAt = Annotated[datetime, mapped_column(server_default=NOW)]
UpdatedAt = Annotated[datetime, mapped_column(server_default=NOW, onupdate=NOW)]
"""Set by the database on insert and by the ORM on update; a set-based UPDATE sets it itself."""


class Base(DeclarativeBase):
    """The declarative base: one metadata, the naming convention, and how Python types become columns.

    `float` is FLOAT (double precision), `datetime` TIMESTAMPTZ, a `dict` JSONB. A column is NOT NULL unless its type
    admits None.
    """

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        float: Float(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
    }


class Timestamped:
    """The two columns of a row that may change: when it was made and when it last changed."""

    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
