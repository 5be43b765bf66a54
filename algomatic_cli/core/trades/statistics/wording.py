"""Numbers as people read them, by their unit; the same words in tables and in the report."""

from decimal import ROUND_HALF_EVEN, Decimal

from algomatic_cli.core.trades.statistics.statistic import Statistic

DASH = "–"


def money(value: Decimal | float | None) -> str:
    """To the cent."""
    if value is None:
        return DASH
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    cents = exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return f"{cents if cents else abs(cents):,.2f}"


def duration(seconds: float) -> str:
    """Seconds as the two largest units that fit."""
    whole = round(seconds)
    for name, size, below, small in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if abs(whole) >= size:
            return f"{whole // size} {name} {whole % size // small} {below}"
    return f"{whole} s"


def number(value: Decimal | float | None, unit: str) -> str:
    """A value in its unit: money, share, ratio, R, seconds or count."""
    if value is None:
        return DASH
    if unit == "money":
        return money(value)
    if unit == "share":
        return f"{100 * float(value):.1f} %"
    if unit == "seconds":
        return duration(float(value))
    if unit == "count":
        return f"{float(value):,.0f}" if float(value) == round(float(value)) else f"{float(value):,.1f}"
    return f"{float(value):,.2f}" + (" R" if unit == "R" else "")


def interval(told: Statistic, unit: str) -> str:
    """The 95 % interval of a statistic."""
    if told.low is None or told.high is None:
        return DASH
    return f"{number(told.low, unit)} … {number(told.high, unit)}"


def remark(told: Statistic) -> str:
    """What there is to say: too few, and why a value is missing."""
    return "; ".join(part for part in ("too few" if told.too_few and told.n else "", told.note or "") if part)


def q_text(value: float | None) -> str:
    """A q- or p-value."""
    return DASH if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"
