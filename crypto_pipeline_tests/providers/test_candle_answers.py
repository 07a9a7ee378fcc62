"""One reply's candles: as arrays they say what the same candles say as rows."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candle_answers import Arrays, Kept, Rows
from crypto_pipeline_tests.market.strategies import MINUTE, runs, span, spans
from crypto_pipeline_tests.providers.asking import START

INTERVAL = Interval.parse("1m")
ORIGIN = span(0, 1).start


@st.composite
def answers(draw: st.DrawFn) -> list[Candle]:
    """Candles in the order of time, some off the grid, some that break a promise."""
    late = st.sampled_from([0, 0, 0, 14_789, 59_999])
    times = {
        ORIGIN + minute * MINUTE + timedelta(milliseconds=draw(late))
        for minute in draw(st.sets(st.integers(0, 60), min_size=1))
    }
    low = st.sampled_from([Decimal("0.5"), Decimal("0.50"), Decimal(2)])
    one = Decimal(1)
    return [Candle(at, one, one, draw(low), one, one, one, 7) for at in sorted(times)]


def candles_of(kept: Kept) -> list[Candle]:
    """The candles, whichever way they are kept."""
    return [*(kept.frame.candles if kept.block is None else kept.block)]


def both(candles: list[Candle]) -> tuple[Rows, Arrays]:
    """The same candles in both forms."""
    return Rows(candles), Arrays(CandleBlock.of(candles))


@given(answers(), spans(60))
def test_both_are_clipped_alike(candles: list[Candle], window: Window) -> None:
    """Half-open, as all windows."""
    rows, arrays = both(candles)

    assert [*rows.within(window).candles] == [*arrays.within(window).block]
    assert len(rows.within(window)) == len(arrays.within(window))


@given(answers())
def test_both_tell_what_lies_between(candles: list[Candle]) -> None:
    """Where they begin and end, and each pair of neighbours that are not a step apart."""
    rows, arrays = both(candles)

    assert rows.bounds() == arrays.bounds()
    assert rows.leaps(MINUTE) == arrays.leaps(MINUTE)


@given(answers(), runs(60), st.integers(0, 70))
def test_both_keep_the_same(candles: list[Candle], wanted: Runs, due: int) -> None:
    """The closed candles of the wanted slots; those that break a promise are set aside with the reason."""
    wanted = wanted or Runs((span(0, 60),))
    hull = Window(wanted.windows[0].start, wanted.windows[-1].end)
    rows, arrays = (
        one.kept(hull, ORIGIN + due * MINUTE, wanted, INTERVAL) for one in both(candles)
    )

    assert candles_of(rows) == candles_of(arrays)
    assert rows.frame.rejected == arrays.frame.rejected


def test_nothing_kept_is_no_block() -> None:
    """Who asks whether anything came need not know in which form."""
    candle = Candle(START, *[Decimal(1)] * 6, 1)
    later = span(0, 60)
    kept = Arrays(CandleBlock.of([candle])).kept(later, later.end, Runs((later,)), INTERVAL)

    assert Kept(Rows([]).kept(later, later.end, Runs((later,)), INTERVAL).frame) == kept
