"""`algomatic campaigns plot`: one campaign on the price, its fills where they happened."""

import shutil

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import CampaignArgument, Html, OptionalTimeframe

LEGEND = "▲ bought, ▼ sold; filled: into the position, hollow: out of it; ◆ several in one place; times in UTC"
COLOURS = {"▲": "#2e9e5b", "△": "#2e9e5b", "▼": "#d6453d", "▽": "#d6453d", "◆": "#c98a00"}


def plot(group: CampaignArgument, timeframe: OptionalTimeframe = None, html: Html = None) -> int:
    """Draw the price around a campaign with its entries and exits, in the terminal or into an HTML file.

    Example: algomatic campaigns plot 4 --html campaign.html
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import chart, chart_html
    from algomatic_cli.core.trades.picture import read_picture
    from algomatic_cli.core.trades.statistics import wording
    from algomatic_cli.core.trades.store_review import get_campaign

    with open_session() as session:
        campaign = get_campaign(session, group)
        picture = read_picture(session, campaign, timeframe.value if timeframe else None)
    title = f"{campaign['symbol']} {picture.timeframe}: campaign {group}, {campaign['direction']}, "
    if campaign["status"] == "open":
        title += f"{abs(campaign['open_quantity']).normalize():,f} open"
    else:
        title += f"{wording.money(campaign['net_pnl'])} {campaign['currency']}"
    if html is not None:
        chart_html.write_html(html, title, picture.candles, picture.marks)
        console.say(f"{html}: {len(picture.candles):,} bars, {len(picture.marks)} fills")
    else:
        console.data(title)
        for line in chart.draw(picture.candles, shutil.get_terminal_size((100, 30)).columns, 20, picture.marks):
            console.spans([(sign, COLOURS.get(sign)) for sign in line])
        console.say(LEGEND)
    if picture.beyond:
        console.warn(f"fills outside the stored {picture.timeframe} bars, not drawn: {picture.beyond}")
    return EXIT_OK
