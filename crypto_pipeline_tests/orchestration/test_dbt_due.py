"""When marts are made anew: the choice alone, without Dagster, dbt or a clock."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.orchestration.marts_due import (
    Pace,
    Seen,
    behind,
    due,
    look,
    newest_range,
    pause,
)

READS = {"candles": {"ohlc"}, "news_hourly": {"news"}, "completeness": {"ohlc", "news"}}
NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
TODAY, OLD, OLDER = "2026-03-05", "2026-02-20", "2025-06-01"
PACE = Pace()
NOTHING: Mapping[str, Mapping[str, int]] = {one: {} for one in (*READS, "ohlc", "news")}


def _asked(
    newest: Mapping[str, Mapping[str, int]],
    seen: Seen,
    at: datetime = NOW,
    busy: Collection[str] = (),
) -> tuple[dict[str, set[str]], Seen]:
    late = behind(READS, newest)
    looked = look(late, newest, seen, at)
    found = due(late, newest, looked, busy, at, PACE)
    return {day: set(models) for day, models in found.items()}, looked


def test_a_day_is_late_for_the_marts_that_read_what_came() -> None:
    """A mart that was made after it is not, and nothing is said of a day that nobody has."""
    newest = {**NOTHING, "ohlc": {OLD: 7, OLDER: 2}, "candles": {OLD: 6, OLDER: 3}}

    assert {"ohlc": {OLD: {"candles", "completeness"}, OLDER: {"completeness"}}} == behind(
        READS, newest
    )


def test_a_source_that_is_filled_for_hours_is_not_waited_for_longer_than_patience() -> None:
    """Its days are made twice an hour meanwhile, and the others' at their own time."""
    newest = {**NOTHING, "ohlc": {OLD: 7}}
    _, seen = _asked(newest, Seen(), busy=("ohlc",))
    later = {**newest, "ohlc": {OLD: 8}}

    assert {} == _asked(later, seen, NOW + PACE.patience - PACE.quiet, busy=("ohlc",))[0]
    assert {OLD} == set(_asked(later, seen, NOW + PACE.patience, busy=("ohlc",))[0])


def test_every_change_begins_the_quiet_anew() -> None:
    """So a cold start's many backfills are few runs."""
    _, seen = _asked({**NOTHING, "ohlc": {OLD: 7}}, Seen())
    found, seen = _asked({**NOTHING, "ohlc": {OLD: 9}}, seen, NOW + PACE.quiet)

    assert {} == found
    assert {OLD} == set(_asked({**NOTHING, "ohlc": {OLD: 9}}, seen, NOW + 2 * PACE.quiet)[0])


def test_todays_first_is_made_at_once_though_others_have_just_been() -> None:
    """From then on it waits for the hour like all."""
    newest = {**NOTHING, "ohlc": {TODAY: 7}, "news": {TODAY: 8}, "candles": {TODAY: 6}}
    newest["completeness"] = {TODAY: 6}
    seen = replace(Seen(), today_at=NOW - PACE.today / 2)

    assert {TODAY: {"news_hourly"}} == _asked(newest, seen)[0]
    assert {TODAY: set(READS)} == _asked(newest, seen, NOW + PACE.today / 2)[0]


@given(st.sets(st.dates(date(2024, 1, 1), date(2026, 3, 5)), min_size=1))
def test_ranges_hold_every_day_once_and_are_far_apart(days: set[date]) -> None:
    """Newest first; what lies near is one run, for the days between cost less than another."""
    left = {day.isoformat(): {"candles"} for day in days}
    before: date | None = None
    while left:
        wanted = newest_range(left, PACE.near)
        taken = [day for day in left if str(wanted.first) <= day <= str(wanted.last)]
        assert (str(wanted.first), str(wanted.last)) == (min(taken), max(left))
        assert before is None or before - wanted.last > PACE.near
        before = wanted.first
        left = {day: models for day, models in left.items() if day not in taken}


def test_pauses_grow_to_an_hour() -> None:
    """What fails is tried again, ever more rarely, and never given up."""
    minutes = [pause(failures) // timedelta(minutes=1) for failures in range(1, 9)]

    assert [2, 4, 8, 16, 32, 60, 60, 60] == minutes
