"""`algomatic rules`: the limits an account sets for itself."""

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import (
    Account,
    DryRun,
    Format,
    FormatOption,
    JsonOption,
    Limits,
    RuleArgument,
    Severity,
    chosen,
)

app = typer.Typer(help="Limits of an account.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [
    console.Column("rule_code", "rule"),
    console.Column("fails_when", "fails when"),
    console.Column("limits"),
    console.Column("severity"),
    console.Column("state"),
]


@app.command(name="list")
def list_(account: Account, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List every rule there is, with the account's limits or the defaults. JSON has the account's own rules.

    Example: algomatic rules list --account 3
    """
    from algomatic_cli.core.accounts import store_rules
    from algomatic_cli.core.accounts.rule import RULES
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        own = {row["rule_code"]: row for row in store_rules.list_rules(session, account)}
    rows = []
    for code, kind in RULES.items():
        mine = own.get(code)
        parameters = kind.limits | {"severity": kind.severity} | (mine["parameters"] if mine else {})
        severity = parameters.pop("severity")
        limits = ", ".join(f"{key}={value:g}" for key, value in parameters.items())
        state = "default" if mine is None else "set" if mine["is_enabled"] else "off"
        rows.append(
            {"rule_code": code, "fails_when": kind.fails_when, "limits": limits, "severity": severity, "state": state}
        )
    console.emit(rows, COLUMNS, chosen(format_, as_json), document=list(own.values()))
    return EXIT_OK


def _set(
    account: int, code: str, limits: list[str] | None, severity: str | None, *, dry_run: bool, style: Format
) -> int:
    from algomatic_cli.core.accounts import rule, store_rules
    from algomatic_cli.core.db.engine import open_session

    kind = rule.rule_kind(code)
    parameters = rule.parameters_of(code, limits or [], severity)
    with open_session() as session:
        row = store_rules.set_rule(session, account, code.upper(), kind.evaluator, parameters, kind.fails_when)
        if not dry_run:
            session.commit()
    console.emit_object(row, style)
    return EXIT_OK


@app.command(name="set")
def set_(
    account: Account,
    code: RuleArgument,
    param: Limits = None,
    severity: Severity = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Set a rule's limits or severity.

    Example: algomatic rules set --account 3 RS002 --param max_risk_pct=1 --severity critical
    """
    return _set(account, code, param, severity, dry_run=dry_run, style=chosen(format_, as_json))


@app.command()
def add(
    account: Account,
    code: RuleArgument,
    param: Limits = None,
    severity: Severity = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Make a rule the account's own, with its defaults where nothing is given.

    Example: algomatic rules add --account 3 BH001 --param minutes=30
    """
    return _set(account, code, param, severity, dry_run=dry_run, style=chosen(format_, as_json))


@app.command()
def enable(account: Account, code: RuleArgument, dry_run: DryRun = False) -> int:
    """Switch one of the account's rules on.

    Example: algomatic rules enable --account 3 BH001
    """
    return _switch(account, code, enabled=True, dry_run=dry_run)


@app.command()
def disable(account: Account, code: RuleArgument, dry_run: DryRun = False) -> int:
    """Switch one of the account's rules off.

    Example: algomatic rules disable --account 3 BH001
    """
    return _switch(account, code, enabled=False, dry_run=dry_run)


def _switch(account: int, code: str, *, enabled: bool, dry_run: bool) -> int:
    from algomatic_cli.core.accounts import rule, store_rules
    from algomatic_cli.core.db.engine import open_session

    rule.rule_kind(code)
    with open_session() as session:
        store_rules.enable_rule(session, account, code.upper(), enabled=enabled)
        if not dry_run:
            session.commit()
    console.say(f"rule {code.upper()} of account {account} is {'on' if enabled else 'off'}")
    return EXIT_OK


@app.command()
def remove(account: Account, code: RuleArgument, dry_run: DryRun = False) -> int:
    """Remove one of the account's rules; the check goes back to the limits beneath it.

    Example: algomatic rules remove --account 3 BH001
    """
    from algomatic_cli.core.accounts import rule, store_rules
    from algomatic_cli.core.db.engine import open_session

    rule.rule_kind(code)
    with open_session() as session:
        store_rules.remove_rule(session, account, code.upper())
        if not dry_run:
            session.commit()
    console.say(f"rule {code.upper()} of account {account} is removed")
    return EXIT_OK
