"""The history ends in the schema document's tables, and the models are those tables."""

import csv
import re
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection

from algomatic_cli.core.db import migrations, models
from tests.migrations.catalogue import columns, constraints

ANSWERS = Path(__file__).parents[1] / "answers"
DOCUMENT = Path(__file__).parents[3] / "shared" / "spec" / "seed-schema.md"
LAST_OF_THE_DOCUMENT = "031"
# What later revisions add to the document's tables.
LATER = {
    "ix_trade_fills_account_executed",
    "ix_trade_fills_broker_connection_id",
    "fk_trade_fills_broker_account_id",
    "uq_campaign_checks_decision_context_id_check_type",
    "ix_campaign_checks_account_id",
    "ix_journal_entries_account_date",
    "uq_strategy_probe_results_group",
}


def rows_of(name: str) -> set[tuple[str, ...]]:
    with (ANSWERS / name).open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        return {tuple(row) for row in reader}


def test_every_column_has_the_type_nullability_and_default_of_the_answers(connection: Connection) -> None:
    migrations.upgrade(connection, LAST_OF_THE_DOCUMENT)
    assert columns(connection) == rows_of("schema_columns.csv")


def test_every_constraint_and_index_is_the_one_of_the_answers_and_there_is_no_other(connection: Connection) -> None:
    migrations.upgrade(connection, LAST_OF_THE_DOCUMENT)
    assert constraints(connection) == rows_of("schema_constraints.csv")


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the schema document is not here")
def test_tables_columns_and_types_are_the_documents_own(connection: Connection) -> None:
    migrations.upgrade(connection, LAST_OF_THE_DOCUMENT)
    section = re.compile(r"### `(\w+)`\n(.*?)(?=\n##|\Z)", re.DOTALL)
    row = re.compile(r"^\| (\w+) \| ([A-Z]+(?:\(\d+\))?) \|", re.MULTILINE)
    document = {
        (table, column, kind)
        for table, body in section.findall(DOCUMENT.read_text(encoding="utf-8"))
        for column, kind in row.findall(body)
    }
    assert len({table for table, _, _ in document}) == 19
    assert {entry[:3] for entry in columns(connection)} == document


def test_models_and_migrations_describe_the_same_schema(connection: Connection) -> None:
    migrations.upgrade(connection)
    command.check(migrations.configuration(connection))


def test_every_constraint_of_the_models_has_a_name_of_the_answers() -> None:
    named = {name for _, _, name, _ in rows_of("schema_constraints.csv")} | LATER
    tables = {table for table, *_ in rows_of("schema_columns.csv")}
    for table in models.Base.metadata.sorted_tables:
        if table.name in tables:
            assert {str(constraint.name) for constraint in table.constraints} <= named
            assert {str(index.name) for index in table.indexes} <= named


def test_the_documentation_describes_every_column_as_it_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")
    described = set()
    for table, body in re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^\| (\w+ \| [A-Z].*) \|$", body, re.MULTILINE):
            column, kind, null, default, key, meaning = (cell.strip() for cell in line.split("|"))
            assert meaning or key, f"{table}.{column} has no meaning"
            described.add((table, column, kind, null or "no", default.strip("`'").replace("now()", "now")))
    # Revision 033 widens what 031 ends with: an option's symbol has 21 characters.
    document = rows_of("schema_columns.csv") - {("trade_fills", "symbol", "VARCHAR(20)", "no", "")}
    assert document | {("trade_fills", "symbol", "VARCHAR(64)", "no", "")} <= described
