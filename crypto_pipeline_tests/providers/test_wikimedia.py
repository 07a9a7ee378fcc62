"""Views of the Bitcoin article: which days are asked for, and what days without data mean."""

from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.errors import MalformedReply, RequestRejected
from crypto_pipeline.frames.observations import IndexValue
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.wikimedia import WIKIMEDIA, read_days
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.telling import JSON, at, past

SERIES = "bitcoin_pageviews"


def days(asking: Asking, start: datetime, count: int) -> list[datetime | None]:
    """The days of the values that are told of a window."""
    window = Window(start, start + count * DAY)
    return [one.observed_at for one in past(asking, "sentiment", SERIES, window, DAY)]


def test_window_gives_its_days_and_no_other(sandbox: Sandbox, browser: Browser) -> None:
    """Both days of the path are inclusive there, and days before the window are left out."""
    start = datetime(2024, 2, 27, tzinfo=UTC)

    assert [start, start + DAY, start + 2 * DAY] == days(
        Asking(at(sandbox, WIKIMEDIA), browser), start, 3
    )
    assert sandbox.requests()[-1].path.endswith("/user/Bitcoin/daily/20240220/20240229")


def test_day_that_is_not_published_yet_is_no_error(sandbox: Sandbox, browser: Browser) -> None:
    """Today's views are told tomorrow; until then the answer is empty, not a refusal."""
    today = midnight(datetime.now(UTC).date())

    assert [] == days(Asking(at(sandbox, WIKIMEDIA), browser), today, 1)


def test_time_before_the_first_day_is_rejected_once(sandbox: Sandbox, browser: Browser) -> None:
    """Nothing was counted before July 2015, and asking again cannot help."""
    with pytest.raises(RequestRejected, match="do not have data"):
        days(Asking(at(sandbox, WIKIMEDIA), browser), datetime(2014, 1, 1, tzinfo=UTC), 1)
    assert len(sandbox.requests()) == 1


def test_views_are_read_as_printed() -> None:
    """A count is a count: the value has no fraction and no word for it."""
    row = b'{"items": [{"timestamp": "2015070100", "views": 6126}]}'

    assert [IndexValue(datetime(2015, 7, 1, tzinfo=UTC), 6126)] == read_days(Reply(200, JSON, row))


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"items": [{}]}',
        b'{"items": [{"timestamp": "2015070112", "views": 1}]}',
        b'{"items": [{"timestamp": "2015070100", "views": "1"}]}',
    ],
)
def test_odd_body_is_malformed(body: bytes) -> None:
    """A day that is no day, or views that are no number, are not taken."""
    with pytest.raises(MalformedReply):
        read_days(Reply(200, JSON, body))


def test_only_its_own_series_is_told() -> None:
    """An index of another source is none of its business."""
    history = WIKIMEDIA.histories["sentiment"]

    assert ["Bitcoin", None] == [history.name(one) for one in (SERIES, "fear_greed")]
    assert history.span > timedelta(days=365)
