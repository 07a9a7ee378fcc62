"""The choice of files: disjoint, worth it, and never dearer than asking the venue for everything."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.ingestion.archive_plan import (
    LISTING,
    Chosen,
    Prices,
    choose,
    covered,
    is_worth_listing,
    slots_of,
)
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.archive import ArchiveFile, Listing

JANUARY, FEBRUARY, MARCH = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
APRIL = datetime(2024, 4, 1, tzinfo=UTC)
MONTHS = [Window(JANUARY, FEBRUARY), Window(FEBRUARY, MARCH), Window(MARCH, APRIL)]
DAYS = [Window.of_day(day) for day in Window(JANUARY, APRIL).days()]
MINUTES = Prices(Interval.parse("1m"), 1000)
SHORT_PAGES = Prices(Interval.parse("1m"), 499)


def file(window: Window) -> ArchiveFile:
    """A file of a window, as a listing tells of it."""
    return ArchiveFile(f"/{window}", window, 1, "etag", window.end)


def listed(months: list[Window], days: list[Window]) -> Listing:
    """A listing of these."""
    return Listing(tuple(map(file, sorted(months))), tuple(map(file, sorted(days))))


ALL = listed(MONTHS, DAYS)


def windows(chosen: list[Chosen]) -> list[Window]:
    """What the chosen files are of."""
    return [one.file.window for one in chosen]


listings = st.builds(
    listed,
    st.lists(st.sampled_from(MONTHS), unique=True),
    st.lists(st.sampled_from(DAYS), unique=True),
)
priced = st.builds(
    Prices,
    st.sampled_from(["1m", "15m", "1h", "1d", "3d", "1w"]).map(Interval.parse),
    st.sampled_from([100, 500, 1000, 1500]),
)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Runs, Prices]:
    """Whole slots of any spans around three months, and what they cost."""
    prices = draw(priced)
    floor, step = prices.interval.floor, prices.interval.step
    hours = st.integers(-72, 24 * 95)
    lengths = st.sampled_from([1, 5, 24, 100, 24 * 40])
    spans = draw(st.lists(st.tuples(hours, lengths), max_size=6))
    starts = [(floor(JANUARY + timedelta(hours=hour)), length) for hour, length in spans]
    found = [
        Window(start, floor(start + timedelta(hours=length)) + step) for start, length in starts
    ]
    return Runs.of(found), prices


@given(wishes(), listings)
def test_no_slot_is_wanted_of_two_files(wish: tuple[Runs, Prices], listing: Listing) -> None:
    """What one file gives is not read again from another."""
    wanted, prices = wish
    chosen = choose(wanted, listing, prices)

    assert all(not one.slots & other.slots for one, other in combinations(chosen, 2))


@given(wishes(), listings)
def test_each_file_has_its_part_of_what_is_wanted(
    wish: tuple[Runs, Prices], listing: Listing
) -> None:
    """A chosen file is a listed one, and just the wanted slots that open in it are wanted of it."""
    wanted, prices = wish

    for one in choose(wanted, listing, prices):
        assert one.file in (*listing.months, *listing.days)
        assert one.slots
        assert slots_of(one.file.window, wanted, prices.interval) == one.slots


@given(wishes(), listings)
def test_slots_stay_whole(wish: tuple[Runs, Prices], listing: Listing) -> None:
    """A slot that is longer than a day is of the file it opens in, and what is left is whole slots."""
    wanted, prices = wish
    rest = wanted - covered(choose(wanted, listing, prices))
    step = prices.interval.step

    assert all(run.start == prices.interval.floor(run.start) for run in rest)
    assert all(run.span % step == timedelta() for run in rest)


@given(wishes(), listings)
def test_choice_costs_no_more_than_asking_for_everything(
    wish: tuple[Runs, Prices], listing: Listing
) -> None:
    """Files and the pages for the rest are cheaper than all pages, or there are no files."""
    wanted, prices = wish
    chosen = choose(wanted, listing, prices)

    assert prices.of_choice(chosen, wanted) <= prices.of_replies(wanted)
    assert not chosen or prices.of_choice(chosen, wanted) < prices.of_replies(wanted)


@given(wishes(), listings)
def test_nobody_lists_what_could_not_be_worth_it(
    wish: tuple[Runs, Prices], listing: Listing
) -> None:
    """Where not even the best archive would save the listing's requests, no real one would."""
    wanted, prices = wish
    now = APRIL + 10 * DAY
    saved = prices.of_replies(wanted) - prices.of_choice(choose(wanted, listing, prices), wanted)

    assert is_worth_listing(wanted, prices, now) or saved <= LISTING + 0.1


def test_whole_months_come_as_months() -> None:
    """Three months of minutes are three files."""
    assert MONTHS == windows(choose(Runs((Window(JANUARY, APRIL),)), ALL, MINUTES))


def test_month_that_is_not_listed_comes_as_days() -> None:
    """A month whose file is not published yet has its days, where pages are short."""
    listing = listed(MONTHS[:2], DAYS)
    chosen = choose(Runs((Window(FEBRUARY, MARCH + 10 * DAY),)), listing, SHORT_PAGES)

    assert [MONTHS[1], *DAYS[60:70]] == windows(chosen)


def test_days_of_minutes_cost_less_as_long_pages() -> None:
    """A thousand candles a reply are had sooner than files of fourteen hundred."""
    assert [] == choose(Runs((Window(MARCH, MARCH + 10 * DAY),)), listed([], DAYS), MINUTES)


def test_days_that_are_not_listed_are_left_to_the_venue() -> None:
    """Nobody asks the archive for what it does not say that it has."""
    wanted = Runs((Window(MARCH, MARCH + 10 * DAY),))
    chosen = choose(wanted, listed([], DAYS[60:65]), SHORT_PAGES)

    assert Runs((Window(MARCH + 5 * DAY, MARCH + 10 * DAY),)) == wanted - covered(chosen)


@pytest.mark.parametrize(
    ("interval", "span", "is_worth_it"),
    [
        ("1m", timedelta(hours=12), False),
        ("1m", DAY, False),
        ("1m", 10 * DAY, True),
        ("1m", 90 * DAY, True),
        ("1s", DAY, True),
        ("15m", 90 * DAY, True),
        ("1h", 90 * DAY, False),
        ("1d", 90 * DAY, False),
        ("1w", 90 * DAY, False),
    ],
)
def test_archive_is_asked_where_it_saves_requests(
    interval: str, span: timedelta, is_worth_it: bool
) -> None:
    """Ticks and coarse candles cost a few replies; fine history costs thousands."""
    wanted = Runs((Window(JANUARY, JANUARY + span),))

    assert is_worth_it == is_worth_listing(wanted, Prices(Interval.parse(interval), 1000), APRIL)


def test_days_that_are_not_over_are_in_no_archive() -> None:
    """However much of today is wanted."""
    wanted = Runs((Window(MARCH, MARCH + DAY),))
    now = MARCH + DAY - timedelta(seconds=1)

    assert not is_worth_listing(wanted, Prices(Interval.parse("1s"), 1000), now)
