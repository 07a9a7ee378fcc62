"""``crypto-pipeline providers …``: who can be asked what, what a reply becomes, what works from here."""

from typing import Any

import typer
from typer.core import TyperGroup

from crypto_pipeline.cli.providers_listing import list_providers
from crypto_pipeline.cli.providers_parsing import parse
from crypto_pipeline.cli.providers_probing import probe

DEFAULT = "list"


class WithDefault(TyperGroup):
    """Takes ``providers --dataset ohlc`` for ``providers list --dataset ohlc``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Options that stand before any subcommand are for the default one."""
        is_default = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        return super().parse_args(ctx, [DEFAULT, *args] if is_default else args)


providers = typer.Typer(
    cls=WithDefault,
    add_completion=False,
    help=(
        "List the providers, read a saved reply, or try one from here.\n\n"
        "Plain 'providers' is 'providers list', and takes what that takes."
    ),
)
providers.command(DEFAULT)(list_providers)
providers.command()(parse)
providers.command()(probe)
