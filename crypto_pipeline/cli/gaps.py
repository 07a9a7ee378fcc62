"""``crypto-pipeline gaps …``: what is missing, where, and why; and what a person knows about it."""

from typing import Any

import typer
from typer.core import TyperGroup

from crypto_pipeline.cli.gaps_explaining import explain, reopen
from crypto_pipeline.cli.gaps_listing import explained, list_gaps
from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import DATASETS

DEFAULT = "list"


class WithDefault(TyperGroup):
    """Takes ``gaps ohlc`` for ``gaps list ohlc``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What does not begin with a subcommand is for the default one."""
        if args[:1] and args[0] in {*self.commands, *ctx.help_option_names}:
            return super().parse_args(ctx, args)
        if args[:1] and args[0] not in DATASETS and not args[0].startswith("-"):
            expected = ", ".join([*DATASETS, *self.commands])
            msg = f"there is neither a dataset nor a command {args[0]!r}: expected {expected}"
            raise UsageError(msg)
        return super().parse_args(ctx, [DEFAULT, *args])


gaps = typer.Typer(
    cls=WithDefault,
    add_completion=False,
    subcommand_metavar="[DATASET] | COMMAND [ARGS]...",
    help=(
        "List every hole, and explain those that can never be filled.\n\n"
        "Plain 'gaps' is 'gaps list', and takes what that takes: 'gaps ohlc --start 2026-01-01'."
    ),
)
gaps.command(DEFAULT)(list_gaps)
gaps.command()(explained)
gaps.command()(explain)
gaps.command()(reopen)
