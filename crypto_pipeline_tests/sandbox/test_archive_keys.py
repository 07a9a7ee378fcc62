"""Which files there are, and when: the calendar of the archive, and what is kept of what was made."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.sandbox.archive_files import MILLI, Bakery, Recipe
from crypto_pipeline.sandbox.archive_keys import Folder, Shelves
from crypto_pipeline.sandbox.grids import DAY, GRIDS
from crypto_pipeline.sandbox.listings import LISTINGS

INTERVALS = tuple(name for name in GRIDS if name != "1M")
SHELVES = Shelves("data/spot", LISTINGS, INTERVALS)
NOW = int(datetime(2026, 3, 4, 5, tzinfo=UTC).timestamp() * 1000)


@settings(deadline=None)
@given(folder=st.sampled_from(SHELVES.folders), data=st.data())
def test_a_file_comes_when_its_last_candle_has_closed(folder: Folder, data: st.DataObject) -> None:
    """Also of weeks and three days, which reach into the next month; its key leads back to it."""
    files = list(folder.files(NOW, ""))
    file = data.draw(st.sampled_from(files))

    assert max(file.end, file.span[1]) < file.published
    assert file.published - file.end < 10 * DAY
    assert file == SHELVES.file(file.key)
    assert [one for one in files if f"{one.key}.CHECKSUM" > file.key] == list(
        folder.files(NOW, file.key)
    )


@pytest.mark.parametrize("interval", ["1h", "3d", "1w"])
def test_every_candle_is_in_one_month(interval: str) -> None:
    """The months of a series hold as many candles as there are slots since its listing."""
    folder = next(
        one for one in SHELVES.folders if one.path.endswith(f"monthly/klines/BTCUSDT/{interval}/")
    )
    files = list(folder.files(NOW, ""))
    first = folder.grid.slot(folder.listing.listed_ms)

    assert [one.end for one in files[:-1]] == [one.start for one in files[1:]]
    assert files[-1].span[1] == folder.grid.open(first + sum(one.slots for one in files))


def test_the_oldest_of_what_was_made_is_let_go() -> None:
    """Only so many bytes are kept, the last file always; a size is known for ever."""
    recipe = Recipe(MILLI)
    stems = ("2024-01", "2024-02", "2024-03")
    first, second, third = (
        SHELVES.file(f"data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-{stem}.zip") for stem in stems
    )
    assert first
    assert second
    assert third
    bakery = Bakery(7, most_bytes=110_000)
    made = [bakery.zipped(one, recipe) for one in (first, second, first, third)]

    assert made[0] is made[2] is bakery.zipped(first, recipe)
    assert bakery.zipped(second, recipe) is not made[1]
    assert bakery.zipped(second, recipe) == made[1]
    assert [len(made[0].body), len(made[1].body)] == [
        bakery.size(one, recipe) for one in (first, second)
    ]
    narrow = Bakery(7, most_bytes=1)
    assert narrow.zipped(first, recipe) is narrow.zipped(first, recipe)
