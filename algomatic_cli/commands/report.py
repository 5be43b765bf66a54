"""`algomatic report`: an account's review as one HTML file."""

from pathlib import Path

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import Account, HtmlFile

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def report(account: Account, html: HtmlFile = None) -> int:
    """Write an account's review to one HTML file that opens offline: equity, calendar, breakdowns, prices, journal.

    Example: algomatic report --account 3 --html review.html
    """
    from algomatic_cli.core import clock
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.output import write_whole
    from algomatic_cli.core.reports.account import account_page
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.trades.regime import regime_labels

    path = html or Path(f"review-account-{account}.html")
    with open_session() as session:
        page = account_page(session, account, regime_labels(get_settings().home.models), clock.utc_now())
    write_whole(path, page)
    console.say(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB); open it in a browser")
    return EXIT_OK
