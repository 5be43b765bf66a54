"""The steps of a night: each calls the function its own command calls, and reports what became of each item."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.errors import AlgomaticError, NotFoundError, ProviderError
from algomatic_cli.core.home import Home
from algomatic_cli.core.jobs.nightly.config import Config
from algomatic_cli.core.jobs.nightly.plan import SYNCED, Item
from algomatic_cli.core.jobs.nightly.result import Result, failure

_NOTES: Final = 5

Report = Callable[[Item, Result], None]
Step = Callable[["Night", Sequence[Item], Report], None]


@dataclass
class Night:
    """What the steps of one run share.

    Attributes:
        session: each step commits what it does; nothing is open between items.
        config, home: of the run.
        now: when it began; what is asked of brokers ends there.
        filled: what the features step found of a series, for the states that were written with them.
    """

    session: Session
    config: Config
    home: Home
    now: datetime
    filled: dict[str, Any] = field(default_factory=dict)


def each(night: Night, items: Sequence[Item], report: Report, work: Callable[[Item], Result]) -> None:
    """Work on items one by one; what one raises is its own failure."""
    for item in items:
        begun = clock.monotonic()
        try:
            result = work(item)
        except Exception as error:
            night.session.rollback()
            result = failure(error)
        report(item, Result(**{**vars(result), "seconds": round(clock.monotonic() - begun, 3)}))


# --- the market ----------------------------------------------------------------------------------------------------


def sync(night: Night, items: Sequence[Item], report: Report) -> None:
    """Fetch what is missing of all symbols together: providers are asked for many at once."""
    from algomatic_cli.core.market.providers import open_provider
    from algomatic_cli.core.market.sync import run
    from algomatic_cli.core.market.sync.asked import Asked
    from algomatic_cli.core.market.sync.outcome import Outcome, Silent
    from algomatic_cli.core.market.sync.prepare import Job

    by_symbol = {item.symbol: item for item in items}

    class Told(Silent):
        """Reports each series as it ends."""

        def finished(self, outcome: Outcome) -> None:
            report(by_symbol[outcome.symbol], synced(outcome))

    def synced(outcome: Outcome) -> Result:
        names = ("fetched", "inserted", "changed", "conflicts", "quarantined")
        counts = {name: getattr(outcome, name) for name in names}
        if outcome.status == "success":
            notes = [f"{outcome.quarantined} rows were no bars and are kept apart"] if outcome.quarantined else []
            return Result("done", counts, notes)
        return failure(outcome.error or AlgomaticError("it stopped midway"), counts)

    provider, pace = open_provider(night.config.sync.provider, feed=night.config.sync.feed)
    run.sync(night.session, provider, pace, Job(list(by_symbol), SYNCED, Asked()), Told())


def aggregate(night: Night, items: Sequence[Item], report: Report) -> None:
    """Build higher timeframes from the 1Min bars."""
    from algomatic_cli.core.market.aggregate import aggregate_symbol
    from algomatic_cli.core.market.store_sync import read_tickers

    tickers = read_tickers(night.session, [item.symbol for item in items])
    targets = list(dict.fromkeys(night.config.aggregate.timeframes))

    def work(item: Item) -> Result:
        if item.symbol not in tickers:
            raise NotFoundError(f"there is no symbol {item.symbol}")
        built = aggregate_symbol(night.session, tickers[item.symbol], targets, extended=False, wait=False, keep=True)
        if not any(one.read for one in built):
            return Result("skipped", notes=["it has no 1Min bars to build from"])
        return Result("done", {name: sum(getattr(one, name) for one in built) for name in ("written", "changed")})

    each(night, items, report, work)


def features(night: Night, items: Sequence[Item], report: Report) -> None:
    """Bring features up to date, and the states with them in the same write."""

    def told(item: Item, outcome: Any) -> None:
        night.filled[item.name] = outcome
        report(item, outcome if isinstance(outcome, Result) else _computed(outcome))

    _fill(night, items, told)


def _computed(done: Any) -> Result:
    counts = {name: getattr(done, name) for name in ("bars", "written", "partial", "unusable")}
    return Result("done", counts, seconds=done.seconds)


def states(night: Night, items: Sequence[Item], report: Report) -> None:
    """Report the states that were written with the features; assign those of other series."""

    def told(item: Item, outcome: Any) -> None:
        report(item, outcome if isinstance(outcome, Result) else _assigned(outcome))

    alone = []
    for item in items:
        done = night.filled.get(item.name)
        told(item, done) if done is not None else alone.append(item)
    _fill(night, alone, told)


def _assigned(done: Any) -> Result:
    if done.model_id is None:
        return Result("skipped", notes=[f"there is no model of {done.timeframe} bars yet (algomatic states train)"])
    counts = {"assigned": done.assigned, "ood": done.ood, "written": done.states_written}
    return Result("done", counts | {"model_id": done.model_id})


def _fill(night: Night, items: Sequence[Item], told: Callable[[Item, Any], None]) -> None:
    """Features and states of series, in processes where there is enough to do; `told` gets a `Refreshed` or a `Result`.

    When something nobody foresaw ends the processes, what is left is worked on here, one by one: it is one series'
    fault, and the others are not to suffer for it.
    """
    from algomatic_cli.core.states.batch import Task, run_all

    benchmark = night.config.features.benchmark.upper()
    left = {item.name: item for item in items}
    for timeframe in dict.fromkeys(item.timeframe for item in items):
        task = Task(timeframe, night.home.models, benchmark=None if benchmark == "NONE" else benchmark)
        symbols = [item.symbol for item in left.values() if item.timeframe == timeframe]
        try:
            for symbol, outcome in run_all(night.session, symbols, task):
                told(left.pop(f"{symbol} {timeframe}"), _judged(outcome))
        except Exception:
            night.session.rollback()
            for symbol in symbols:
                item = left.pop(f"{symbol} {timeframe}", None)
                if item is not None:
                    told(item, _judged(_alone(night, task, symbol)))


def _alone(night: Night, task: Any, symbol: str) -> Any:
    try:
        return task.run(night.session, symbol)
    except Exception as error:
        night.session.rollback()
        return error


def _judged(outcome: Any) -> Any:
    """A refresh as it is; what it raised as a result. A series without bars has nothing to compute."""
    if isinstance(outcome, NotFoundError):
        return Result("skipped", notes=[outcome.reason])
    return failure(outcome) if isinstance(outcome, Exception) else outcome


# --- trades --------------------------------------------------------------------------------------------------------


def fills(night: Night, items: Sequence[Item], report: Report) -> None:
    """Fetch executions from the brokers."""
    from algomatic_cli.core.broker.sync import sync_account

    names = ("read", "new", "already", "twins", "superseded", "vanished", "ignored", "quarantined", "skipped")

    def work(item: Item) -> Result:
        summary = sync_account(night.session, item.account, since=None, now=night.now, wait=False, dry_run=False)
        told = summary.as_dict()
        counts = {name: told[name] for name in names}
        notes = [f"in quarantine: {one['reason']}" for one in told["quarantine"]]
        if summary.vanished:
            notes.append(f"{summary.vanished} fills are no longer returned by the broker; they are kept")
        if summary.failed:
            reasons = "; ".join(f"{one['item']}: {one['error']}" for one in summary.failed)
            return failure(ProviderError(reasons, next_step=f"algomatic fills sync --account {item.account}"), counts)
        return Result("done", counts, _few(notes))

    each(night, items, report, work)


def campaigns(night: Night, items: Sequence[Item], report: Report) -> None:
    """Group fills into campaigns."""
    from algomatic_cli.core.accounts.store import allows_short
    from algomatic_cli.core.trades.rebuild import rebuild_account

    def work(item: Item) -> Result:
        short = allows_short(night.session, item.account)
        found = rebuild_account(night.session, item.account, allow_short=short, wait=False).as_dict()
        names = ("fills", "campaigns", "open", "closed", "unmatched", "changed")
        notes = [f"{problem}; its fills are in no campaign" for problem in found["problems"]] + found["notes"]
        return Result("done", {name: found[name] for name in names}, _few(notes))

    each(night, items, report, work)


def checks(night: Night, items: Sequence[Item], report: Report) -> None:
    """Judge fills by the account's limits."""
    from algomatic_cli.core.trades.checks.run import run_checks
    from algomatic_cli.core.trades.regime import regime_labels

    labels = regime_labels(night.home.models)

    def work(item: Item) -> Result:
        found = run_checks(night.session, item.account, labels).as_dict()
        names = ("contexts", "checks", "passed", "failed", "unknown", "changed", "removed")
        return Result("done", {name: found[name] for name in names})

    each(night, items, report, work)


def report_(night: Night, items: Sequence[Item], report: Report) -> None:
    """Write each account's review to an HTML file."""
    from algomatic_cli.core.output import whole_file
    from algomatic_cli.core.reports.account import account_page
    from algomatic_cli.core.trades.regime import regime_labels

    directory = night.config.report.directory or night.home.reports
    labels = regime_labels(night.home.models)

    def work(item: Item) -> Result:
        directory.mkdir(parents=True, exist_ok=True)
        page = account_page(night.session, item.account, labels, night.now)
        night.session.rollback()
        file = directory / f"account-{item.account}.html"
        with whole_file(file) as path:
            path.write_text(page, encoding="utf-8")
        return Result("done", {"file": str(file), "bytes": file.stat().st_size})

    each(night, items, report, work)


# --- probes --------------------------------------------------------------------------------------------------------


def probes(night: Night, items: Sequence[Item], report: Report) -> None:
    """Backtest the watch list; each series has one run, which the next night replaces."""
    from algomatic_cli.core.probes import runner

    wishes = {f"{one.symbol.upper()} {one.timeframe}": one for one in night.config.probes.watch}

    def work(item: Item) -> Result:
        watch = wishes[item.name]
        wish = runner.Wish((item.symbol,), item.timeframe, watch.strategies, profiles=watch.profiles)
        name = f"nightly-{item.symbol}-{item.timeframe}"
        found = runner.run(night.session, wish, name, workers=os.cpu_count() or 1)
        counts = {"run_id": name, "units": found.units, "trades": found.trades, "silent": len(found.silent)}
        if found.failed:
            reasons = "; ".join(f"{one['strategy']}: {one['error']}" for one in found.failed[:_NOTES])
            more = f" and {len(found.failed) - _NOTES} more" if len(found.failed) > _NOTES else ""
            return failure(
                AlgomaticError(reasons + more, next_step=f"algomatic probes run --resume {name}"),
                counts | {"failed": len(found.failed)},
            )
        return Result("done", counts)

    each(night, items, report, work)


def _few(notes: list[str]) -> list[str]:
    return notes if len(notes) <= _NOTES else [*notes[:_NOTES], f"and {len(notes) - _NOTES} more"]


WORK: Final[dict[str, Step]] = {
    "sync": sync,
    "aggregate": aggregate,
    "features": features,
    "states": states,
    "fills": fills,
    "campaigns": campaigns,
    "checks": checks,
    "probes": probes,
    "report": report_,
}
