"""The newsroom: the same stories for the same seed, whichever way they are asked for."""

from datetime import timedelta

from crypto_pipeline.providers.rss import FEEDS
from crypto_pipeline.sandbox.newsroom import PUBLISHERS, Newsroom
from crypto_pipeline_tests.sandbox.conftest import NOW

DAY = timedelta(days=1)


def test_stories_depend_on_seed_and_time_alone() -> None:
    """Two newsrooms with one seed tell the same; another seed tells otherwise."""
    window = (NOW - DAY, NOW)

    assert Newsroom(7).between(*window) == Newsroom(7).between(*window)
    assert Newsroom(7).between(*window) != Newsroom(8).between(*window)


def test_feeds_and_windows_tell_the_same_stories() -> None:
    """What a publisher has newest is what the window holds of it, and nothing is told before its time."""
    newsroom, publisher = Newsroom(7), PUBLISHERS[0]
    newest = newsroom.newest(publisher, NOW, 20)
    window = newsroom.between(newest[-1].at, NOW + timedelta(seconds=1))

    assert newest == [one for one in window if one.publisher == publisher]
    assert max(one.at for one in newest) <= NOW


def test_neighbouring_windows_share_no_story() -> None:
    """Half-open windows make up the whole, each story once."""
    newsroom, middle = Newsroom(7), NOW - timedelta(hours=7)
    parts = newsroom.between(middle, NOW) + newsroom.between(NOW - DAY, middle)

    assert parts == newsroom.between(NOW - DAY, NOW)
    assert len({one.url for one in parts}) == len(parts) > 600


def test_every_feed_has_its_publisher() -> None:
    """Who is asked in earnest is there to be asked in the sandbox."""
    assert [(feed.name, feed.title) for feed in FEEDS] == [
        (one.name, one.title) for one in PUBLISHERS
    ]
