"""The command `algomatic`: a lazy registry of command groups, the global options, and the one error boundary.

A group's module is imported when one of its commands runs; the names and one-line helps stand here, so that
`algomatic --help` imports neither pandas nor SQLAlchemy. A command returns its exit code (None is 0).
"""

import os
import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, Any, Final, NoReturn, cast

from algomatic_cli import __version__
from algomatic_cli.core.errors import (
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_TERMINATED,
    AlgomaticError,
)

if sys.argv[1:] == ["--version"]:  # answered before anything else is imported: scripts ask this often
    sys.stdout.write(f"algomatic {__version__}\n")
    sys.exit(EXIT_OK)

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from algomatic_cli import console, log
from algomatic_cli.options import LogFormat

PROGRAM: Final = "algomatic"

# name -> (module below algomatic_cli.commands, one line for --help); the order is that of the help page.
REGISTRY: Final[dict[str, tuple[str, str]]] = {
    "demo": ("demo", "Show the pipeline on bundled real data."),
    "import": ("import_", "Import bars from CSV, CSV.gz and Parquet files."),
    "sync": ("sync", "Fetch bars that are missing from a provider."),
    "bars": ("bars", "Stored bars: list, show, export, aggregate, gaps, check, plot."),
    "tickers": ("tickers", "List, load, add, deactivate and remove symbols."),
    "accounts": ("accounts", "People: add, list, show, update, deactivate, delete."),
    "profile": ("profile", "An account's trading, risk and site preferences."),
    "rules": ("rules", "The limits an account sets for itself."),
    "waitlist": ("waitlist", "People who asked for access."),
    "broker": ("broker", "Connect brokers through SnapTrade."),
    "fills": ("fills", "The ledger of executions: sync, import, add, correct, verify."),
    "campaigns": ("campaigns", "Fills as campaigns: rebuild, list, show, stats, plot."),
    "probes": ("probes", "Backtest catalogue strategies, and tell edge from luck."),
    "features": ("features", "Compute, show and export features of stored bars."),
    "states": ("states", "Train regime models, assign states and report on them."),
    "context": ("context", "What you planned and felt at a fill: set, show, list."),
    "strategies": ("strategies", "Your strategies: add, list, show, update, archive."),
    "checks": ("checks", "Judge trades by your limits: run, list, ack, plan."),
    "stats": ("stats", "What each statistic means: explain."),
    "report": ("report", "One HTML file of an account's review."),
    "journal": ("journal", "Your journal: add, list, show, edit, search."),
    "nightly": ("nightly", "All the regular work in one run: from sync to report."),
    "jobs": ("jobs", "Nightly runs: list, show, retry what failed."),
    "cron": ("cron", "The line, or systemd units, that run nightly by the clock."),
    "db": ("db", "Schema and server: upgrade, status, dump, restore and more."),
    "doctor": ("doctor", "Look at every precondition: OK, WARN or FAIL, and what to do."),
    "config": ("config", "Show each setting and where it comes from."),
}


class LazyGroup(TyperGroup):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the registry."""
        del ctx
        return list(REGISTRY)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, its module imported now."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        if cmd_name not in REGISTRY:
            # Known names, so that a misspelt one is answered with the nearest.
            self.commands = cast("Any", dict.fromkeys(REGISTRY)) | dict(self.commands)
            return None
        module = import_module(f"algomatic_cli.commands.{REGISTRY[cmd_name][0]}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        # Completion is installed for the whole program, by the top command.
        command.params = [one for one in command.params if one.name not in ("install_completion", "show_completion")]
        _finish(command, cmd_name)
        self.commands = {**self.commands, cmd_name: command}
        return command

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """What the shell offers in the first place: the registry's names, without importing one of their modules."""
        self.commands = {name: TyperCommand(name, short_help=text) for name, (_, text) in REGISTRY.items()}
        return super().shell_complete(ctx, incomplete)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands from the registry alone."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in REGISTRY.items()])


def _wide_option() -> Any:
    """The option --wide, made by Typer as for a command that takes it; its callback does all there is to do."""
    from algomatic_cli.options import Wide

    def bearer(wide: Wide = False) -> None:
        """Carry the option."""

    carrier = typer.Typer(add_completion=False)
    carrier.command()(bearer)
    (option,) = (parameter for parameter in typer.main.get_command(carrier).params if "--wide" in parameter.opts)
    option.expose_value = False
    return option


def _finish(command: Any, *path: str) -> None:
    """Give --wide to what prints tables, every option its variable, and every example a line of its own in the help."""
    for name, below in getattr(command, "commands", {}).items():
        _finish(below, *path, name)
    # A paragraph that begins with \b is not wrapped: an example can be copied as it stands.
    command.help = (command.help or "").replace("\n\nExample: ", "\n\n\b\nExample: ")
    for at, parameter in enumerate(command.params):
        if "--json" in parameter.opts:
            command.params.insert(at + 1, _wide_option())
            break
    for parameter in command.params:
        names = [option[2:] for option in parameter.opts if option.startswith("--")]
        if names and parameter.envvar is None:
            parameter.envvar = "_".join(["ALGOMATIC", *path, names[0]]).replace("-", "_").upper()
            parameter.show_envvar = False  # all follow one rule, which the first help page tells


def _version(wanted: bool) -> None:
    if wanted:
        console.data(f"{PROGRAM} {__version__}")
        raise typer.Exit(EXIT_OK)


def _log_format(wanted: LogFormat) -> LogFormat:
    log.configure(as_json=wanted is LogFormat.JSON)
    return wanted


app = typer.Typer(
    name=PROGRAM,
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every option has a variable, e.g. ALGOMATIC_IMPORT_TZ for import --tz. First time here? algomatic demo",
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print data, warnings and errors only.", envvar="ALGOMATIC_QUIET")
    ] = False,
    verbose: Annotated[
        int,
        typer.Option("--verbose", "-v", count=True, help="Say more; -vv adds tracebacks.", envvar="ALGOMATIC_VERBOSE"),
    ] = 0,
    home: Annotated[
        str | None, typer.Option("--home", metavar="DIR", help="Where data lives.", envvar="ALGOMATIC_HOME")
    ] = None,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.", envvar="ALGOMATIC_NO_COLOR")
    ] = False,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            "--log-format",
            callback=_log_format,
            is_eager=True,  # a mistake further along the command line is told in this form already
            help="How messages are written.",
            envvar="ALGOMATIC_LOG_FORMAT",
        ),
    ] = LogFormat.HUMAN,
) -> None:
    """Market data, trade review and strategy probes over PostgreSQL."""
    del version, log_format
    console.configure(quiet=quiet, verbose=verbose, no_color=no_color)
    log.listen(verbose, quiet)
    if home is not None and home != os.environ.get("ALGOMATIC_HOME"):
        from algomatic_cli.core.settings import set_flags

        set_flags("algomatic", home=home)


class _TerminatedError(BaseException):
    """SIGTERM, as an exception, so that transactions roll back and the server is left in order."""


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    del signum, frame
    raise _TerminatedError


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every error ends here, as a sentence on stderr."""
    signal.signal(signal.SIGTERM, _terminate)
    root = typer.main.get_command(app)
    log.configure(command=lambda: _command_of(root, arguments))
    try:
        code = root.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else EXIT_OK
    except TyperException as error:
        return console.usage_failure(error)
    except AlgomaticError as error:
        return console.failure(error)
    except (KeyboardInterrupt, typer.Abort):
        console.warn("interrupted; what was committed stays")
        return EXIT_INTERRUPTED
    except _TerminatedError:
        console.warn("terminated; what was committed stays")
        return EXIT_TERMINATED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough: that is success, and nothing may be flushed into the pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Exception as error:
        return console.failure(known) if (known := _translate(error)) else console.bug(error, EXIT_BUG)


def _command_of(root: Any, arguments: list[str]) -> str:
    """The words of a command line that name its command: `fills sync` of `-q fills sync --account 3`."""
    words, command = [], root
    for argument in arguments:
        if argument in getattr(command, "commands", ()):
            words.append(argument)
            command = command.commands[argument]
    return " ".join(words)


def _translate(error: Exception) -> AlgomaticError | None:
    """A foreign error that has a known meaning for the user, as one of ours."""
    from algomatic_cli.core.foreign import translate

    return translate(error)


def main() -> NoReturn:
    """The console script's entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character gets a question mark, not a crash
    sys.exit(run(sys.argv[1:]))
