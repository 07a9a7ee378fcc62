"""What is taken of a file: the wanted rows and no others, and a true account of what it had."""

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle, Rejected
from crypto_pipeline.frames.kline_files import KlinePart
from crypto_pipeline.ingestion.archive_rows import FileRows
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import MONDAY, WEEK
from crypto_pipeline.market.windows import Window
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.market.strategies import MINUTE, minute, minutes, runs, span

PART = 40
held = st.sets(st.integers(0, 119)).map(sorted)


def priced(time: datetime) -> Candle:
    """A candle whose values are all one."""
    return Candle(time, *[Decimal(1)] * 6, 1)


def part(*times: datetime, rejected: tuple[Rejected, ...] = ()) -> KlinePart:
    """A part of a file with candles that open then."""
    return KlinePart(CandleBlock.of([priced(time) for time in times]), rejected)


def parts(numbers: list[int]) -> list[KlinePart]:
    """A file that has these minutes, in parts of some candles."""
    times = [minute(number) for number in numbers]
    return [part(*times[at : at + PART]) for at in range(0, len(times), PART)]


@given(runs(), held)
def test_just_the_wanted_rows_are_taken(wanted: Runs, numbers: list[int]) -> None:
    """Each once, in order; a part without any is passed over."""
    rows = FileRows(series_of(), wanted, lambda: parts(numbers))
    taken = [[row[0] for row in one.rows] for one in rows]
    expected = [minute(number) for number in numbers if number in minutes(wanted)]

    assert expected == [time for times in taken for time in times]
    assert all(taken)
    assert len(expected) == rows.count


@given(runs(), held)
def test_what_it_had_is_what_was_taken(wanted: Runs, numbers: list[int]) -> None:
    """As runs of slots, joined over the parts, however often they are gone through."""
    rows = FileRows(series_of(), wanted, lambda: parts(numbers))
    for _ in range(2):
        for _ in rows:
            pass

        assert minutes(wanted) & set(numbers) == minutes(rows.had)
        assert Runs.of(rows.had) == rows.had


def test_row_off_the_grid_counts_in_the_slot_it_lies_in() -> None:
    """It is taken with its own time, and its slot is had."""
    late = minute(1) + timedelta(seconds=20)
    rows = FileRows(series_of(), Runs((span(1, 3),)), lambda: [part(minute(0), late)])
    (one,) = rows

    assert [late] == [row[0] for row in one.rows]
    assert Runs((span(1, 2),)) == rows.had


def test_week_begins_on_its_monday() -> None:
    """The grid is the interval's own."""
    monday = MONDAY + 2800 * WEEK
    weeks = [part(monday - WEEK, monday, monday + 2 * WEEK)]
    wanted = Runs((Window(monday, monday + 2 * WEEK),))
    rows = FileRows(series_of(interval="1w"), wanted, lambda: weeks)
    (one,) = rows

    assert [monday] == [row[0] for row in one.rows]
    assert Runs((Window(monday, monday + WEEK),)) == rows.had


def test_broken_rows_of_wanted_slots_are_handed_on() -> None:
    """They are to be set aside with the reason; nobody had them."""
    broken = Rejected(candle(minute(1)), "a price is not positive")
    other = Rejected(candle(minute(50)), "a price is not positive")
    file = [part(minute(0), rejected=(broken, other))]
    rows = FileRows(series_of(), Runs((span(0, 3),)), lambda: file)
    (one,) = rows

    assert [broken] == list(one.rejected) == rows.rejected
    assert Runs((span(0, 1),)) == rows.had


def test_nothing_wanted_takes_nothing() -> None:
    """Of an empty file neither."""
    wanted = Runs((Window(minute(0), minute(0) + MINUTE),))

    assert [] == list(FileRows(series_of(), Runs(), lambda: parts([1, 2, 3])))
    assert [] == list(FileRows(series_of(), wanted, list))
