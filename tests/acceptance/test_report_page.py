"""The report in a real browser: it opens from disk, runs nothing, reaches nowhere, and fits a phone."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from algomatic_cli.core.jobs.demo import import_samples
from algomatic_cli.core.jobs.sample_trades import take_in_trades
from algomatic_cli.core.reports.account import account_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Appended to a copy of the page without its content policy: what the browser made of it, written into the page.
PROBE = """<script>
const wide = document.documentElement.scrollWidth > innerWidth + 1;
const dark = getComputedStyle(document.body).backgroundColor;
const seen = [...document.querySelectorAll("svg")].filter(one => one.getBoundingClientRect().width > 0);
document.body.dataset.told = [wide ? "overflows" : "fits", dark, seen.length].join("|");
</script>"""


@pytest.fixture
def page(session: Session, tmp_path: Path) -> Path:
    list(import_samples(session, tmp_path))
    now = datetime(2024, 1, 1, tzinfo=UTC)
    trades = take_in_trades(session, now, [])
    path = tmp_path / "review.html"
    path.write_text(account_page(session, trades.account, [], now), encoding="utf-8")
    return path


def browse(path: Path, tmp_path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    assert CHROMIUM is not None
    return subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
            "--enable-logging=stderr", "--v=0", *options, path.as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=180,
    )  # fmt: skip


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [500, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_offline_fits_the_window_and_follows_the_colour_scheme(
    page: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    text = page.read_text(encoding="utf-8")
    probed = tmp_path / "probed.html"
    probed.write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</body>", PROBE + "</body>"),
        encoding="utf-8",
    )
    chosen = "0" if scheme == "dark" else "1"
    found = browse(
        probed, tmp_path, f"--window-size={width},2000", f"--blink-settings=preferredColorScheme={chosen}", "--dump-dom"
    )
    told = re.search(r'data-told="(\w+)\|(rgb[^|]+)\|(\d+)"', found.stdout)
    assert told is not None, found.stderr
    assert told.group(1) == "fits"
    assert told.group(2) == ("rgb(20, 23, 27)" if scheme == "dark" else "rgb(255, 255, 255)")
    assert int(told.group(3)) == 3, "the running total and two symbols' prices"


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_browser_has_nothing_to_complain_of_and_the_picture_is_not_empty(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    found = browse(page, tmp_path, "--window-size=1000,2000", f"--screenshot={picture}")
    assert "CONSOLE" not in found.stderr
    assert picture.stat().st_size > 50_000
