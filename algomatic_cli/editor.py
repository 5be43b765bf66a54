"""A text in the person's own editor."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from algomatic_cli.core.errors import ConfigurationError, UsageError


def edit(text: str, *, suffix: str = ".txt") -> str:
    """The text after the person has closed the editor.

    Raises:
        ConfigurationError: neither VISUAL nor EDITOR is set, or it cannot be started.
        UsageError: the editor ended with an error: nothing is changed.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise ConfigurationError("no editor is set", next_step="set EDITOR, for example: export EDITOR=nano")
    with tempfile.TemporaryDirectory(prefix="algomatic-") as directory:
        path = Path(directory) / f"entry{suffix}"
        path.write_text(text, encoding="utf-8")
        try:
            code = subprocess.run([*shlex.split(command), str(path)], check=False).returncode
        except OSError as error:
            raise ConfigurationError(f"the editor {command!r} cannot be started", next_step="set EDITOR") from error
        if code:
            raise UsageError(f"the editor ended with code {code}; nothing is changed")
        return path.read_text(encoding="utf-8")
