"""The front door of the command line: which commands there are, and the options before them."""

import sys
from importlib import import_module
from importlib.metadata import version as version_of
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from crypto_pipeline.cli.border import PROGRAM, run

COMMANDS = (
    *("up", "sandbox", "backfill", "gaps", "status", "providers", "check", "audit", "query"),
    *("export", "import", "retention", "database"),
)
"""Each is a module here with a function, or a Typer of subcommands, of the same name."""
_MODULES = {"import": "importing"}
"""What a module is called where Python keeps the word for itself."""

_STYLE: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class Commands(TyperGroup):
    """Loads a command when it is asked for: Dagster alone takes longer than most of them run."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Their names, in the order of a first day with the program."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of a name, or None."""
        if cmd_name not in COMMANDS:
            return None
        name = _MODULES.get(cmd_name, cmd_name)
        declared = getattr(import_module(f"crypto_pipeline.cli.{name}"), name)
        if not isinstance(declared, typer.Typer):
            single = typer.Typer(**_STYLE)
            single.command(cmd_name)(declared)
            declared = single
        declared.rich_markup_mode = _markup()
        command = get_command(declared)
        command.name = cmd_name
        return command


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {version_of('crypto-pipeline')}")
        raise typer.Exit


def _options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
    debug: Annotated[  # noqa: ARG001 - the border reads it
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """A crypto market data warehouse that knows what it holds, what it lacks, and why."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _markup() -> Any:
    """Frames and colours are for people; a pipe gets plain help."""
    return "rich" if sys.stdout.isatty() else None


def main() -> NoReturn:
    """Do what the command line says, and exit."""
    app = typer.Typer(
        cls=Commands, invoke_without_command=True, rich_markup_mode=_markup(), **_STYLE
    )
    app.callback()(_options)
    sys.exit(run(get_command(app), sys.argv[1:]))
