"""SQL of campaigns: fills out as arrays, campaigns and results in, only what changed.

A rebuild takes a fixed number of statements whatever the number of fills. Fills come out by binary COPY. What a rebuild
finds is compared with what is stored; rows that are the same stay (and keep their id and created_at), the others go and
come. Everything happens in the caller's transaction.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import analyze, copy_arrays, copy_arrow, read_arrays, temporary_table
from algomatic_cli.core.trades.book import WIDE, Fills, Instrument, InstrumentEvent, Money, Rebuilt
from algomatic_cli.core.trades.instrument import stored_multiplier
from algomatic_cli.core.trades.replay import INTENTS, EventKind

if TYPE_CHECKING:
    import pyarrow

_INSTRUMENTS: Final = """
CREATE TEMPORARY TABLE instruments ON COMMIT DROP AS
SELECT (row_number() OVER (ORDER BY connection, broker_account, symbol, currency, class) - 1)::int AS number, *
FROM (
    SELECT coalesce(broker_connection_id, 0) AS connection, coalesce(broker_account_id, 0) AS broker_account, symbol,
           currency, CASE WHEN asset_type IN ('option', 'future', 'crypto') THEN asset_type ELSE 'equity' END AS class,
           min(asset_type) AS asset_type, min(multiplier) AS multiplier, max(multiplier) AS other_multiplier,
           NULL::numeric AS worth
    FROM effective_fills WHERE account_id = :account
    GROUP BY 1, 2, 3, 4, 5
) AS grouped
"""

_FILLS: Final = """
SELECT f.id, i.number, f.executed_at, coalesce(f.sequence, f.id), f.side = 'sell', f.quantity, f.price,
       coalesce(f.fees, 'NaN'), CASE {intents} ELSE 0 END::int2
FROM effective_fills f
JOIN instruments i ON i.symbol = f.symbol AND i.currency = f.currency
    AND i.connection = coalesce(f.broker_connection_id, 0) AND i.broker_account = coalesce(f.broker_account_id, 0)
    AND i.class = CASE WHEN f.asset_type IN ('option', 'future', 'crypto') THEN f.asset_type ELSE 'equity' END
WHERE f.account_id = %(account)s
"""
_FILL_COLUMNS: Final = {
    "id": "int8", "instrument": "int4", "at": "timestamptz", "order": "int8", "sell": "bool", "quantity": "float8",
    "price": "float8", "fees": "float8", "intent": "int2",
}  # fmt: skip

_EVENTS: Final = """
SELECT i.number, e.kind, (extract(epoch FROM e.effective_at) * 1000000)::bigint AS at, e.quantity, e.ratio_new,
       e.ratio_old, e.price, e.fees, e.id
FROM ledger_events e
JOIN instruments i ON i.symbol = e.symbol AND i.currency = e.currency
    AND i.connection = coalesce(e.broker_connection_id, 0) AND i.broker_account = coalesce(e.broker_account_id, 0)
    AND i.class = CASE WHEN e.asset_type IN ('option', 'future', 'crypto') THEN e.asset_type ELSE 'equity' END
WHERE e.account_id = :account AND e.voided_at IS NULL
ORDER BY e.effective_at, e.id
"""

_EVENT_KINDS: Final = {
    "split": EventKind.SPLIT, "grant": EventKind.GRANT, "transfer": EventKind.TRANSFER, "opening": EventKind.OPENING,
}  # fmt: skip

_MEMBER_COLUMNS: Final = {"group_id": "int8", "fill_id": "int8", "quantity": "float8", "position": "float8"}


def read_instruments(session: Session, account: int) -> tuple[list[Instrument], list[tuple[int, str]]]:
    """The instruments of an account's effective fills, numbered for this transaction, and what is wrong with any."""
    session.execute(text("DROP TABLE IF EXISTS instruments"))
    session.execute(text(_INSTRUMENTS), {"account": account})
    analyze(session, "instruments")
    instruments: list[Instrument] = []
    problems: list[tuple[int, str]] = []
    for row in session.execute(text("SELECT * FROM instruments ORDER BY number")):
        multiplier = stored_multiplier(row.symbol, row.asset_type, row.multiplier)
        if row.multiplier != row.other_multiplier:
            multiplier = None
            problems.append((row.number, f"its fills say multipliers {row.multiplier:g} and {row.other_multiplier:g}"))
        instruments.append(
            Instrument(
                row.connection or None, row.broker_account or None, row.symbol, row.asset_type, row.currency, multiplier
            )
        )
    session.execute(
        text(
            "UPDATE instruments i SET worth = v.worth "
            "FROM unnest(CAST(:numbers AS int[]), CAST(:worths AS numeric[])) AS v (number, worth) "
            "WHERE i.number = v.number"
        ),
        {"numbers": list(range(len(instruments))), "worths": [instrument.multiplier for instrument in instruments]},
    )
    return instruments, problems


def read_fills(session: Session, account: int) -> Fills:
    """The account's effective fills, in any order; after `read_instruments` in the same transaction."""
    intents = " ".join(f"WHEN f.action = '{action}' THEN {int(intent)}" for action, intent in INTENTS.items())
    columns = read_arrays(session, _FILLS.format(intents=intents), _FILL_COLUMNS, {"account": account})
    columns["instrument"] = columns["instrument"].astype(np.int64)
    columns["intent"] = columns["intent"].astype(np.int64)
    return Fills(**columns)


def read_events(session: Session, account: int) -> list[InstrumentEvent]:
    """The account's events of instruments it has fills of."""
    return [
        InstrumentEvent(
            row.number,
            _EVENT_KINDS[row.kind],
            row.at,
            row.quantity,
            (row.ratio_new or Decimal(1), row.ratio_old or Decimal(1)),
            row.price,
            row.fees,
            row.id,
        )
        for row in session.execute(text(_EVENTS), {"account": account})
    ]


def write(session: Session, account: int, rebuilt: Rebuilt) -> int:
    """Make the stored campaigns those that were found; return how many campaigns changed, came or went."""
    changed = _write_members(session, account, rebuilt.members)
    changed |= _write_rows(session, account, "campaigns", _campaign_rows(rebuilt.campaigns))
    changed |= _write_rows(session, account, "realised_events", _realised_rows(rebuilt.realised))
    return len(changed)


# --- campaign_fills ------------------------------------------------------------------------------------------------


def _write_members(session: Session, account: int, found: Mapping[str, NDArray[Any]]) -> set[int]:
    stored = read_arrays(
        session,
        "SELECT c.id, c.group_id, c.fill_id, coalesce(c.quantity, 'NaN'), coalesce(c.position, 'NaN') "
        "FROM campaign_fills c JOIN trade_fills f ON f.id = c.fill_id WHERE f.account_id = %(account)s",
        {"id": "int8", **_MEMBER_COLUMNS},
        {"account": account},
    )
    gone, come = _difference(stored, found)
    if gone.any():
        temporary_table(session, "gone_members", {"id": "bigint"})
        with copy_arrays(session, "gone_members", {"id": "int8"}) as write_block:
            write_block({"id": stored["id"][gone]})
        session.execute(text("DELETE FROM campaign_fills c USING gone_members g WHERE c.id = g.id"))
        session.execute(text("DROP TABLE gone_members"))
    if come.any():
        # In the order of fills, so that the foreign key's look-ups walk the ledger once instead of jumping about it.
        places = np.flatnonzero(come)
        places = places[np.argsort(found["fill_id"][places], kind="stable")]
        with copy_arrays(session, "campaign_fills", _MEMBER_COLUMNS) as write_block:
            write_block({name: found[name][places] for name in _MEMBER_COLUMNS})
    return set(stored["group_id"][gone].tolist()) | set(found["group_id"][come].tolist())


def _difference(
    stored: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which stored rows are found no more, and which found rows are not stored; (group, fill) is unique in both."""
    old, new = len(stored["fill_id"]), len(found["fill_id"])
    if not old or not new:
        return np.ones(old, bool), np.ones(new, bool)
    both = {name: np.concatenate([stored[name], found[name]]) for name in _MEMBER_COLUMNS}
    order = np.lexsort((both["fill_id"], both["group_id"]))
    same = np.ones(len(order) - 1, bool)
    for values in both.values():
        same &= values[order[:-1]] == values[order[1:]]
    kept = np.zeros(len(order), bool)
    kept[order[:-1][same]] = kept[order[1:][same]] = True
    return ~kept[:old], ~kept[old:]


# --- campaigns and realised_events ---------------------------------------------------------------------------------

_CAMPAIGN_COLUMNS: Final = {
    "group_id": "bigint", "instrument": "int", "direction": "text", "opened_at": "timestamptz",
    "closed_at": "timestamptz", "fills": "int", "fees_unknown": "int", "opened_by_sell": "bool", "basis_known": "bool",
    "quantity": "numeric", "max_quantity": "numeric", "open_quantity": "numeric", "open_basis": "numeric",
    "open_fees": "numeric", "fees": "numeric",
}  # fmt: skip
_REALISED_COLUMNS: Final = {
    "fill_id": "bigint", "matched": "bool", "group_id": "bigint", "day": "date", "realised_at": "timestamptz",
    "quantity": "numeric", "gross": "numeric", "fees": "numeric", "net": "numeric", "cost": "numeric",
}  # fmt: skip
_BOOK: Final = {
    "campaigns": {
        "broker_connection_id": "nullif(b.connection, 0)", "broker_account_id": "nullif(b.broker_account, 0)",
        "symbol": "b.symbol", "asset_type": "b.asset_type", "currency": "b.currency", "multiplier": "b.worth",
    },
    "realised_events": {},
}  # fmt: skip
_SHAPES: Final = {"campaigns": _CAMPAIGN_COLUMNS, "realised_events": _REALISED_COLUMNS}


def _write_rows(session: Session, account: int, table: str, rows: "pyarrow.Table") -> set[int]:
    """Stage the rows, remove those of the account that are not among them, add those that are missing."""
    if not _BOOK[table] and not _has_rows(session, account, table):
        return _write_first(session, account, table, rows)
    columns, book, staged = _SHAPES[table], _BOOK[table], f"found_{table}"
    temporary_table(session, staged, columns)
    copy_arrow(session, staged, rows)
    analyze(session, staged)
    values = {name: f"n.{name}" for name in columns if name != "instrument"} | book
    key = "n.group_id = s.group_id" if table == "campaigns" else "n.fill_id = s.fill_id AND n.matched = s.matched"
    joined = f"{staged} n" + (" JOIN instruments b ON b.number = n.instrument" if book else "")
    names = ", ".join(values)
    same = f"({', '.join(f's.{name}' for name in values)}) IS NOT DISTINCT FROM ({', '.join(values.values())})"
    gone = session.execute(
        text(
            f"DELETE FROM {table} s WHERE s.account_id = :account "
            f"AND NOT EXISTS (SELECT FROM {joined} WHERE {key} AND {same}) RETURNING s.group_id"
        ),
        {"account": account},
    ).scalars()
    changed = {group for group in gone if group is not None}
    come = session.execute(
        text(
            f"WITH added AS (INSERT INTO {table} (account_id, {names}) SELECT :account, {', '.join(values.values())} "
            f"FROM {joined} WHERE NOT EXISTS (SELECT FROM {table} s WHERE s.account_id = :account AND {key}) "
            "RETURNING group_id) SELECT array_agg(group_id) FROM added WHERE group_id IS NOT NULL"
        ),
        {"account": account},
    ).scalar()
    session.execute(text(f"DROP TABLE {staged}"))
    return changed | set(come or ())


def _has_rows(session: Session, account: int, table: str) -> bool:
    statement = text(f"SELECT EXISTS (SELECT FROM {table} WHERE account_id = :account)")
    return bool(session.scalar(statement, {"account": account}))


def _write_first(session: Session, account: int, table: str, rows: "pyarrow.Table") -> set[int]:
    """Where nothing is stored there is nothing to compare: the rows go straight in."""
    import pyarrow as pa

    copy_arrow(session, table, rows.append_column("account_id", pa.array(np.full(len(rows), account, np.int64))))
    return set(rows.column("group_id").drop_null().to_numpy().tolist())


def _campaign_rows(found: Mapping[str, Any]) -> "pyarrow.Table":
    import pyarrow as pa

    directions = pa.array(["short", "long"])
    columns = {name: _arrow(found[name]) for name in _CAMPAIGN_COLUMNS if name != "direction"}
    columns["direction"] = directions.take(pa.array((found["direction"] > 0).astype(np.int64)))
    for name in ("opened_at", "closed_at"):
        columns[name] = columns[name].cast(pa.timestamp("us", tz="UTC"))
    return pa.table({name: columns[name] for name in _CAMPAIGN_COLUMNS})


def _realised_rows(found: Mapping[str, Any]) -> "pyarrow.Table":
    import pyarrow as pa

    columns = {name: _arrow(found[name]) for name in _REALISED_COLUMNS if name != "matched"}
    columns["matched"] = columns["group_id"].is_valid()
    columns["realised_at"] = columns["realised_at"].cast(pa.timestamp("us", tz="UTC"))
    columns["day"] = columns["day"].cast(pa.int32()).cast(pa.date32())
    return pa.table({name: columns[name] for name in _REALISED_COLUMNS})


def _arrow(column: Any) -> "pyarrow.Array":
    import pyarrow as pa

    if isinstance(column, Money):
        return _money(column)
    mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
    return pa.array(np.ma.getdata(column), mask=mask)


def _money(column: Money) -> "pyarrow.Array":
    """Exact decimal text. Amounts that fit 64 bits go through Arrow's decimals, larger ones through Python's."""
    import pyarrow as pa

    missing = np.array([unit is None for unit in column.units], bool)
    try:
        units = np.array([unit or 0 for unit in column.units], np.int64)
    except OverflowError:
        return _told(column)
    if not len(units) or column.decimals > 37:
        return _told(column)
    words = np.empty((len(units), 2), np.int64)  # 128 bits little-endian: the low word, then the sign's
    words[:, 0], words[:, 1] = units, units >> 63
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    kind = pa.decimal128(38, column.decimals)
    decimals = pa.Array.from_buffers(kind, len(units), [valid, pa.py_buffer(words.tobytes())])
    texts = decimals.cast(pa.string())
    if not column.decimals:
        return texts
    from pyarrow import compute

    return compute.utf8_rtrim(compute.utf8_rtrim(texts, characters="0"), characters=".")


def _told(column: Money) -> "pyarrow.Array":
    import pyarrow as pa

    told = [None if value is None else f"{value.normalize(WIDE):f}" for value in column.values()]
    return pa.array(told, pa.string())
