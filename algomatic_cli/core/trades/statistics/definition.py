"""What each statistic means, for a reader who knows no finance: the text of `stats explain`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Definition:
    """A statistic: its name in words, its unit (money, share, ratio, R, seconds, count), its meaning and formula."""

    title: str
    unit: str
    meaning: str
    formula: str
    interval: str = "none"


_T: Final = "Student's t"
_WILSON: Final = "Wilson's score"
_JACK: Final = "jackknife with t"
_BOOT: Final = "bootstrap of the trades, fixed seed, 2.5 to 97.5 percentile"

DEFINITIONS: Final[dict[str, Definition]] = {
    "trades": Definition(
        "closed campaigns", "count", "How many campaigns were closed: from the first fill to the return to zero.", "n"
    ),
    "winners": Definition(
        "winners", "count", "Campaigns that earned money after fees.", "|W|, W = {net > b, not a scratch}"
    ),
    "losers": Definition(
        "losers", "count", "Campaigns that lost money after fees.", "|L|, L = {net < −b, not a scratch}"
    ),
    "scratches": Definition(
        "scratches", "count", "Campaigns that came out even before fees, within the tolerance b (0 unless set).",
        "|S|, S = {|gross| ≤ b or |net| ≤ b}",
    ),
    "net_pnl": Definition(
        "net result", "money", "What all closed campaigns earned or lost, after fees.", "Σ net",
        f"n times {_T} of the mean",
    ),
    "gross_pnl": Definition("gross result", "money", "The same before fees.", "Σ gross"),
    "fees": Definition("fees", "money", "What was paid in fees; rebates count below zero.", "Σ gross − Σ net"),
    "win_rate": Definition(
        "win rate", "share", "The share of all closed campaigns that won.", "|W| / n", _WILSON
    ),
    "win_rate_decisive": Definition(
        "win rate, decided", "share", "The share of winners among those that won or lost; scratches are left out.",
        "|W| / (|W| + |L|)", _WILSON,
    ),
    "mean_win": Definition("average winner", "money", "What a winner earned on average.", "Σ_W net / |W|", _T),
    "mean_loss": Definition("average loser", "money", "What a loser lost on average.", "Σ_L net / |L|", _T),
    "expectancy": Definition(
        "expectancy", "money", "What one campaign earned or lost on average.", "Σ net / n", _T
    ),
    "payoff": Definition(
        "payoff", "ratio", "How many times as large the average winner is as the average loser.",
        "mean of W / |mean of L|; not defined without losers", _JACK,
    ),
    "profit_factor": Definition(
        "profit factor", "ratio", "What all winners earned for each unit that all losers lost; above 1 is a gain.",
        "Σ_W net / |Σ_L net|; not defined without losers", _JACK,
    ),
    "kelly": Definition(
        "Kelly share", "share",
        "The share of capital that would have grown it fastest had these results repeated; below 0: none. "
        "A property of the past, not a size to trade.",
        "w − (1 − w) / payoff, w = win rate, decided", _JACK,
    ),
    "expectancy_r": Definition(
        "expectancy in R", "R",
        "The average result in units of what was at risk: the distance from the entry to the stop first written for "
        "it, times size. A stop moved later does not count; where the stop is unknown or on the wrong side, R is too.",
        "mean of net / (|entry − stop| · quantity · multiplier)", _T,
    ),
    "sqn": Definition(
        "SQN", "ratio", "System quality number: the average R against its spread; flagged under 30 campaigns.",
        "√min(n, 100) · mean R / sample sd of R", _JACK,
    ),
    "longest_win_streak": Definition(
        "longest row of winners", "count", "Most winners one after another; a scratch ends the row.", "max run of W",
        _BOOT,
    ),
    "longest_loss_streak": Definition(
        "longest row of losers", "count", "Most losers one after another; a scratch ends the row.", "max run of L",
        _BOOT,
    ),
    "current_streak": Definition(
        "row at the end", "count", "The row the list ends in; losers count below zero.", "run of the last kind"
    ),
    "max_drawdown": Definition(
        "deepest drawdown", "money", "The furthest the running total fell below its highest point, which starts at 0.",
        "min over i of (E_i − max(0, E_1 … E_i)), E_i = Σ_{j≤i} net_j", _BOOT,
    ),
    "recovery": Definition(
        "recovery", "ratio", "What was earned for each unit of the deepest drawdown.", "Σ net / |deepest drawdown|",
        _BOOT,
    ),
    "k_ratio": Definition(
        "K-ratio", "ratio", "How steadily the running total climbed: its slope against the slope's own error.",
        "slope / se(slope) of E_i on i", _BOOT,
    ),
    "hold_time": Definition(
        "holding time", "seconds", "How long a campaign lasted on average; fills with a date alone are left out.",
        "mean of last fill − first fill", _T,
    ),
    "hold_time_winners": Definition("holding time, winners", "seconds", "The same for winners.", "mean over W", _T),
    "hold_time_losers": Definition("holding time, losers", "seconds", "The same for losers.", "mean over L", _T),
    "mfe": Definition(
        "best excursion (MFE)", "money",
        "The most a campaign was ever worth while it was open: realised so far plus the rest at the bars' best price. "
        "The bars that hold the entry and the exit do not count: their extremes may lie outside the holding time.",
        "mean of max over time, at least 0", _T,
    ),
    "mae": Definition(
        "worst excursion (MAE)", "money", "The least it was ever worth while it was open, in the same way.",
        "mean of min over time, at most 0", _T,
    ),
    "exit_efficiency": Definition(
        "exit efficiency", "ratio", "The share of its best excursion that a campaign kept.",
        "mean of net / MFE, MFE > 0",
        _T,
    ),
    "n": Definition("n", "count", "How many observations a number rests on.", "count"),
    "interval": Definition(
        "95 % interval", "–",
        "Where the true value lies with 95 % confidence if the past is a fair sample; wide means little is known.",
        "the method stands with each statistic",
    ),
    "too_few": Definition(
        "too few", "–", "Fewer than 20 observations: nothing should be concluded from the number.", "n < 20"
    ),
    "p_value": Definition(
        "p", "share", "How often chance alone would show a mean this far from 0 if the true mean were 0.",
        "two-sided, Student's t on n − 1 degrees of freedom",
    ),
    "q_value": Definition(
        "q", "share",
        "p adjusted for how many cells are looked at together: of the cells with q below 0.05, about one in twenty is "
        "chance.",
        "Benjamini & Hochberg 1995 over the cells of one table",
    ),
    "rule_cost": Definition(
        "cost of a broken rule", "money",
        "The average result of campaigns that failed a check minus that of campaigns that passed it. A difference, not "
        "a cause.",
        "mean net (failed) − mean net (passed)", "Welch's t",
    ),
    "realised": Definition(
        "realised", "money", "What exits have earned, on the day of the exit, after their share of all fees.",
        "Σ matched lots ± (exit − entry) · q · multiplier − fees (first in, first out)",
    ),
}  # fmt: skip
