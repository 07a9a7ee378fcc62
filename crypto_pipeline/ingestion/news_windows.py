"""Which windows a provider is asked for that can be asked by date, and which it cannot know."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.holes import Vain
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import NewsEndpoint, Provider


def pieces(slots: Runs, span: timedelta) -> Iterator[Window]:
    """The runs, none longer than a span, oldest first."""
    for run in slots:
        start = run.start
        while start < run.end:
            end = min(start + span, run.end)
            yield Window(start, end)
            start = end


def beyond_reach(slots: Runs, endpoint: NewsEndpoint, interval: Interval, now: datetime) -> Runs:
    """The slots that are older than the provider's history goes."""
    if endpoint.depth is None or not slots:
        return Runs()
    start, edge = slots.windows[0].start, interval.ceil(now - endpoint.depth)
    return slots.within(Window(start, edge)) if start < edge else Runs()


def too_old(provider: Provider) -> Vain:
    """For slots older than the provider's history goes: its own documents say so."""
    evidence = {"provider": provider.name, "documented_in": provider.docs}
    msg = f"{provider.name} keeps no history this old: {provider.history}"
    return Vain("BeyondReach", msg, reason="not_refillable", evidence=evidence, is_certain=True)
