"""``crypto-pipeline sandbox``: the local server that speaks the providers' protocols."""

from pathlib import Path
from typing import Annotated

import typer

from crypto_pipeline.settings import load_settings


def sandbox(
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1; as set, or 8787.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed is another market.")] = None,
    latency_ms: Annotated[
        int | None, typer.Option(help="Wait this long before each answer.")
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option(help="A file or folder of recorded candles to answer from.")
    ] = None,
    archive: Annotated[
        Path | None, typer.Option(help="A folder of an archive's files to answer from.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="A fault to order, like '429:times=3,retry_after=2'; can be repeated."),
    ] = None,
) -> None:
    """Serve invented or recorded candles the way the real providers would."""
    # Imported here: only this command needs the web server.
    from crypto_pipeline.cli.console import say
    from crypto_pipeline.sandbox.faults import Fault
    from crypto_pipeline.sandbox.server import LOOPBACK, serve
    from crypto_pipeline.sandbox.settings import SandboxSettings

    settings = load_settings().sandbox
    port = port or settings.port
    wanted = SandboxSettings(
        seed=settings.seed if seed is None else seed,
        latency_ms=settings.latency_ms if latency_ms is None else latency_ms,
        faults=tuple(Fault.parse(text) for text in fault or []),
        recorded=recorded,
        archive_directory=archive,
    )
    say(f'Sandbox: providers.binance.base_url = "http://{LOOPBACK}:{port}/binance"')
    serve(wanted, LOOPBACK, port)
