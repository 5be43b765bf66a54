"""`algomatic journal`: what a day or a trade was like, in the trader's own words."""

import sys
from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import (
    Account,
    ContentArgument,
    DryRun,
    Edit,
    EntryArgument,
    Format,
    FormatOption,
    FromDay,
    JournalDay,
    JournalType,
    JsonOption,
    Mood,
    OnlyTag,
    Tags,
    ToDay,
    TradeOption,
    WordsArgument,
    chosen,
)

app = typer.Typer(help="Your journal.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [
    console.Column("id", "entry", str),
    console.Column("date"),
    console.Column("entry_type", "type", rank=2),
    console.Column("mood"),
    console.Column("tags", write=lambda tags: " ".join(f"#{tag}" for tag in tags), rank=1),
    console.Column("content", "text", lambda text: text if len(text) <= 60 else text.replace("\n", " ")[:59] + "…"),
]


def _say_unusual(kind: str | None, mood: str | None) -> None:
    from algomatic_cli.core.accounts.journal import MOODS, TYPES

    for word, usual, name in ((kind, TYPES, "types"), (mood, MOODS, "moods")):
        if word is not None and word not in usual:
            console.say(f"{word!r} is not one of the usual {name} ({', '.join(usual)}); it is kept as it is")


@app.command()
def add(
    account: Account,
    content: ContentArgument = None,
    date: JournalDay = None,
    type_: JournalType = None,
    mood: Mood = None,
    tag: Tags = None,
    trade: TradeOption = None,
    edit: Edit = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Write an entry: a daily reflection, or with --trade a note on a campaign.

    Example: algomatic journal add --account 3 --mood neutral --tag discipline "Waited for the setup all morning."
    """
    from algomatic_cli.core import clock
    from algomatic_cli.core.accounts import journal
    from algomatic_cli.core.accounts.store_journal import add_entry
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.editor import edit as edited

    text = sys.stdin.read() if content == "-" else content or ""
    if edit:
        text = edited(text, suffix=".md")
    values: dict[str, Any] = {
        "date": journal.day_of(date or clock.utc_now().date().isoformat()),
        "entry_type": journal.word_of(type_ or ("trade_note" if trade else "daily_reflection"), "type"),
        "content": journal.content_of(text),
        "trade_id": journal.word_of(trade, "trade") if trade else None,
        "tags": journal.tags_of(tag or ()),
        "mood": journal.word_of(mood, "mood") if mood else None,
    }
    with open_session() as session:
        row = add_entry(session, account, values)
        if not dry_run:
            session.commit()
    _say_unusual(row["entry_type"], row["mood"])
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


def _list(account: int, style: Format, **wanted: str | None) -> int:
    from algomatic_cli.core.accounts import journal
    from algomatic_cli.core.accounts.store_journal import list_entries
    from algomatic_cli.core.db.engine import open_session

    days = {key: journal.day_of(value) for key in ("start", "end") if (value := wanted.get(key))}
    with open_session() as session:
        rows = list_entries(session, account, **{**wanted, **days})
    console.emit(rows, COLUMNS, style, empty=f"no entries; next: algomatic journal add --account {account} …")
    return EXIT_OK


@app.command(name="list")
def list_(
    account: Account,
    from_: FromDay = None,
    to: ToDay = None,
    type_: JournalType = None,
    mood: Mood = None,
    tag: OnlyTag = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """List entries by day.

    Example: algomatic journal list --account 3 --from 2023-01-01 --mood frustrated
    """
    return _list(account, chosen(format_, as_json), start=from_, end=to, kind=type_, mood=mood, tag=tag)


@app.command()
def search(
    words: WordsArgument, account: Account, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Find entries by a part of their text or tags.

    Example: algomatic journal search "straight after a loss" --account 3
    """
    return _list(account, chosen(format_, as_json), words=words)


@app.command()
def show(entry: EntryArgument, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Show an entry in full.

    Example: algomatic journal show 2
    """
    from algomatic_cli.core.accounts.store_journal import get_entry
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = get_entry(session, entry)
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command(name="edit")
def edit_(
    entry: EntryArgument,
    content: ContentArgument = None,
    date: JournalDay = None,
    type_: JournalType = None,
    mood: Mood = None,
    tag: Tags = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Change an entry; with nothing to change given, its text opens in $VISUAL or $EDITOR.

    Example: algomatic journal edit 2 --mood neutral
    """
    from algomatic_cli.core.accounts import journal
    from algomatic_cli.core.accounts.store_journal import edit_entry, get_entry
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.editor import edit as edited

    kind = journal.word_of(type_, "type") if type_ else None
    spirit = journal.word_of(mood, "mood") if mood else None
    with open_session() as session:
        text = sys.stdin.read() if content == "-" else content
        if (text, date, type_, mood, tag) == (None,) * 5:
            text = edited(get_entry(session, entry)["content"], suffix=".md")
        values = {
            "date": journal.day_of(date) if date else None,
            "entry_type": kind,
            "content": journal.content_of(text) if text is not None else None,
            "mood": spirit,
            "tags": journal.tags_of(tag) if tag is not None else None,
        }
        row = edit_entry(session, entry, values)
        if not dry_run:
            session.commit()
    _say_unusual(kind, spirit)
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK
