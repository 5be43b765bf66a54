"""One line of what a command says on stderr: a sentence for a person, or a JSON object for a machine.

A JSON line holds `time` (UTC), `level` (debug, info, warning, error, critical), `command`, `run` (one id for all lines
of a process; ALGOMATIC_RUN_ID gives it, so that a job's commands can share one) and `message`. Some have more: an error
its causes, next step and exit code, a provider's answer its status, seconds and `request_id`.

What the libraries below tell Python's `logging` comes here too. No line holds a configured secret.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from algomatic_cli.core import clock

if TYPE_CHECKING:
    from logging import LogRecord

OURS = "algomatic"  # the logger of the core, which knows no terminal
_EXTRA = ("provider", "status", "seconds", "request_id", "attempt")
_COLOURS = {"warning": "33", "error": "31", "critical": "31"}


@dataclass
class _Manner:
    as_json: bool = False
    no_color: bool = False
    command: Callable[[], str] = lambda: ""
    run: str = field(default_factory=lambda: os.environ.get("ALGOMATIC_RUN_ID") or os.urandom(6).hex())


_manner = _Manner(as_json=os.environ.get("ALGOMATIC_LOG_FORMAT") == "json")


def configure(
    *, as_json: bool | None = None, no_color: bool | None = None, command: Callable[[], str] | None = None
) -> None:
    """Set how lines are written; what is not given stays. `command` tells the name of the command that is running."""
    _manner.as_json = _manner.as_json if as_json is None else as_json
    _manner.no_color = _manner.no_color if no_color is None else no_color
    _manner.command = command or _manner.command


def is_json() -> bool:
    """Whether lines are JSON objects."""
    return _manner.as_json


def write(level: str, text: str, **fields: Any) -> None:
    """Write one line.

    Args:
        level: debug, info, warning, error or critical.
        text: what is said.
        fields: more keys of a JSON line; `prefix` and `after` (lines that follow) are for people alone.
    """
    prefix, after = fields.pop("prefix", ""), fields.pop("after", ())
    if _manner.as_json:
        _write_json(level, text, fields)
        return
    line, colour = redact(prefix + text), _COLOURS.get(level)
    if colour and sys.stderr.isatty() and not _manner.no_color:
        line = f"\x1b[{colour}m{line}\x1b[0m"
    sys.stderr.write("\n".join([line, *(redact(more) for more in after)]) + "\n")
    sys.stderr.flush()


def _write_json(level: str, text: str, fields: dict[str, Any]) -> None:
    moment = clock.utc_now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": moment, "level": level, "command": _manner.command(), "run": _manner.run, "message": text}
    line |= {key: value for key, value in fields.items() if value is not None}
    # A secret is looked for before quotes and backslashes are escaped: afterwards it would look different.
    sys.stderr.write(json.dumps(_redacted(line), ensure_ascii=False) + "\n")
    sys.stderr.flush()


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value if isinstance(value, bool | int | float) else redact(str(value))


def redact(text: str) -> str:
    """The text without any configured secret."""
    for secret in _secrets():
        text = text.replace(secret, "********")
    return text


def _secrets() -> list[str]:
    settings = sys.modules.get("algomatic_cli.core.settings")
    if settings is None or settings.get_settings.cache_info().currsize == 0:
        return []
    # The longest first: one secret may be a part of another.
    return sorted(settings.get_settings().secrets(), key=len, reverse=True)


def listen(verbose: int, quiet: bool) -> None:
    """Take what is told to Python's `logging`: libraries' warnings, and the core's own notes.

    The core notes each answer of a provider at INFO: JSON lines have it always, people with -v. DEBUG takes -vv.
    """
    import logging

    class Handler(logging.Handler):
        def emit(self, record: "LogRecord") -> None:
            fields = {name: getattr(record, name, None) for name in _EXTRA} if _manner.as_json else {}
            level = record.levelname.lower()
            at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S ") if verbose > 1 else ""
            prefix = f"{level}: " if record.levelno >= logging.WARNING else at
            write(level, record.getMessage(), prefix="" if _manner.as_json else prefix, **fields)

    logging.captureWarnings(_manner.as_json)
    root = logging.getLogger()
    root.handlers = [Handler()]
    noted = logging.INFO if (_manner.as_json and not quiet) or verbose else logging.WARNING
    logging.getLogger(OURS).setLevel(logging.DEBUG if verbose > 1 else noted)
