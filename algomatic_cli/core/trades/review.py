"""An account's closed campaigns, ready for every view: statistics, breakdowns, calendar, equity and the report.

One object is read once, and every number shown anywhere is made from it: views agree by construction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core.accounts.rule import RULES, rule_kind
from algomatic_cli.core.accounts.store import get_account
from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.nearest import nearest
from algomatic_cli.core.trades import store_closed
from algomatic_cli.core.trades.checks import store_market
from algomatic_cli.core.trades.checks.store_market import MINUTES, TIMEFRAMES, Label
from algomatic_cli.core.trades.statistics.breakdown import UNKNOWN
from algomatic_cli.core.trades.statistics.excursion import Extremes, Legs, excursions
from algomatic_cli.core.trades.statistics.statistic import Closed, Floats
from algomatic_cli.core.trades.zone import zone_of

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOLDS: Final = (
    "under 5 minutes",
    "5 to 30 minutes",
    "30 minutes to 2 hours",
    "2 hours to 1 day",
    "1 to 5 days",
    "longer",
)
_HOLD_BORDERS: Final = (300.0, 1800.0, 7200.0, 86_400.0, 432_000.0)
SIZES: Final = ("smallest quarter", "second quarter", "third quarter", "largest quarter")
_NONE: Final = "none"
_DATE_ONLY: Final = "date only"


@dataclass(slots=True)
class Review:
    """Closed campaigns of one currency in the order they closed, with what each is sorted by.

    Attributes:
        account, currency: whose, and in what.
        rows: the columns of `store_closed.CLOSED_COLUMNS`.
        closed: the columns statistics are made from.
        bar_sizes: the timeframes MFE and MAE were measured on.
    """

    account: int
    currency: str
    rows: dict[str, list[Any]]
    closed: Closed
    bar_sizes: tuple[str, ...] = ()
    _outcomes: dict[str, list[str]] | None = None

    def outcomes(self, session: Session) -> dict[str, list[str]]:
        """Check code -> each campaign's outcome, "" where it was not judged; read once."""
        if self._outcomes is None:
            codes = list(RULES)
            self._outcomes = store_closed.read_outcomes(session, self.account, codes, self.rows["group_id"])
        return self._outcomes

    def __len__(self) -> int:
        return len(self.closed)


def load(
    session: Session, account: int, *, first: date | None = None, last: date | None = None, bars: bool = True
) -> tuple[list[Review], int]:
    """The reviews of an account, one a currency, and how many closed campaigns have no known result.

    Args:
        session: where.
        account: whose.
        first, last: trading days of the close, both included.
        bars: whether to measure MFE and MAE.

    Raises:
        NotFoundError: there is no such account.
    """
    get_account(session, account)
    rows = store_closed.read_closed(session, account)
    unknown = store_closed.count_unknown(session, account)
    mfe, mae, sizes = _measured(session, account, rows["group_id"]) if bars else (None, None, ())
    reviews = []
    for currency in sorted(set(rows["currency"])):
        places = [
            i
            for i, (own, day) in enumerate(zip(rows["currency"], rows["day"], strict=True))
            if own == currency and (first is None or day >= first) and (last is None or day <= last)
        ]
        own = {name: [column[i] for i in places] for name, column in rows.items()}
        at = np.array(places, np.int64)
        closed = Closed.of(
            own["net"],
            own["gross"],
            risk=risks(own),
            hold=_holds(own),
            mfe=None if mfe is None else mfe[at],
            mae=None if mae is None else mae[at],
        )
        reviews.append(Review(account, currency, own, closed, sizes))
    return reviews, unknown


def details(session: Session, account: int, rows: list[dict[str, Any]], labels: Sequence[Label]) -> None:
    """Add to listed campaigns what review knows of each: r_multiple, mfe, mae, regime_at_entry; None where unknown."""
    found, _ = load(session, account)
    known: dict[int, dict[str, Any]] = {}
    for one in found:
        ratios = one.closed.profits() / one.closed.risk
        for i, group in enumerate(one.rows["group_id"]):
            numbers = {"r_multiple": ratios[i], "mfe": one.closed.mfe[i], "mae": one.closed.mae[i]}
            known[group] = {
                key: round(float(value), 8) if np.isfinite(value) else None for key, value in numbers.items()
            }
    regimes = regimes_at(session, [row["symbol"] for row in rows], [row["opened_at"] for row in rows], labels)
    nothing = dict.fromkeys(("r_multiple", "mfe", "mae"))
    for row, regime in zip(rows, regimes, strict=True):
        row |= known.get(row["group_id"], nothing) | {"regime_at_entry": regime}


def regimes_at(
    session: Session, symbols: Sequence[str], times: Sequence[Any], labels: Sequence[Label]
) -> list[str | None]:
    """The regime known at each (symbol, instant), None where none is stored."""
    stored = store_market.series_with_features(session, sorted(set(symbols)))
    series = [(TIMEFRAMES[number], MINUTES[number]) for number in (2, 1, 0, 3, 4) if number in stored]
    return store_closed.read_regimes(session, symbols, times, series, labels)


def risks(rows: dict[str, list[Any]]) -> Floats:
    """Money at risk to the first stop written for the entry; NaN where there is none or it is on the wrong side."""
    found = np.full(len(rows["net"]), np.nan)
    for i, stop in enumerate(rows["stop"]):
        if isinstance(stop, int | float) and not isinstance(stop, bool):
            sign = 1 if rows["direction"][i] == "long" else -1
            risk = sign * (rows["price"][i] - stop) * rows["quantity"][i] * float(rows["multiplier"][i])
            if risk > 0:
                found[i] = risk
    return found


def _holds(rows: dict[str, list[Any]]) -> Floats:
    return np.array(
        [
            np.nan if bare else (close - opened).total_seconds()
            for bare, opened, close in zip(rows["date_only"], rows["opened_at"], rows["closed_at"], strict=True)
        ],
        np.float64,
    )


def _measured(session: Session, account: int, groups: Sequence[int]) -> tuple[Floats, Floats, tuple[str, ...]]:
    """MFE and MAE by the order of `groups`, each on the finest bars stored of its symbol."""
    legs = store_closed.read_legs(session, account)
    place = {group: i for i, group in enumerate(groups)}
    best, worst = np.full(len(groups), np.nan), np.full(len(groups), np.nan)
    tickers = [ticker for ticker in np.unique(legs["ticker"]).tolist() if ticker]
    stored = store_market.stored_series(session, tickers)["bars"] if tickers else set()
    sizes = set()
    for ticker in tickers:
        scale = min((number for owner, number in stored if owner == ticker), default=None)
        if scale is None:
            continue
        cut = np.flatnonzero(legs["ticker"] == ticker)
        own = {name: column[cut] for name, column in legs.items()}
        bars = store_closed.read_extremes(
            session, ticker, TIMEFRAMES[scale], int(own["at"].min()), int(own["at"].max())
        )
        campaigns, number = np.unique(own["campaign"], return_inverse=True)
        told = Legs(number, own["at"], own["quantity"], own["position"], own["price"], own["multiplier"], own["timed"])
        extremes = Extremes(bars["at"], bars["high"], bars["low"], MINUTES[scale] * 60_000_000)
        top, bottom = excursions(told, extremes)
        for i, group in enumerate(campaigns.tolist()):
            if group in place:
                best[place[group]], worst[place[group]] = top[i], bottom[i]
        sizes.add(TIMEFRAMES[scale])
    return best, worst, tuple(sorted(sizes, key=TIMEFRAMES.index))


# --- dimensions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dimension:
    """What campaigns can be broken down by: a label for each, and the order of the labels."""

    meaning: str
    label: Callable[[Session, Review, Sequence[Label]], list[str]]
    order: tuple[str, ...] | None = None


def _column(name: str, missing: str = _NONE) -> Callable[[Session, Review, Sequence[Label]], list[str]]:
    def label(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
        del session, labels
        return [missing if value is None else str(value) for value in review.rows[name]]

    return label


def _local(review: Review) -> list[Any]:
    from zoneinfo import ZoneInfo

    zones = {kind: ZoneInfo(zone_of(kind)) for kind in set(review.rows["asset_type"])}
    return [
        opened.astimezone(zones[kind])
        for opened, kind in zip(review.rows["opened_at"], review.rows["asset_type"], strict=True)
    ]


def _weekday(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    del session, labels
    return [WEEKDAYS[moment.weekday()] for moment in _local(review)]


def _hour(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    del session, labels
    bare = review.rows["date_only"]
    return [_DATE_ONLY if only else f"{moment.hour:02d}:00" for moment, only in zip(_local(review), bare, strict=True)]


def _hold(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    del session, labels
    places = np.searchsorted(_HOLD_BORDERS, review.closed.hold, side="right")
    known = np.isfinite(review.closed.hold)
    return [HOLDS[place] if has else _DATE_ONLY for place, has in zip(places.tolist(), known.tolist(), strict=True)]


def _size(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    del session, labels
    rows = review.rows
    values = np.array(
        [
            float(most) * abs(price) * float(multiplier)
            for most, price, multiplier in zip(rows["max_quantity"], rows["price"], rows["multiplier"], strict=True)
        ]
    )
    if not len(values):
        return []
    borders = np.quantile(values, [0.25, 0.5, 0.75])
    return [SIZES[place] for place in np.searchsorted(borders, values, side="left").tolist()]


def _feeling(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    del session, labels
    # A campaign with two feelings is in the cell of both together: cells stay a partition.
    return [" + ".join(sorted(map(str, chips))) if chips else _NONE for chips in review.rows["chips"]]


def _tag(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    del labels
    tags = store_closed.read_tags(session, review.account)
    return [" + ".join(tags.get(str(group), ())) or _NONE for group in review.rows["group_id"]]


def _regime(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    found = regimes_at(session, review.rows["symbol"], review.rows["opened_at"], labels)
    return [
        UNKNOWN if bare or label is None else label for label, bare in zip(found, review.rows["date_only"], strict=True)
    ]


def _checked(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
    del labels
    told = [
        "a check failed" if "failed" in kinds else "all known passed" if "passed" in kinds else UNKNOWN
        for kinds in zip(*review.outcomes(session).values(), strict=True)
    ]
    return told or [UNKNOWN] * len(review)


DIMENSIONS: Final[dict[str, Dimension]] = {
    "symbol": Dimension("the instrument", _column("symbol")),
    "direction": Dimension("long or short", _column("direction")),
    "strategy": Dimension("the strategy named at the first fill", _column("strategy")),
    "family": Dimension("the family of that strategy", _column("family")),
    "weekday": Dimension("the weekday of the entry, in the exchange's time zone", _weekday, WEEKDAYS),
    "hour": Dimension("the hour of the entry, in the exchange's time zone", _hour),
    "hold": Dimension("how long it was held", _hold, (*HOLDS, _DATE_ONLY)),
    "size": Dimension("its largest value at the entry's price, in quarters of all", _size, SIZES),
    "feeling": Dimension("the feelings written at the first fill", _feeling),
    "check": Dimension("whether any check of its fills failed; check:RS002 for one code", _checked),
    "tag": Dimension("the tags of journal entries about it", _tag),
    "regime": Dimension("the market regime known at the entry", _regime),
}


def dimension(name: str) -> Dimension:
    """A dimension by its name; `check:CODE` is one for a code.

    Raises:
        UsageError: there is none of that name.
    """
    if name.startswith("check:"):
        code = name.removeprefix("check:").upper()
        rule_kind(code)

        def label(session: Session, review: Review, labels: Sequence[Label]) -> list[str]:
            del labels
            told = review.outcomes(session).get(code)
            return [word or "not judged" for word in told] if told else ["not judged"] * len(review)

        return Dimension(f"how {code} came out", label, ("failed", "passed", UNKNOWN, "not judged"))
    if name not in DIMENSIONS:
        like = nearest(name, DIMENSIONS)
        raise UsageError(
            f"there is no dimension {name!r}" + (f"; did you mean {like}?" if like else ""),
            next_step=f"--by takes one or two of {', '.join(DIMENSIONS)}",
        )
    return DIMENSIONS[name]


def dimensions(by: str) -> list[str]:
    """The names in `A` or `A,B`, checked.

    Raises:
        UsageError: there are more than two, one twice, or one is not known.
    """
    names = [name.strip() for name in by.split(",") if name.strip()]
    if not 1 <= len(names) <= 2 or len(set(names)) != len(names):
        raise UsageError("--by takes one dimension, or two different ones with a comma between")
    for name in names:
        dimension(name)
    return names


def total(amounts: Sequence[Decimal]) -> Decimal:
    """The exact sum."""
    return sum(amounts, Decimal(0))
