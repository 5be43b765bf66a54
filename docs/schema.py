"""The tables of docs/schema.md, from the models. What each column means, and why a table is as it is, is by hand.

A table stands between two markers. What is between them is written anew: the model's docstring, each column's type and
default, keys, indexes and checks. The last cell of a column's row is the hand's and stays.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from algomatic_cli.core.db.models import Base

_TABLE: Final = re.compile(r"<!-- table (\w+) -->\n(.*?)<!-- end -->", re.DOTALL)
_ROW: Final = re.compile(r"^\| (\w+) \|.*?\| ([^|]*) \|$", re.MULTILINE)
_HEAD: Final = "| column | type | null | default | key | meaning |\n|-|-|-|-|-|-|"
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


def page(old: str) -> str:
    """The page with its tables written anew; one that has no place yet comes to its end."""
    models: dict[str, Any] = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    placed = {name for name, _ in _TABLE.findall(old)}
    for name in sorted(models.keys() - placed):
        old += f"\n### `{name}`\n\n<!-- table {name} -->\n<!-- end -->\n"

    def write(found: re.Match[str]) -> str:
        name, text = found.groups()
        lines = "\n".join(_describe(models[name], dict(_ROW.findall(text))))
        return f"<!-- table {name} -->\n{lines}\n<!-- end -->"

    return _TABLE.sub(write, old)


def _describe(model: Any, meanings: dict[str, str]) -> Iterator[str]:
    """One table: what it is, its columns with the meanings they had, and what the database holds it to."""
    table: Table = model.__table__
    yield f"{' '.join((model.__doc__ or '').split())}\n"
    yield _HEAD
    for column in table.columns:
        cells = (column.name, _type(column), "yes" if column.nullable else "", _default(column), _key(table, column))
        yield f"| {' | '.join(cells)} | {meanings.get(column.name, '').strip()} |"
    rules = [*_uniques(table), *_indexes(table), *_checks(table)]
    if rules:
        yield ""
        yield from rules


def _type(column: Column[Any]) -> str:
    kind = column.type.compile(dialect=_DIALECT)
    if column is column.table.autoincrement_column:
        return {"INTEGER": "SERIAL", "BIGINT": "BIGSERIAL"}[kind]
    return {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}.get(kind, kind)


def _default(column: Column[Any]) -> str:
    default: Any = column.server_default
    return f"`{re.sub(r'::[a-z]+$', '', str(default.arg))}`" if default is not None else ""


def _key(table: Table, column: Column[Any]) -> str:
    """Primary, unique by itself, and what it refers to with what happens when that goes."""
    said = ["primary"] if column.primary_key else []
    if any(isinstance(one, UniqueConstraint) and list(one.columns) == [column] for one in table.constraints):
        said.append("unique")
    said += [f"→ {key.column.table.name}, {(key.ondelete or 'no action').lower()}" for key in column.foreign_keys]
    return "; ".join(said)


def _uniques(table: Table) -> Iterator[str]:
    for one in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(one, UniqueConstraint) and not isinstance(one, PrimaryKeyConstraint):
            yield f"- unique `{one.name}`: {', '.join(one.columns.keys())}"


def _indexes(table: Table) -> Iterator[str]:
    for one in sorted(table.indexes, key=lambda one: str(one.name)):
        over = str(CreateIndex(one).compile(dialect=_DIALECT)).partition("(")[2].rpartition(")")[0]
        yield f"- {'unique index' if one.unique else 'index'} `{one.name}`: {over}"


def _checks(table: Table) -> Iterator[str]:
    for one in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(one, CheckConstraint):
            yield f"- check `{one.name}`: `{one.sqltext}`"
