"""Ghostfolio: the activities of its JSON export."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from algomatic_cli.core.broker.record import QuarantinedRow, Record, Row, SkippedRow
from algomatic_cli.core.broker.statements.build import build_fill
from algomatic_cli.core.broker.statements.reading import Document, Manner, moment, number
from algomatic_cli.core.trades.instrument import RowError


def matches(document: Document) -> bool:
    """Whether the text is a JSON object with activities."""
    return document.text.lstrip().startswith("{") and '"activities"' in document.text


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The activities as records; a record's line is its place in the list, from 1."""
    try:
        activities = json.loads(document.text, parse_float=Decimal)["activities"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise RowError(f"the JSON cannot be read: {error}") from error
    if not isinstance(activities, list):
        raise RowError("activities is not a list")
    for place, item in enumerate(activities, 1):
        if not isinstance(item, Mapping):
            yield QuarantinedRow(Row(place, {"text": str(item)}), "not an activity")
            continue
        row = Row(place, {key: str(value) for key, value in item.items() if value not in (None, "", [])})
        try:
            yield _record(item, row, manner)
        except RowError as error:
            yield QuarantinedRow(row, str(error))


def _record(item: Mapping[str, Any], row: Row, manner: Manner) -> Record:
    kind = str(item.get("type", "")).upper()
    if kind not in ("BUY", "SELL"):
        return SkippedRow(row, kind or "BLANK")
    fee = item.get("fee")
    return build_fill(
        row,
        (kind.lower(), kind),
        str(item.get("symbol") or ""),
        number(str(item.get("quantity", "")), "quantity"),
        number(str(item.get("unitPrice", "")), "price"),
        moment(str(item.get("date") or ""), manner),
        str(item.get("currency") or manner.currency),
        fees=None if fee is None else number(str(fee), "fee"),
    )
