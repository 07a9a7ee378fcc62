"""Spans: runs go to Postgres and come back as they were."""

from hypothesis import given

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.spans import multirange, runs_of, window_of
from crypto_pipeline_tests.market.strategies import runs, spans
from crypto_pipeline_tests.warehouse.storing import Warehouse, over_postgres


@over_postgres
@given(runs())
def test_runs_read_back_as_they_were(database: Database, some: Runs) -> None:
    """Any set of minutes, the empty one included."""
    ((found,),) = Warehouse(database, []).select("select %s::tstzmultirange", multirange(some))

    assert some == runs_of(found)


@over_postgres
@given(spans(120), spans(120))
def test_window_is_a_half_open_range(database: Database, one: Window, other: Window) -> None:
    """Postgres cuts two windows where Python does, and begins and ends them alike."""
    ((found,),) = Warehouse(database, []).select(
        "select tstzrange(%s, %s) * tstzrange(%s, %s)", one.start, one.end, other.start, other.end
    )

    assert one.intersection(other) == (None if found.isempty else window_of(found))
