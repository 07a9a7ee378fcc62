"""Whether somebody wants what cannot be undone: asked in a terminal, said by ``--yes`` elsewhere."""

import sys

import typer

from crypto_pipeline.errors import UsageError


def require_consent(question: str, *, yes: bool) -> None:
    """A UsageError unless somebody says yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        msg = f"{question} Nothing was changed: add --yes to do so"
        raise UsageError(msg)
    try:
        is_wanted = typer.confirm(question)
    except typer.Abort:
        is_wanted = False
    if not is_wanted:
        msg = "nothing was changed"
        raise UsageError(msg)
