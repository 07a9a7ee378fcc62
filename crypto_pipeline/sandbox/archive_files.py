"""What is in an archive's files: rows of the tape as CSV, zipped, made once and kept for a while.

The same file is the same bytes each time it is made, on any day.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from time import gmtime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from crypto_pipeline.sandbox.archive_keys import File
from crypto_pipeline.sandbox.candles import Candles, Gaps
from crypto_pipeline.sandbox.grids import Ints
from crypto_pipeline.sandbox.listings import E8
from crypto_pipeline.sandbox.market import CALM, Ask, Weather, page
from crypto_pipeline.sandbox.rendering import Cells, decimal, table, whole
from crypto_pipeline.sandbox.tape import Tape

BLOCK_ROWS = 50_000  # bounds the memory of a month of seconds
FASTEST = 1  # half again as large as zlib's usual, in a fifth of the time
ROW_BYTES, FILE_BYTES = 56, 200  # of a zip, about
MOST_BYTES = 64 * 2**20

MILLI, MICRO, WHOLE = "ms", "us", "s"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What becomes of the tape on its way into a file."""

    unit: str
    header: bytes = b""
    weather: Weather = CALM
    quiet: Gaps = ()
    issue: int = 0
    """How often it has been issued again; each time one candle is another."""
    is_wide: bool = False
    is_corrupt: bool = False
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Zipped:
    """A whole zip and what it hashes to."""

    body: bytes | memoryview
    sha256: str

    @classmethod
    def of(cls, body: bytes | memoryview) -> "Zipped":
        """A zip that is at hand."""
        return cls(body, sha256(body).hexdigest())


class Bakery:
    """Makes files when they are asked for, and keeps the last ones."""

    def __init__(self, seed: int, most_bytes: int = MOST_BYTES) -> None:
        self._seed = seed
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, Recipe], Zipped] = OrderedDict()
        self._bytes = 0
        self._sizes: dict[tuple[str, Recipe], int] = {}

    def zipped(self, file: File, recipe: Recipe) -> Zipped:
        """The file, made now or kept from before."""
        key = file.key, recipe
        found = self._kept.pop(key, None)
        if found is None:
            found = Zipped.of(_zip(file, recipe, self._seed))
            self._sizes[key] = len(found.body)
            self._bytes += len(found.body)
        self._kept[key] = found
        while self._bytes > self._most_bytes and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)
        return found

    def size(self, file: File, recipe: Recipe) -> int:
        """Its bytes if it was ever made, and else a guess by its rows: making all to list them takes days."""
        return self._sizes.get((file.key, recipe), FILE_BYTES + ROW_BYTES * file.slots)


def _zip(file: File, recipe: Recipe, seed: int) -> bytes:
    """One CSV, stamped with the time it was published; a corrupt one has a wrong byte in the CSV."""
    name = f"{file.name.removesuffix('.zip')}.csv"
    info = ZipInfo(name, gmtime(file.published // 1000)[:6])
    info.compress_type = ZIP_DEFLATED
    info._compresslevel = FASTEST  # type: ignore[attr-defined]  # noqa: SLF001 - public only in 3.13
    target = BytesIO()
    with ZipFile(target, "w") as archive, archive.open(info, "w") as csv:
        csv.write(recipe.header.replace(b"\n", b",extra\n" if recipe.is_wide else b"\n"))
        for number, block in enumerate(_blocks(file, recipe, seed)):
            rows = block if number else _reissued(block, recipe.issue)
            csv.write(_csv(rows, file, recipe))
    body = bytearray(target.getvalue())
    if recipe.is_corrupt:
        body[len(info.FileHeader()) + info.compress_size // 2] ^= 0xFF
    return bytes(body)


def _blocks(file: File, recipe: Recipe, seed: int) -> Iterator[Candles]:
    """All its candles, page after page as a client would ask for them."""
    tape, start = Tape(file.folder.listing, seed), file.start
    while start < file.end:
        ask = Ask(start, file.end - 1, BLOCK_ROWS)
        found = page(tape, file.folder.grid, ask, file.published, recipe.weather)
        if not len(found):
            return
        yield found.stilled(recipe.quiet)
        start = int(found.opened_at[-1]) + 1


def _reissued(candles: Candles, issue: int) -> Candles:
    """The middle one traded more than was said before."""
    columns = [column.copy() for column in candles.columns()]
    for column in columns[6:]:
        column[len(candles) // 2] *= 1 + issue
    return Candles(*columns)


def _csv(candles: Candles, file: File, recipe: Recipe) -> bytes:
    """The cells of a page of klines, with the times in the file's unit."""
    listing, comma = file.folder.listing, b","
    tick, step = listing.tick, listing.step
    cents = tick * step // E8
    cells = (
        *(whole(_moments(candles.opened_at, recipe.unit)), decimal(candles.open * tick)),
        *(decimal(candles.high * tick), decimal(candles.low * tick)),
        *(decimal(candles.close * tick), decimal(candles.volume * step)),
        *(whole(_closes(candles.closed_at, recipe.unit)), decimal(candles.quote * cents)),
        *(whole(candles.trades), decimal(candles.taker_volume * step)),
        decimal(candles.taker_quote * cents),
    )
    pieces: list[bytes | Cells] = [piece for cell in cells for piece in (cell, comma)]
    return table([*pieces, b"0,0\n" if recipe.is_wide else b"0\n"], len(candles))


def _moments(moments: Ints, unit: str) -> Ints:
    return moments * 1000 if unit == MICRO else moments // 1000 if unit == WHOLE else moments


def _closes(moments: Ints, unit: str) -> Ints:
    """The last instant of a candle, as far as the unit tells."""
    return _moments(moments + 1, MICRO) - 1 if unit == MICRO else _moments(moments, unit)
