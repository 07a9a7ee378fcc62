"""Weight is counted on the clock minute, refused above the limit, banned if that is ignored."""

from datetime import UTC, datetime, timedelta

from crypto_pipeline.sandbox.weights import Verdict, WeightMeter

START = datetime(2026, 3, 4, 5, 6, 20, tzinfo=UTC)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        """Begin at START."""
        self.now = START

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def statuses(meter: WeightMeter, count: int, address: str = "a") -> list[int]:
    """The verdicts on so many requests of weight 2."""
    return [meter.count(address, 2).status for _ in range(count)]


def test_weight_adds_up_until_the_minute_turns() -> None:
    """The count starts again on the clock minute, not a minute after the first request."""
    clock = Clock()
    meter = WeightMeter(100, clock)
    used = [meter.count("a", 20).used, meter.count("a", 2).used]
    clock.wait(40)
    used.append(meter.count("a", 1).used)

    assert used == [20, 22, 1]


def test_above_the_limit_comes_429_until_the_next_minute() -> None:
    """Exactly the limit is still served; Retry-After points at the turn of the minute."""
    clock = Clock()
    meter = WeightMeter(4, clock)

    assert statuses(meter, 2) == [200, 200]
    assert meter.count("a", 2) == Verdict(429, 6, retry_after=40)

    clock.wait(40)

    assert statuses(meter, 1) == [200]


def test_whoever_goes_on_is_banned_and_longer_each_time() -> None:
    """Ten requests in spite of 429 are borne, the next bans for two minutes, then for four."""
    clock = Clock()
    meter = WeightMeter(2, clock)
    first = statuses(meter, 12)
    ban = meter.count("a", 2)
    clock.wait(119)
    still = meter.count("a", 2)
    clock.wait(2)
    again = statuses(meter, 12)

    assert first == [200, *[429] * 10, 418]
    assert (ban.retry_after, ban.banned_until) == (120, round(START.timestamp() + 120) * 1000)
    assert (still.status, still.retry_after) == (418, 1)
    assert again == first
    assert meter.count("a", 2).retry_after == 240


def test_each_address_has_its_own_weight() -> None:
    """One client's limit is not another's."""
    meter = WeightMeter(2, Clock())

    assert statuses(meter, 2) == [200, 429]
    assert statuses(meter, 1, address="b") == [200]


def test_without_a_limit_nothing_is_refused() -> None:
    """The weight is still counted, for the headers."""
    meter = WeightMeter(None, Clock())

    assert set(statuses(meter, 50)) == {200}
    assert meter.count("a", 2).used == 102
