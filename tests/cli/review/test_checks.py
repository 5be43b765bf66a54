"""`checks run / list / ack / plan` over stored fills, bars, features and states."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import Algomatic

Told = Callable[..., Any]
Fill = Callable[..., int]

FEATURES = {
    "atr_14": 1, "vwap": 49.75, "sma_20": 48.75, "donchian_high_20": 49.75, "donchian_low_20": 45, "rsi_14": 60,
    "stoch_k": 70, "macd_hist": 0.2, "vol1": 200, "volume_sma_20": 100,
}  # fmt: skip


def store_bars(session: Session, times: list[str], timeframe: str = "15Min", **changes: Any) -> None:
    """Bars of AAPL with the features of the hand-worked cases, the last one with these changes."""
    ticker = session.scalar(
        text(
            "INSERT INTO tickers (symbol) VALUES ('AAPL') ON CONFLICT (symbol) "
            "DO UPDATE SET symbol = 'AAPL' RETURNING id"
        )
    )
    for time in times:
        features = FEATURES | (changes if time == times[-1] else {})
        session.execute(
            text(
                "WITH b AS (INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, "
                "source) VALUES (:t, :f, :at, 50, 51, 49, 50, 200, 'csv_import') RETURNING id) INSERT INTO "
                "computed_features (bar_id, ticker_id, timeframe, timestamp, features, model_id, state_id, state_prob) "
                "SELECT id, :t, :f, :at, CAST(:features AS jsonb), 'm', 1, 0.9 FROM b"
            ),
            {"t": ticker, "f": timeframe, "at": time, "features": json.dumps(features)},
        )
    session.commit()


def outcomes(told: Told, account: int, fill: int) -> dict[str, Any]:
    rows = told("checks", "list", "--account", str(account), "--fill", str(fill))
    return {row["check_type"]: row for row in rows}


def entered(told: Told, account: int, fill: Fill) -> int:
    number = fill("buy", 100, 50, "2024-03-05T15:07Z")
    told("campaigns", "rebuild", "--account", str(account))
    told("context", "set", str(number), "--stop", "48", "--target", "53")
    return number


def test_the_last_complete_bar_is_looked_at_and_its_numbers_are_told(
    told: Told, account: int, fill: Fill, session: Session
) -> None:
    # 15:07 lies in the bar of 15:00; the last complete one is that of 14:45.
    store_bars(session, ["2024-03-05T14:30Z", "2024-03-05T14:45Z"])
    store_bars(session, ["2024-03-05T15:00Z"], atr_14=99)
    number = entered(told, account, fill)
    run = told("checks", "run", "--account", str(account))
    assert (run["checks"], run["failed"]) == (17, 1)
    found = outcomes(told, account, number)
    assert found["EQ001"]["details"]["bar"] == "2024-03-05T14:45:00Z"
    assert found["EQ001"]["details"]["entry_quality"] == 100
    assert found["RS004"]["details"]["stop_atr"] == 2
    assert found["RS005"]["passed"] is False, "5,000 of 10,000"
    assert found["RG002"]["passed"] is True
    assert found["RG001"]["details"]["reason"].startswith("the regime's model is not at hand")
    assert found["BH002"]["passed"] is None


def test_bars_of_the_fills_time_and_later_never_reach_a_check(
    told: Told, account: int, fill: Fill, session: Session
) -> None:
    store_bars(session, ["2024-03-05T14:30Z", "2024-03-05T14:45Z"])
    number = entered(told, account, fill)
    told("checks", "run", "--account", str(account))
    before = outcomes(told, account, number)
    poison: dict[str, Any] = dict.fromkeys(FEATURES, 1000000.0)
    store_bars(session, ["2024-03-05T15:00Z"], **poison)
    store_bars(session, ["2024-03-05T15:15Z"], **poison)
    store_bars(session, ["2024-03-06T14:30Z"], **poison)
    run = told("checks", "run", "--account", str(account))
    assert run["changed"] == 0
    assert outcomes(told, account, number) == before


def test_a_second_run_changes_nothing_and_an_acknowledgement_stays(told: Told, account: int, fill: Fill) -> None:
    number = entered(told, account, fill)
    told("checks", "run", "--account", str(account))
    failed = outcomes(told, account, number)["RS005"]
    row = told("checks", "ack", str(failed["id"]), "--action", "modified")
    assert (row["acknowledged"], row["trader_action"]) == (True, "modified")
    again = told("checks", "run", "--account", str(account))
    assert (again["changed"], again["removed"]) == (0, 0)
    told("context", "set", str(number), "--stop", "40")
    told("profile", "set", "--account", str(account), "account_balance=100000")
    assert told("checks", "run", "--account", str(account))["changed"] > 0
    row = outcomes(told, account, number)["RS005"]
    assert (row["id"], row["passed"], row["trader_action"]) == (failed["id"], True, "modified")


def test_rules_switch_checks_off_and_on_and_change_their_limits(
    told: Told, account: int, fill: Fill, algomatic: Algomatic
) -> None:
    number = entered(told, account, fill)
    told("rules", "set", "--account", str(account), "RS002", "--param", "max_risk_pct=1", "--severity", "critical")
    told("checks", "run", "--account", str(account))
    row = outcomes(told, account, number)["RS002"]
    assert (row["passed"], row["severity"], row["details"]["limit_source"]) == (False, "critical", "rule")
    assert row["nudge_text"] == "Risk to the stop is 2 % of balance; your limit is 1 %."
    assert algomatic("rules", "disable", "--account", str(account), "RS002").returncode == 0
    assert told("checks", "run", "--account", str(account))["removed"] == 1
    assert "RS002" not in outcomes(told, account, number)
    assert algomatic("rules", "enable", "--account", str(account), "RS002").returncode == 0
    told("checks", "run", "--account", str(account))
    assert outcomes(told, account, number)["RS002"]["passed"] is False


def test_without_data_a_check_is_unknown_and_never_passed(told: Told, account: int, fill: Fill) -> None:
    number = entered(told, account, fill)
    told("checks", "run", "--account", str(account))
    found = outcomes(told, account, number)
    for code in ("RS004", "EQ001", "EQ002", "EQ003", "EQ004", "EQ005", "RG001", "RG002", "RG003"):
        assert found[code]["passed"] is None
        assert found[code]["details"]["reason"]
    assert found["EQ001"]["details"]["entry_quality"] is None


def test_an_exit_is_judged_as_an_exit_only_and_an_add_also_as_an_add(told: Told, account: int, fill: Fill) -> None:
    fill("buy", 100, 50, "2024-03-05T15:00Z")
    add = fill("buy", 100, 49, "2024-03-05T15:10Z")
    leave = fill("sell", 200, 51, "2024-03-05T15:20Z")
    told("campaigns", "rebuild", "--account", str(account))
    told("checks", "run", "--account", str(account))
    assert set(outcomes(told, account, leave)) == {"BH004", "BH005"}
    row = outcomes(told, account, add)["BH003"]
    assert (row["passed"], row["details"]["average_cost"]) == (False, 50)


def test_an_exit_before_a_target_that_came_later_that_session(
    told: Told, account: int, fill: Fill, session: Session
) -> None:
    store_bars(session, ["2024-03-05T14:30Z", "2024-03-05T14:45Z", "2024-03-05T15:15Z"])
    number = fill("buy", 100, 50, "2024-03-05T14:50Z")
    leave = fill("sell", 100, 50.2, "2024-03-05T15:10Z")
    told("campaigns", "rebuild", "--account", str(account))
    told("context", "set", str(number), "--stop", "48", "--target", "50.9")
    told("checks", "run", "--account", str(account))
    assert outcomes(told, account, leave)["BH005"]["passed"] is False
    told("context", "set", str(number), "--target", "51.1")
    told("checks", "run", "--account", str(account))
    assert outcomes(told, account, leave)["BH005"]["passed"] is True, "the bar of 15:15 reached 51"


def test_a_plan_is_judged_before_it_is_made_and_nothing_is_stored(
    told: Told, algomatic: Algomatic, account: int, fill: Fill, session: Session
) -> None:
    store_bars(session, ["2024-03-05T14:30Z", "2024-03-05T14:45Z"])
    plan = (
        "checks", "plan", "AAPL", "--account", str(account), "--side", "long", "--entry", "50", "--stop", "46.9",
        "--target", "53", "--qty", "100", "--at", "2024-03-05T15:07Z",
    )  # fmt: skip
    found = {row["check_type"]: row for row in told(*plan)["checks"]}
    assert found["RS002"]["nudge_text"] == "Risk to the stop is 3.1 % of balance; the default limit is 2 %."
    assert found["RS002"]["check_phase"] == "pre_trade"
    assert found["EQ001"]["details"]["beyond_atr"] == 0.25
    assert session.scalar(text("SELECT count(*) FROM campaign_checks")) == 0
    assert algomatic(*plan).returncode == 0, "and as a table"
    fill("sell", 100, 50, "2024-03-05T14:00Z")
    told("campaigns", "rebuild", "--account", str(account))
    refused = algomatic(*plan)
    assert refused.returncode == 2
    assert "this trade would be an exit" in refused.stderr
