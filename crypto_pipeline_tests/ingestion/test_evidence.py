"""Evidence over real HTTP: what explains a hole, what never does, and what happens when it was wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.ingestion.listings import read_calendar
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.lines import (
    ALL,
    DUE,
    FORGET_PAUSES,
    HOUR,
    MINUTE,
    MINUTES,
    NOW,
    SINCE,
    Line,
    Lines,
    elsewhere,
    explanations,
    holes,
    missing,
    paged_by,
    run,
    store_of,
    truth,
    with_candles,
)

LOST = Window(SINCE + 23 * HOUR, SINCE + 25 * HOUR)
NEXT_DAY = NOW + DAY


def outage(span: Window = LOST, symbol: str | None = None) -> Fault:
    """The venue has no rows there."""
    return Fault(kind="outage", symbol=symbol, start=span.start, end=span.end)


def parts_by_day(span: Window) -> list[Window]:
    """The span cut at midnight, as holes are kept."""
    parts = (Window.of_day(day).intersection(span) for day in span.days())
    return [part for part in parts if part]


def changes(line: Line) -> list[tuple[str, datetime, datetime]]:
    """The history of explanations."""
    return [
        (str(change), start, end)
        for change, start, end in store_of(line).select(
            """
            select change, slots_from, slots_to from market.explanation_changes
            order by changed_at, slots_from
            """
        )
    ]


def runs_after(line: Line, *pauses: timedelta, asking: str = "missing") -> None:
    """Run at NOW, and again so much later each."""
    for pause in (timedelta(), *pauses):
        run(line, now=NOW + pause, asking=asking)


def test_outage_between_rows_is_suspected_by_one_run(make_line: Lines, sandbox: Sandbox) -> None:
    """One answer with rows on both sides explains nothing yet: the slots stay missing, just those."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")
    sandbox.order(outage(symbol="BTCUSDT"))
    done = run(line)

    assert Stored(inserted=2 * MINUTES - 120) == done.stored
    assert {} == done.failures
    assert {line.series[0].name: Runs((LOST,))} == missing(line)
    assert [
        (part.start, part.end, "retrying", 1, "Absent", NOW + 5 * MINUTE)
        for part in parts_by_day(LOST)
    ] == holes(line, "state", "absences", "error_class", "next_at")
    assert ([], []) == (explanations(line), changes(line))


def test_outage_is_explained_by_a_run_five_minutes_later(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """The second answer explains it, with the rows around as evidence, and nobody asks again that day."""
    line = make_line(SINCE)
    sandbox.order(outage())
    runs_after(line, 5 * MINUTE)
    sandbox.clear_requests()
    run(line, now=NOW + 5 * MINUTE, asking="patiently")
    ((reason, evidence, confirmations, first, last, recheck),) = store_of(line).select(
        """
        select reason, evidence, confirmations, first_seen_at, last_seen_at, recheck_at
        from market.explanations
        """
    )

    assert {} == missing(line)
    assert ("venue_outage", 2) == (reason, confirmations)
    assert (NOW, NOW + 5 * MINUTE, NOW + 5 * MINUTE + DAY) == (first, last, recheck)
    assert {
        "provider": "binance",
        "row_before": (LOST.start - MINUTE).isoformat(),
        "row_after": LOST.end.isoformat(),
    } == evidence
    assert [("explained", part.start, part.end) for part in parts_by_day(LOST)] == changes(line)
    assert [] == sandbox.requests()


def test_outage_is_not_explained_by_a_run_a_minute_later(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """A replica that lags lags for a minute too."""
    line = make_line(SINCE)
    sandbox.order(outage())
    runs_after(line, MINUTE, 4 * MINUTE)

    assert {line.series[0].name: Runs((LOST,))} == missing(line)
    assert ([], []) == (explanations(line), changes(line))


@pytest.mark.parametrize(
    "fault",
    [
        *("empty_page", "cut_body", "garbage", "html", "short_page", "stale_page"),
        *("451", "500", "reset", "empty_page:probability=0.5", "short_page:probability=0.5"),
    ],
)
def test_broken_answers_never_explain_anything(
    make_line: Lines, sandbox: Sandbox, fault: str
) -> None:
    """However often it comes and however much later, it is no evidence; once it is over, all is fetched."""
    line = paged_by(make_line(SINCE, interval="15m"), 50)
    sandbox.order(fault)
    for pause in (timedelta(), 6 * MINUTE, HOUR, DAY):
        run(line, now=NOW + pause)
        store_of(line).execute(FORGET_PAUSES)

    assert ([], []) == (explanations(line), changes(line))
    assert {0} >= {absences for *_, absences in holes(line, "absences")}
    sandbox.clear_faults()
    run(line, now=NEXT_DAY)
    assert truth(line, ALL) == store_of(line).rows()
    assert [] == holes(line)


def test_unknown_symbol_never_explains_anything(make_line: Lines, sandbox: Sandbox) -> None:
    """A venue that knows no such symbol says nothing about its slots."""
    line = make_line(SINCE, "NOSUCH-USDT", "BTC-USDT", interval="1h")
    sandbox.order(f"unlisted:BTCUSDT:{SINCE:%Y-%m-%d}/2099-01-01")
    runs_after(line, 6 * MINUTE, DAY)

    assert ([], []) == (explanations(line), changes(line))
    assert {"stuck"} == {state for *_, state in holes(line, "state")}
    assert set(missing(line)) == {series.name for series in line.series}


def test_page_with_holes_is_a_suspicion_that_data_refutes(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """Rows that one answer leaves out come with the next, and nothing was ever explained."""
    line = make_line(SINCE)
    sandbox.order("holey_page:times=1")
    run(line)
    suspected = {absences for *_, absences in holes(line, "absences")}
    run(line, now=NOW + 5 * MINUTE)

    assert {1} == suspected
    assert {} == missing(line)
    assert [] == holes(line)
    assert [] == changes(line)
    assert truth(line, Window(SINCE, DUE + 5 * MINUTE)) == store_of(line).rows()


def test_explained_hole_that_fills_later_is_replaced_by_the_data(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """At its recheck what the venue has by then is stored; that it was explained is not forgotten."""
    line = make_line(SINCE)
    sandbox.order(outage())
    runs_after(line, 5 * MINUTE)
    sandbox.clear_faults()
    early = run(line, now=NEXT_DAY, asking="patiently")
    was_explained = explanations(line)
    late = run(line, now=NEXT_DAY + 5 * MINUTE, asking="patiently")

    assert 12 * 60 - 5 == early.stored.inserted
    assert [(LOST.start, LOST.end, "venue_outage")] == was_explained
    assert Stored(inserted=120) == late.stored
    assert [] == explanations(line)
    assert [
        (change, part.start, part.end)
        for change in ("explained", "replaced_by_data")
        for part in parts_by_day(LOST)
    ] == changes(line)
    assert truth(line, LOST) == [row for row in store_of(line).rows() if row[0] in LOST]
    assert [] == holes(line)


def test_outage_of_days_is_explained_in_few_requests(make_line: Lines, sandbox: Sandbox) -> None:
    """Three days of minutes are more than four pages; the third tick has them explained, a page each time."""
    line, window = make_line(SINCE), Window(SINCE, SINCE + 5 * DAY)
    lost = Window(SINCE + 10 * HOUR, SINCE + 3 * DAY + 10 * HOUR)
    sandbox.order(outage(lost))
    asked = []
    for tick in range(4):
        sandbox.clear_requests()
        run(line, window, window.end + (5 * tick + 1) * MINUTE, asking="patiently")
        asked.append(len(sandbox.requests()))

    assert [(lost.start, lost.end, "venue_outage")] == explanations(line)
    assert 2 * DAY // MINUTE == len(store_of(line).rows())
    assert asked[0] <= 10
    assert [1, 1, 0] == asked[1:]


def test_outage_of_days_is_explained_a_day_at_a_time_as_well(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """Runs for single days see the rows around the whole outage too."""
    line, now = make_line(SINCE), SINCE + 5 * DAY
    lost = Window(SINCE + 10 * HOUR, SINCE + 3 * DAY + 10 * HOUR)
    sandbox.order(outage(lost))
    for tick in range(4):
        for day in range(5):
            window = Window(SINCE + day * DAY, SINCE + (day + 1) * DAY)
            run(line, window, now + 5 * tick * MINUTE)

    assert [(lost.start, lost.end, "venue_outage")] == explanations(line)


def test_outage_at_the_first_day_kept_has_the_listing_for_a_witness(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """Where the rows before are none of ours, the first candle that the calendar knows stands for them."""
    line, lost = make_line(SINCE, interval="15m"), Window(SINCE - DAY, SINCE + 2 * HOUR)
    sandbox.order(outage(lost))
    read_calendar(line, NOW)
    runs_after(line, 5 * MINUTE)
    ((*_, witness),) = holes(line, "evidence ->> 'row_before'")

    assert [(SINCE, lost.end, "venue_outage")] == explanations(line)
    assert "2017-08-17T04:00:00+00:00" == witness


def test_outage_at_the_first_day_kept_stays_missing_without_a_witness(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """As long as nobody knows of a row before, the venue may just not have begun."""
    line, lost = make_line(SINCE, interval="15m"), Window(SINCE - DAY, SINCE + 2 * HOUR)
    sandbox.order(outage(lost))
    runs_after(line, 5 * MINUTE, DAY)

    assert [] == explanations(line)


def test_slots_beyond_the_history_are_explained_without_asking(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """Where the provider documents how far back it goes, whole older slots need neither request nor witness."""
    line = with_candles(make_line(SINCE, interval="15m"), depth=DAY)
    run(line)
    edge = datetime(2024, 2, 29, 12, tzinfo=UTC)
    (evidence,) = {str(told) for *_, told in holes(line, "evidence ->> 'documented_in'")}

    assert [(SINCE, edge, "not_refillable")] == explanations(line)
    assert line.providers["binance"].docs == evidence
    assert {} == missing(line)
    assert edge == store_of(line).rows()[0][0]
    assert all(
        int(request.query["startTime"]) / 1000 >= (edge - 15 * MINUTE).timestamp()
        for request in sandbox.requests()
    )


def test_history_that_reaches_far_enough_explains_nothing(make_line: Lines) -> None:
    """A provider's depth concerns only what is older."""
    line = with_candles(make_line(SINCE, interval="15m"), depth=3 * DAY)
    run(line)

    assert {} == missing(line)
    assert [] == explanations(line)


def test_venue_that_omits_quiet_slots_had_no_trades(make_line: Lines, sandbox: Sandbox) -> None:
    """What a missing row means is the venue's own rule; it takes two witnesses all the same."""
    line = with_candles(make_line(SINCE), omits_quiet=True)
    sandbox.order(outage())
    run(line)
    suspected = explanations(line)
    run(line, now=NOW + 5 * MINUTE)

    assert [] == suspected
    assert [(LOST.start, LOST.end, "no_trades")] == explanations(line)


def test_outage_that_goes_on_is_explained_when_it_is_over(make_line: Lines) -> None:
    """While there is no row after it there is no evidence; soon after there is one, all of it is explained."""
    line, lost = make_line(SINCE), Window(DUE - 20 * MINUTE, DUE + 30 * MINUTE)
    clock, told = [NOW], []
    with elsewhere(line, clock=lambda: clock[0], faults=(outage(lost),)) as there:
        for tick in range(11):
            clock[0] = NOW + 5 * tick * MINUTE
            run(there, now=clock[0], asking="patiently")
            told.append(explanations(line))

    assert 7 * [[]] == told[:7]
    assert [(lost.start, lost.end, "venue_outage")] == told[-1]
