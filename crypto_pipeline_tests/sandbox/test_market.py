"""Pages are cut as a venue cuts them, and intervals agree with each other."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.sandbox.candles import Candles, aggregated
from crypto_pipeline.sandbox.grids import DAY, GRIDS, MINUTE, SECOND
from crypto_pipeline.sandbox.listings import LISTINGS
from crypto_pipeline.sandbox.market import Ask, Weather, page
from crypto_pipeline.sandbox.tape import Tape

TAPE = Tape(LISTINGS[0], 7)
LISTED = LISTINGS[0].listed_ms
NOW = int(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC).timestamp() * 1000)
LIMIT = 1000
COARSER = [name for name in GRIDS if name not in {"1s", "1m"}]


def rows(
    interval: str,
    start: int | None,
    end: int | None,
    now: int = NOW,
    limit: int = LIMIT,
    weather: Weather | None = None,
) -> Candles:
    """One page of bitcoin."""
    return page(TAPE, GRIDS[interval], Ask(start, end, limit), now, weather or Weather())


def paged(interval: str, start: int, end: int, limit: int, weather: Weather) -> Candles:
    """Everything from start to end, page after page as a client would ask."""
    parts: list[Candles] = []
    while len(part := rows(interval, start, end, limit=limit, weather=weather)):
        parts.append(part)
        start = int(part.opened_at[-1]) + 1
    return Candles.joined(parts)


@settings(max_examples=25, deadline=None)
@given(
    interval=st.sampled_from(["1s", "1m", "3m", "15m", "1h", "4h", "1d", "1w", "1M"]),
    offset=st.integers(0, 3 * DAY),
    slots=st.integers(1, 200),
    limit=st.integers(20, 400),
    hole=st.tuples(st.integers(0, 200), st.integers(1, 100)),
)
def test_any_split_into_pages_yields_the_same_candles(
    interval: str, offset: int, slots: int, limit: int, hole: tuple[int, int]
) -> None:
    """Page borders lose nothing and double nothing, around an outage too."""
    grid = GRIDS[interval]
    step = grid.step or 31 * DAY
    start = NOW - offset - slots * step
    outage = start + hole[0] * step, start + (hole[0] + hole[1]) * step
    weather = Weather(outages=(outage,))

    whole = rows(interval, start, NOW - offset, limit=LIMIT, weather=weather)

    assert paged(interval, start, NOW - offset, limit, weather) == whole


@pytest.mark.parametrize("interval", COARSER)
def test_coarse_candles_are_sums_of_minutes(interval: str) -> None:
    """Every interval is exactly what the minutes add up to, the running candle included."""
    grid = GRIDS[interval]
    first = grid.open(grid.slot(NOW - 12 * DAY))
    minutes = Candles.joined(
        [rows("1m", at, at + LIMIT * MINUTE - 1) for at in range(first, NOW, LIMIT * MINUTE)]
    )
    expected = aggregated(minutes, grid)

    assert rows(interval, first, NOW) == expected.take(slice(0, LIMIT))


@pytest.mark.parametrize("interval", GRIDS)
def test_history_begins_with_the_listing(interval: str) -> None:
    """A page from before the listing starts with the candle that holds the first trade."""
    grid = GRIDS[interval]

    assert rows(interval, 0, None, limit=3).opened_at[0] == grid.open(grid.slot(LISTED))


def test_first_coarse_candle_opens_at_the_first_trade() -> None:
    """The day of the listing holds only what was traded from the first minute on."""
    day, minute = rows("1d", 0, None, limit=1), rows("1m", 0, None, limit=1)

    assert day.open[0] == minute.open[0]


@pytest.mark.parametrize("interval", GRIDS)
def test_without_a_start_the_newest_rows_come(interval: str) -> None:
    """The last row is the running one; with an end it is the last that opens by then."""
    grid = GRIDS[interval]
    newest = rows(interval, None, None, limit=5)
    older = rows(interval, None, int(newest.opened_at[-2]), limit=4)

    assert newest.opened_at[-1] == grid.open(grid.slot(NOW))
    assert older == newest.take(slice(0, 4))


def test_start_and_end_are_both_inclusive() -> None:
    """A row that opens exactly at either bound is part of the page."""
    start = NOW // MINUTE * MINUTE - 10 * MINUTE

    page_rows = rows("1m", start, start + 2 * MINUTE)

    assert page_rows.opened_at.tolist() == [start, start + MINUTE, start + 2 * MINUTE]


def test_an_end_before_the_start_is_an_empty_page() -> None:
    """As Binance answers it."""
    assert len(rows("1h", NOW, NOW - DAY)) == 0


def test_nothing_comes_from_the_future() -> None:
    """A page that reaches past now ends with the running candle."""
    assert rows("1m", NOW - 3 * MINUTE, NOW + DAY).opened_at[-1] == NOW // MINUTE * MINUTE


@pytest.mark.parametrize("interval", ["1s", "1m", "5m", "1h", "1d", "1w", "1M"])
def test_a_running_candle_grows_into_its_final_value_and_stays(interval: str) -> None:
    """Before its close it has other values than after, and after it never changes again."""
    grid = GRIDS[interval]
    slot = grid.slot(NOW)
    opened, closed = grid.open(slot), grid.open(slot + 1)
    states = [
        rows(interval, opened, opened, now)
        for now in (closed - 1, closed, closed + 1, closed + 400 * DAY)
    ]

    assert states[0] != states[1]
    assert states[0].volume[0] < states[1].volume[0]
    assert states[1] == states[2]
    assert states[1] == states[3]


def test_a_candle_is_flat_before_its_first_trade() -> None:
    """In the first second of a minute there is a price and no volume."""
    opened = NOW // MINUTE * MINUTE
    first = rows("1m", opened, opened, opened + SECOND - 1)

    assert first.open[0] == first.high[0] == first.low[0] == first.close[0]
    assert first.volume[0] == first.quote[0] == first.trades[0] == 0


def test_rows_of_an_outage_do_not_exist() -> None:
    """They are in no page, and coarse candles are made of what is left."""
    start = NOW // DAY * DAY - DAY
    outage = start + 30 * MINUTE, start + 150 * MINUTE
    weather = Weather(outages=(outage,))
    minutes = rows("1m", start, start + 180 * MINUTE - 1, weather=weather)
    hours = rows("1h", start, start + 180 * MINUTE - 1, weather=weather)

    assert len(minutes) == 60
    assert not ((minutes.opened_at >= outage[0]) & (minutes.opened_at < outage[1])).any()
    assert hours == aggregated(minutes, GRIDS["1h"])
    assert hours.opened_at.tolist() == [start, start + 120 * MINUTE]


def test_a_page_reaches_across_an_outage() -> None:
    """As many rows as were asked for come, from behind the hole if need be."""
    start = NOW // DAY * DAY - 30 * DAY
    weather = Weather(outages=((start + 5 * MINUTE, start + 10 * DAY),))

    assert rows("1m", start, None, limit=8, weather=weather).opened_at[5] == start + 10 * DAY


@pytest.mark.parametrize("interval", ["1s", "1m", "1h", "1M"])
def test_a_page_reaches_across_years_without_a_trade(interval: str) -> None:
    """However small it is: what lies in the hole is not looked for, forwards or backwards."""
    grid = GRIDS[interval]
    stopped, resumed = (
        grid.open(grid.slot(int(datetime(year, 1, 2, 3, tzinfo=UTC).timestamp()) * 1000))
        for year in (2019, 2025)
    )
    weather = Weather(outages=((stopped, resumed),))
    last, next_ = grid.open(grid.slot(stopped - 1)), resumed

    assert [last, next_] == rows(interval, last, None, limit=2, weather=weather).opened_at.tolist()
    assert [next_] == rows(interval, stopped, None, limit=1, weather=weather).opened_at.tolist()
    assert [last, next_] == rows(interval, None, next_, limit=2, weather=weather).opened_at.tolist()
    assert [last] == rows(interval, None, resumed - 1, limit=1, weather=weather).opened_at.tolist()


def test_half_a_slot_at_the_edge_of_a_hole_is_found() -> None:
    """Where a hole begins or ends within a slot, a page that stops there goes on with what is left."""
    hour = 60 * MINUTE
    noon = NOW // DAY * DAY - DAY // 2
    hole = noon, noon + hour
    before = Weather(outages=(hole, (noon - 4 * hour, noon - hour // 2)))
    behind = Weather(outages=(hole, (noon + 3 * hour // 2, noon + 4 * hour)))
    back = rows("1h", None, noon + hour, limit=2, weather=before)
    forth = rows("1h", noon - hour, None, limit=2, weather=behind)

    assert [noon - hour, noon + hour] == back.opened_at.tolist()
    assert [noon - hour, noon + hour] == forth.opened_at.tolist()


@settings(max_examples=25, deadline=None)
@given(
    interval=st.sampled_from(["1m", "3m", "1h", "1d", "1w", "1M"]),
    limit=st.integers(1, 9),
    holes=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 2000)), max_size=4),
)
def test_pages_from_either_end_are_the_same_candles(
    interval: str, limit: int, holes: list[tuple[int, int]]
) -> None:
    """Whatever holes there are, on the grid or off it, side by side or one in the other."""
    part = (GRIDS[interval].step or 31 * DAY) // 100
    start = NOW - 40 * 100 * part
    weather = Weather(
        outages=tuple((start + at * part, start + (at + length) * part) for at, length in holes)
    )
    whole = rows(interval, start, NOW, weather=weather)
    parts: list[Candles] = []
    end = NOW
    while end >= start and len(found := rows(interval, None, end, limit=limit, weather=weather)):
        parts.append(found)
        end = int(found.opened_at[0]) - 1

    assert whole == Candles.joined(parts[::-1]).within(start, NOW + 1)
    assert whole == paged(interval, start, NOW, limit, weather)


def test_off_grid_rows_open_where_binance_had_them() -> None:
    """At hh:28:14.789 within the span, on the grid around it, and each in exactly one page."""
    start = NOW // DAY * DAY - DAY
    hour = 60 * MINUTE
    weather = Weather(off_grid=((start + hour, start + 3 * hour),))
    late = 28 * MINUTE + 14_789
    opens = [start, start + hour + late, start + 2 * hour + late, start + 3 * hour]
    found = rows("1h", start, start + 3 * hour, weather=weather)

    assert found.opened_at.tolist() == opens
    assert (found.closed_at - found.opened_at == hour - 1).all()
    assert paged("1h", start, start + 3 * hour, 1, weather) == found


def test_the_largest_months_fit_their_columns() -> None:
    """The sums of the busiest instrument stay printable: nothing overflows 64 bits at 1e-8."""
    busiest = max(LISTINGS, key=lambda listing: listing.turnover)
    months = page(Tape(busiest, 7), GRIDS["1M"], Ask(None, None, LIMIT), NOW)
    units = busiest.tick * busiest.step // 10**8

    assert len(months) > 60
    assert (months.quote > 0).all()
    assert int(np.max(months.quote)) * units < 2**63
