"""Asking again: what waits is left alone by ticks, what is due comes, and the newest comes first."""

from datetime import datetime, timedelta

from crypto_pipeline.ingestion.ingest import Ingested
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.lines import (
    DUE,
    HOUR,
    MINUTE,
    NOW,
    SINCE,
    Lines,
    explanations,
    holes,
    missing,
    paged_by,
    run,
    store_of,
    truth,
)

LOST = Fault(kind="outage", start=SINCE + HOUR, end=SINCE + 2 * HOUR)


def starts(sandbox: Sandbox) -> list[datetime]:
    """The first instant that each request asked for, in the order they came."""
    milliseconds = [int(request.query["startTime"]) for request in sandbox.requests()]
    return [EPOCH + timedelta(milliseconds=number) for number in milliseconds]


def test_late_rows_are_fetched_when_they_come(make_line: Lines, sandbox: Sandbox) -> None:
    """A hole is asked for again; what the venue has by then is stored, and the attempts are forgotten."""
    line = make_line(SINCE)
    sandbox.order(LOST)
    run(line)
    sandbox.clear_faults()
    done = run(line)

    assert Ingested(1, Stored(inserted=60), {}, frozenset({line.series[0].name})) == done
    assert {} == missing(line)
    assert [] == holes(line)


def test_patient_run_leaves_alone_what_waits(make_line: Lines, sandbox: Sandbox) -> None:
    """A tick a minute later asks for the new minute and not for the hole; a person's run asks for both."""
    line = make_line(SINCE)
    sandbox.order(LOST)
    run(line)
    sandbox.clear_requests()
    patient = run(line, now=NOW + MINUTE, asking="patiently")
    asked, attempts = starts(sandbox), holes(line, "attempts")
    run(line, now=NOW + 2 * MINUTE)

    assert (1, Stored(inserted=1)) == (patient.requests, patient.stored)
    assert [DUE - MINUTE] == asked
    assert [(LOST.start, LOST.end, 1)] == attempts
    assert [(LOST.start, LOST.end, 2)] == holes(line, "attempts")


def test_patient_run_without_anything_due_asks_nothing(make_line: Lines, sandbox: Sandbox) -> None:
    """A second tick within the pause costs no request and writes nothing."""
    line = make_line(SINCE)
    sandbox.order(LOST)
    run(line)
    sandbox.clear_requests()

    assert Ingested(0, Stored()) == run(line, asking="patiently")
    assert [] == sandbox.requests()


def test_patient_run_asks_again_when_the_pause_is_over(make_line: Lines, sandbox: Sandbox) -> None:
    """At the instant noted in the ledger, and not before."""
    line = make_line(SINCE)
    sandbox.order(LOST)
    run(line)
    ((_, _, due),) = holes(line, "next_at")
    sandbox.clear_faults()
    early = run(line, now=due - MINUTE, asking="patiently")
    late = run(line, now=due, asking="patiently")

    assert 0 < early.stored.inserted < 60
    assert 60 <= late.stored.inserted
    assert {} == missing(line)


def test_pause_of_a_clock_that_ran_ahead_is_no_pause(make_line: Lines, sandbox: Sandbox) -> None:
    """A next time a year from now was never meant; the hole is asked for at once."""
    line = make_line(SINCE)
    sandbox.order(LOST)
    run(line, now=NOW + 365 * DAY)
    sandbox.clear_faults()
    done = run(line, asking="patiently")

    assert Stored(inserted=60) == done.stored
    assert {} == missing(line)


def test_first_tick_after_downtime_asks_for_the_newest_first(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """After half a day without us the newest minutes come first, and older holes that are due come last."""
    line = paged_by(make_line(SINCE), 62, concurrency=1)
    sandbox.order(LOST)
    run(line)
    sandbox.clear_requests()
    run(line, now=NOW + 10 * HOUR, asking="patiently")
    newest_first = [DUE + hour * HOUR for hour in range(9, -1, -1)]

    assert [start - MINUTE for start in (*newest_first, LOST.start)] == starts(sandbox)[:11]


def test_asking_for_everything_puts_explanations_to_the_test(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """A person who asks for all asks for what is explained as well; rows that come replace the explanation."""
    line = make_line(SINCE)
    sandbox.order(LOST)
    run(line)
    run(line, now=NOW + 5 * MINUTE)
    explained = explanations(line)
    sandbox.clear_faults()
    done = run(line, now=NOW + 5 * MINUTE, asking="everything")

    assert [(LOST.start, LOST.end, "venue_outage")] == explained
    assert Stored(inserted=60) == done.stored
    assert [] == explanations(line)
    assert truth(line, Window(SINCE, DUE + 5 * MINUTE)) == store_of(line).rows()
