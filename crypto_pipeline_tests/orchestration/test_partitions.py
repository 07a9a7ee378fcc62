"""Days as partitions."""

from datetime import UTC, date, datetime

import dagster as dg
import pytest

from crypto_pipeline.orchestration.partitions import daily, days_between, request_days

SINCE = date(2026, 3, 1)


def test_today_is_a_partition() -> None:
    """A day can be filled while it lasts; tomorrow cannot."""
    now = datetime(2026, 3, 5, 0, 0, 1, tzinfo=UTC)

    keys = daily(SINCE).get_partition_keys(current_time=now)

    assert keys == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]


def test_a_partition_is_a_utc_day() -> None:
    """Half-open, from midnight to midnight, whatever the zone of the machine."""
    window = daily(SINCE).time_window_for_partition_key("2026-03-29")

    assert (window.start, window.end) == (
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 3, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (date(2026, 3, 1), ["2026-03-01"]),
        (date(2026, 3, 3), ["2026-03-01", "2026-03-02", "2026-03-03"]),
    ],
)
def test_days_between_holds_both_ends(last: date, expected: list[str]) -> None:
    """A range of one day is that day."""
    assert days_between(SINCE, last) == expected


def test_one_day_is_asked_for_as_a_partition_and_more_as_a_range() -> None:
    """A single partition shows as one on the page; a range is one run all the same."""
    one, more = request_days(SINCE, SINCE), request_days(SINCE, date(2026, 3, 3))

    assert one.partition_key == "2026-03-01"
    assert more == dg.RunRequest(
        tags={
            "dagster/asset_partition_range_start": "2026-03-01",
            "dagster/asset_partition_range_end": "2026-03-03",
        }
    )
