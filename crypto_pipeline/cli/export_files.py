"""Where an export goes: names, and files that are there whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import BinaryIO

from crypto_pipeline.cli.border import Interrupted
from crypto_pipeline.errors import PipelineError, UsageError
from crypto_pipeline.market.windows import Window, midnight

_MICROSECOND = timedelta(microseconds=1)


def target_of(out: Path, name: str) -> Path:
    """The file that is meant: a path with a suffix is one, any other a directory to put it into."""
    return out if out.suffix and not out.is_dir() else out / name


def name_of(parts: list[str], window: Window, suffix: str) -> str:
    """``ohlc_binance_BTC-USDT_1m_2025-01-01_2025-12-31.parquet``: what it is of, and its days."""
    ends = (window.start, window.end - _MICROSECOND) if _is_days(window) else _ends(window)
    form = "%Y-%m-%d" if _is_days(window) else "%Y%m%dT%H%M%SZ"
    words = [*parts, *(f"{end:{form}}" for end in ends)]
    return "_".join(words).replace("/", "-") + f".{suffix}"


def said_of(window: Window) -> str:
    """A window as people say it: whole days by the first and the last."""
    if not _is_days(window):
        return str(window)
    return f"{window.start.date()} to {(window.end - _MICROSECOND).date()}"


def require_free(targets: list[Path], *, force: bool) -> None:
    """A UsageError for a file that is there already."""
    taken = [target for target in targets if target.exists()]
    if taken and not force:
        msg = f"{taken[0]} is there already: --force replaces it, --out names another"
        raise UsageError(msg)


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file to write, which gets its name when it is whole; of a broken one nothing is left."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _require_alone(file, target)
            try:
                file.truncate(0)
                yield file
                file.flush()
                os.fsync(file.fileno())
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise _unwritten(target, error) from None
    except KeyboardInterrupt:
        msg = f"stopped: {target} is not written, and nothing is left of it"
        raise Interrupted(msg) from None


def _require_alone(file: BinaryIO, target: Path) -> None:
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        msg = f"another export writes {target} at this moment: wait for it, or name another with --out"
        raise UsageError(msg) from None


def _unwritten(target: Path, error: OSError) -> PipelineError:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = ": make room, or choose another place with --out" if is_full else ""
    why = os.strerror(error.errno) if error.errno else str(error)
    return PipelineError(
        f"{target} could not be written ({why}), and nothing is left of it{remedy}"
    )


def _is_days(window: Window) -> bool:
    return all(midnight(end.date()) == end for end in (window.start, window.end))


def _ends(window: Window) -> tuple[datetime, datetime]:
    return window.start, window.end
