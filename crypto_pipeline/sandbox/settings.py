"""What a sandbox can be told before it starts. It reads no environment and no file of settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crypto_pipeline.sandbox.faults import Fault


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """``weight_limit`` None never refuses; ``recorded`` is a file or folder of recorded candles.

    Files of an archive that lie below ``archive_directory``, as at ``data/spot/monthly/klines/…``,
    are served from there instead of being made.
    """

    seed: int = 7
    clock: Callable[[], datetime] = utc_now
    latency_ms: int = 0
    weight_limit: int | None = 6000
    faults: tuple[Fault, ...] = ()
    recorded: Path | None = None
    archive_directory: Path | None = None
    log_size: int = 10_000
