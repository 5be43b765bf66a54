"""`algomatic campaigns stats / calendar / equity`: what an account's closed campaigns add up to."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import (
    Account,
    By,
    Format,
    FormatOption,
    FromDay,
    JsonOption,
    ToDay,
    Tolerance,
    chosen,
)

STATISTICS = [
    console.Column("title", "statistic"),
    console.Column("shown", "value", align="right"),
    console.Column("interval", "95 % interval"),
    console.Column("n", "n"),
    console.Column("remark", "remark"),
]
COSTS = [
    console.Column("code", "rule"),
    console.Column("failed"),
    console.Column("passed"),
    console.Column("unknown", rank=3),
    console.Column("shown", "cost of breaking it", align="right"),
    console.Column("interval", "95 % interval"),
    console.Column("q", align="right", rank=2),
    console.Column("remark", "remark"),
]


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is no day", next_step="write it as 2024-01-31") from None


def _tolerance(text: str) -> Decimal:
    from algomatic_cli.core.trades.context import price_of

    value = price_of(text, "--tolerance")
    if value is None or value < 0:
        raise UsageError(f"--tolerance takes an amount of 0 or more, not {text!r}")
    return Decimal(repr(value))


def say_stale(account: int, fills: int) -> None:
    """Say that campaigns do not show the ledger as it is now."""
    if fills:
        told = "1 fill is" if fills == 1 else f"{fills:,} fills are"
        console.warn(
            f"{told} newer than the campaigns, or changed since; next: algomatic campaigns rebuild --account {account}"
        )


def stats(
    account: Account,
    by: By = None,
    from_: FromDay = None,
    to: ToDay = None,
    tolerance: Tolerance = "0",
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Statistics of closed campaigns, each with its count and 95 % interval; or broken down by what you name.

    --by takes symbol, direction, strategy, family, weekday, hour, hold, size, feeling, check, check:CODE, tag, regime.

    Example: algomatic campaigns stats --account 3 --by regime,weekday
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.trades import overview, review
    from algomatic_cli.core.trades.regime import regime_labels
    from algomatic_cli.core.trades.store_review import count_stale

    names = review.dimensions(by) if by else []
    first, last, even = _day(from_, "--from"), _day(to, "--to"), _tolerance(tolerance)
    parts: list[dict[str, Any]] = []
    with open_session() as session:
        found, unknown = review.load(session, account, first=first, last=last, bars=not names)
        labels = regime_labels(get_settings().home.models) if "regime" in names else []
        some: list[review.Review | None] = [*found] or [None]
        for one in some:
            part: dict[str, Any] = {"currency": None if one is None else one.currency}
            if names:
                cells = [] if one is None else overview.cells_of(session, one, names, labels, even)
                part["cells"] = [cell.document(names) for cell in cells]
            else:
                told = overview.statistics_of(one, even)
                part["statistics"] = {name: statistic.document() for name, statistic in told.items()}
                part["rules"] = [] if one is None else overview.rules_of(session, one)
                part["bar_sizes"] = [] if one is None else list(one.bar_sizes)
            part["net_pnl"] = None if one is None else review.total(one.closed.net)
            parts.append(part)
        stale = count_stale(session, account)
    document = {
        "account": account, "by": names, "from": first, "to": last, "time_zone": overview.ZONES, "unknown": unknown,
        "currencies": parts,
    }  # fmt: skip
    _show_stats(document, names, chosen(format_, as_json))
    say_stale(account, stale)
    return EXIT_OK


def _show_stats(document: dict[str, Any], names: Sequence[str], style: Format) -> None:
    for part in document["currencies"]:
        if names:
            _show_cells(document, part, names, style)
        elif style is Format.JSON:
            console.emit([], STATISTICS, style, document=document)
            return
        else:
            _show_statistics(part, style)
        if names and style is Format.JSON:
            return
    if style is Format.TABLE:
        _foot(document)


def _show_cells(document: dict[str, Any], part: dict[str, Any], names: Sequence[str], style: Format) -> None:
    from algomatic_cli.core.trades.statistics import wording

    columns = [
        *(console.Column(name) for name in names),
        console.Column("n"),
        console.Column("net_pnl", "net", wording.money, "right"),
        console.Column("expectancy", "average", wording.money, "right"),
        console.Column("interval", "95 % interval"),
        console.Column("win_rate", "win rate", lambda value: wording.number(value, "share"), "right", rank=3),
        console.Column("q_value", "q", wording.q_text, "right", rank=2),
        console.Column("remark", ""),
    ]
    rows = [
        {
            **cell,
            "currency": part["currency"],
            "interval": "–" if cell["expectancy_low"] is None
            else f"{wording.money(cell['expectancy_low'])} … {wording.money(cell['expectancy_high'])}",
            "remark": "too few" if cell["too_few"] else "",
        }
        for cell in part["cells"]
    ]  # fmt: skip
    title = f"Closed campaigns by {' and '.join(names)}, money in {part['currency']}"
    empty = f"no closed campaigns; next: algomatic campaigns rebuild --account {document['account']}"
    console.emit(rows, columns, style, document=document, title=title, empty=empty)
    if style is Format.TABLE and rows:
        console.say(
            f"together {wording.money(part['net_pnl'])} {part['currency']}, n {sum(row['n'] for row in rows):,}"
        )


def _show_statistics(part: dict[str, Any], style: Format) -> None:
    from algomatic_cli.core.trades.statistics import wording
    from algomatic_cli.core.trades.statistics.definition import DEFINITIONS
    from algomatic_cli.core.trades.statistics.statistic import Statistic

    rows = []
    for name, told in part["statistics"].items():
        definition = DEFINITIONS[name]
        one = Statistic(told["value"], told["n"], told["low"], told["high"], told["note"])
        rows.append(
            {
                "name": name, "title": definition.title, **told, "currency": part["currency"],
                "shown": wording.number(one.value, definition.unit), "interval": wording.interval(one, definition.unit),
                "remark": wording.remark(one),
            }
        )  # fmt: skip
    columns = STATISTICS
    if style is Format.CSV:
        columns = [console.Column(key) for key in ("currency", "name", "value", "n", "low", "high", "too_few", "note")]
    console.emit(rows, columns, style, title=f"Closed campaigns, money in {part['currency'] or 'no currency yet'}")
    if style is Format.TABLE and part["rules"]:
        broken = [rule for rule in part["rules"] if rule.failed]
        title = "What broken rules cost: average result with the check failed minus passed"
        console.emit(_cost_rows(broken), COSTS, style, title=title, empty="no check failed on a closed campaign")
        unjudged = [rule.code for rule in part["rules"] if not rule.failed and not rule.passed]
        if unjudged:
            console.say(f"unknown throughout, for want of data: {', '.join(unjudged)}")


def _cost_rows(rules: Sequence[Any]) -> list[dict[str, Any]]:
    from algomatic_cli.core.trades.statistics import wording

    return [
        {
            "code": rule.code, "failed": rule.failed, "passed": rule.passed, "unknown": rule.unknown,
            "shown": wording.money(rule.cost), "q": wording.q_text(rule.q_value),
            "interval": "–" if rule.low is None else f"{wording.money(rule.low)} … {wording.money(rule.high)}",
            "remark": "too few" if rule.too_few else "",
        }
        for rule in rules
    ]  # fmt: skip


def _foot(document: dict[str, Any]) -> None:
    sizes = sorted({size for part in document["currencies"] for size in part.get("bar_sizes", ())})
    if sizes:
        console.say(f"excursions are measured on {', '.join(sizes)} bars")
    if document["unknown"]:
        console.say(f"{document['unknown']} closed campaigns are left out: their basis is unknown (fills opening-lot)")
    console.say(f"Days and hours are in {document['time_zone']}.")
    console.say("What a line or a column means: algomatic stats explain NAME (stats explain alone lists all).")


def calendar(
    account: Account,
    from_: FromDay = None,
    to: ToDay = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """What was realised on each trading day, week by week; the darker the mark, the larger the amount.

    Example: algomatic campaigns calendar --account 3 --from 2023-01-01
    """
    from algomatic_cli.core.trades import overview
    from algomatic_cli.core.trades.statistics import wording

    style = chosen(format_, as_json)
    found = _days(account, from_, to)
    if style is not Format.TABLE:
        return _plain(account, found, style)
    for currency, days in found.items():
        most = max((abs(row["net"]) for row in days), default=Decimal(0)) or Decimal(1)
        weeks = overview.weeks_of(days)
        used = [number for number in range(7) if number < 5 or any(number in week["days"] for week in weeks)]
        names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        rows = [
            {"week": week["week"], "total": wording.money(week["total"])}
            | {names[number]: _heat(week["days"].get(number), most) for number in used}
            for week in weeks
        ]
        columns = [console.Column("week", "week of"), *(console.Column(names[i], align="right") for i in used)]
        columns.append(console.Column("total", align="right"))
        console.emit(rows, columns, style, title=f"Realised by trading day, {currency}")
        _add_up(account, currency, days)
    if not found:
        console.say(f"nothing realised yet; next: algomatic campaigns rebuild --account {account}")
    return EXIT_OK


def _heat(value: Decimal | None, most: Decimal) -> str:
    from algomatic_cli.core.trades.statistics import wording

    if value is None:
        return ""
    return f"{'░▒▓█'[min(3, int(4 * abs(value) / most))]} {wording.money(value)}"


def _days(account: int, from_: str | None, to: str | None) -> dict[str, list[Any]]:
    from algomatic_cli.core.accounts.store import get_account
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades import overview

    first, last = _day(from_, "--from"), _day(to, "--to")
    with open_session() as session:
        get_account(session, account)
        return overview.days_of(session, account, first, last)


def _plain(account: int, found: dict[str, list[Any]], style: Format) -> int:
    names = ("currency", "day", "net", "gross", "fees", "exits", "unknown", "equity", "drawdown")
    rows = [{name: row[name] for name in names} for days in found.values() for row in days]
    totals = {currency: sum((row["net"] for row in days), Decimal(0)) for currency, days in found.items()}
    from algomatic_cli.core.trades import overview

    document = {"account": account, "time_zone": overview.ZONES, "totals": totals, "days": rows}
    console.emit(rows, [console.Column(name) for name in names], style, document=document)
    return EXIT_OK


def _add_up(account: int, currency: str, days: Sequence[dict[str, Any]]) -> None:
    from algomatic_cli.core.trades.statistics import wording

    total = sum((row["net"] for row in days), Decimal(0))
    console.say(f"realised in all {wording.money(total)} {currency}, on the day of each exit, after fees")
    missing = sum(row["unknown"] for row in days)
    if missing:
        console.say(
            f"{missing} exits are left out: their basis is unknown; algomatic fills opening-lot --account {account}"
        )


def equity(
    account: Account,
    from_: FromDay = None,
    to: ToDay = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """The running total of realised results by trading day, and how far it stands below its highest point.

    Example: algomatic campaigns equity --account 3
    """
    from algomatic_cli.core.trades.statistics import wording

    style = chosen(format_, as_json)
    found = _days(account, from_, to)
    if style is not Format.TABLE:
        return _plain(account, found, style)
    columns = [
        console.Column("day"),
        console.Column("exits"),
        console.Column("net", "realised", wording.money, "right"),
        console.Column("equity", "running total", wording.money, "right"),
        console.Column("drawdown", "below the top", wording.money, "right"),
    ]
    for currency, days in found.items():
        console.emit(days, columns, style, title=f"Running total of realised results, {currency}")
        _add_up(account, currency, days)
    if not found:
        console.say(f"nothing realised yet; next: algomatic campaigns rebuild --account {account}")
    return EXIT_OK
