"""What stands on what, worked out by hand."""

from pathlib import Path

import pytest

from algomatic_cli.core.jobs.nightly.config import TEMPLATE, Config, parse, read_config
from algomatic_cli.core.jobs.nightly.plan import STEPS, Item, World, again, chosen_steps, plan

FILE = Path("nightly.toml")
WORLD = World(["AAPL", "SPY", "WTI"], [1, 2], {2}, {2: {"AAPL"}})
CONFIG = parse(
    {
        "sync": {"exclude": ["wti"]},
        "features": {"timeframes": ["1Day"]},
        "probes": {"watch": [{"symbol": "aapl", "timeframe": "1Day"}]},
    },
    FILE,
)


def of(items: list[Item]) -> dict[tuple[str, str], Item]:
    return {item.key: item for item in items}


def test_every_step_has_its_items_and_what_an_item_stands_on_comes_before_it() -> None:
    items = plan(WORLD, CONFIG, STEPS)
    assert [item.name for item in items if item.step == "sync"] == ["AAPL", "SPY"]
    assert [item.name for item in items if item.step == "aggregate"] == ["AAPL", "SPY", "WTI"]
    assert [item.name for item in items if item.step == "fills"] == ["account 2"]
    assert [item.name for item in items if item.step == "report"] == ["account 1", "account 2"]
    seen: set[tuple[str, str]] = set()
    for item in items:
        assert seen >= {*item.needs, *item.uses}
        seen.add(item.key)


def test_features_need_their_own_bars_and_use_the_benchmarks() -> None:
    found = of(plan(WORLD, CONFIG, STEPS))["features", "AAPL 1Day"]
    assert set(found.needs) == {("sync", "AAPL"), ("aggregate", "AAPL")}
    assert set(found.uses) == {("sync", "SPY"), ("aggregate", "SPY")}
    assert of(plan(WORLD, CONFIG, STEPS))["features", "SPY 1Day"].uses == ()


def test_the_review_of_an_account_needs_its_fills_and_uses_the_symbols_it_trades() -> None:
    found = of(plan(WORLD, CONFIG, STEPS))
    assert set(found["report", "account 2"].needs) == {(step, "account 2") for step in ("fills", "campaigns", "checks")}
    assert set(found["checks", "account 1"].needs) == {("campaigns", "account 1")}
    assert ("states", "AAPL 1Day") in found["checks", "account 2"].uses
    assert found["checks", "account 1"].uses == ()


def test_without_a_step_an_item_stands_on_what_lies_below_it() -> None:
    steps = chosen_steps([], ["aggregate", "features"])
    found = of(plan(WORLD, CONFIG, steps))
    assert found["states", "AAPL 1Day"].needs == (("sync", "AAPL"),)
    assert found["probes", "AAPL 1Day"].needs == (("sync", "AAPL"),)
    only = of(plan(WORLD, CONFIG, chosen_steps(["report"], [])))
    assert {(item.needs, item.uses) for item in only.values()} == {((), ())}


def test_again_is_what_failed_and_everything_that_stands_on_it() -> None:
    items = plan(WORLD, CONFIG, STEPS)
    found = [item.key for item in again(items, [("sync", "AAPL")])]
    assert found == [
        ("sync", "AAPL"), ("aggregate", "AAPL"), ("features", "AAPL 1Day"), ("states", "AAPL 1Day"),
        ("checks", "account 2"), ("probes", "AAPL 1Day"), ("report", "account 2"),
    ]  # fmt: skip
    assert [item.key for item in again(items, [("fills", "account 2")])] == [
        (step, "account 2") for step in ("fills", "campaigns", "checks", "report")
    ]
    # The benchmark is in the features of every symbol.
    assert ("features", "WTI 1Day") in {item.key for item in again(items, [("sync", "SPY")])}
    assert again(items, []) == []


def test_the_defaults_that_the_template_shows_are_the_defaults() -> None:
    import re
    import tomllib

    assert parse(tomllib.loads(TEMPLATE), FILE) == Config()
    shown = re.sub(r"^# (\w+ = .*)$", r"\1", TEMPLATE, flags=re.MULTILINE)
    shown = re.sub(r"^(watch|directory|healthcheck_url|webhook_url|feed) = .*$", "", shown, flags=re.MULTILINE)
    assert len(re.findall(r"^\w+ = ", shown, re.MULTILINE)) == 7
    assert parse(tomllib.loads(shown), FILE) == Config()


@pytest.mark.parametrize("key", ["watch", "directory", "healthcheck_url", "webhook_url", "feed"])
def test_the_examples_of_the_template_are_understood(key: str) -> None:
    import re
    import tomllib

    body = TEMPLATE.replace("# watch = [\n#   ", "# watch = [ ").replace("},\n# ]", "} ]")
    content = tomllib.loads(re.sub(rf"^# ({key} = .*)$", r"\1", body, flags=re.MULTILINE))
    assert parse(content, FILE) != Config()


def test_a_directory_in_the_file_is_seen_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "n.toml").write_text('[report]\ndirectory = "out"\n')
    config, file = read_config(tmp_path / "n.toml")
    assert (config.report.directory, file) == (tmp_path / "out", tmp_path / "n.toml")


def test_an_address_that_is_wrong_is_not_repeated() -> None:
    with pytest.raises(Exception, match="healthcheck_url") as caught:
        parse({"notify": {"healthcheck_url": ["https://hc-ping.example/secret-uuid"]}}, FILE)
    assert "secret-uuid" not in str(caught.value)
