"""What an answer of a feed proves: from when to when nothing it told is missing, and what is lost.

A feed holds its newest articles and no others. What it holds now joins what it held before when its
oldest item is not newer than the end of what was covered; if it is, something scrolled off unseen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.holes import Attempt, Vain
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.news import NewsPage
from crypto_pipeline.warehouse.news import FeedState

UNPROVEN = Vain("Unanswered", "the feed's answer says nothing of these slots")


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """One answer of a feed, beside what was known of it before."""

    provider: str
    interval: Interval
    before: FeedState | None
    page: NewsPage

    @property
    def oldest(self) -> datetime | None:
        """The oldest item that the feed holds; one that did not change holds what it held."""
        if self.page.not_modified and self.before:
            return self.before.oldest_item
        return self.page.covered.start if self.page.covered else None

    @property
    def covered(self) -> Window | None:
        """Without a break until it was answered; None where the answer proves nothing."""
        start, until = self._since, self.page.until
        if start is None or until is None or start >= until:
            return None
        if self.before and start <= self.before.covered_until:
            start = min(start, self.before.covered_from)
        return Window(start, until)

    @property
    def slots(self) -> Runs:
        """The whole slots that this answer adds, those it shares with the one before among them."""
        covered, since = self.covered, self._since
        if covered is None or since is None:
            return Runs()
        if self.before:
            since = min(since, self.interval.floor(self.before.covered_until))
        return whole_slots(Runs((Window(max(covered.start, since), covered.end),)), self.interval)

    @property
    def state(self) -> FeedState | None:
        """How far the feed is read now; None where it stays as it was."""
        if self.covered is None:
            return None
        page, before = self.page, self.before
        told = [one.published_at for one in page.articles if one.published_at]
        if before and before.newest_item:
            told.append(before.newest_item)
        return FeedState(
            self.covered.start,
            self.covered.end,
            page.marks.etag,
            page.marks.last_modified,
            self.oldest,
            max(told, default=None),
        )

    def attempt(self, wanted: Runs) -> Attempt:
        """What came of asking for slots: those before the feed's oldest item are lost for good.

        So are those between what was covered before and that item, whether wanted or not.
        """
        oldest, hole = self.oldest, self._hole
        if oldest is None:
            return Attempt(wanted, UNPROVEN)
        edge = self.interval.ceil(oldest)
        parts = [
            (Window(run.start, min(run.end, edge)), self._lost(oldest))
            for run in wanted
            if run.start < edge
        ]
        if hole and self.before:
            # The first part that names a slot counts: here both ends of the hole are known.
            parts.insert(0, (hole, self._lost(oldest, self.before.covered_until)))
        return Attempt(wanted + Runs((hole,) if hole else ()), UNPROVEN, parts)

    @property
    def _since(self) -> datetime | None:
        """From when on this answer alone is whole."""
        if self.page.not_modified and self.before:
            return self.before.covered_until
        return self.page.covered.start if self.page.covered else None

    @property
    def _hole(self) -> Window | None:
        """The slots between what was covered before and the oldest item, if that is newer."""
        since = self._since
        if self.before is None or since is None or since <= self.before.covered_until:
            return None
        floor, ceil = self.interval.floor, self.interval.ceil
        return Window(floor(self.before.covered_until), ceil(since))

    def _lost(self, oldest: datetime, covered_until: datetime | None = None) -> Vain:
        evidence = {"provider": self.provider, "oldest_item": oldest.isoformat()}
        if covered_until:
            evidence["covered_until"] = covered_until.isoformat()
        msg = f"{self.provider} holds nothing before {oldest:%Y-%m-%d %H:%M}Z: it has scrolled off"
        return Vain("ScrolledOff", msg, reason="not_refillable", evidence=evidence, is_certain=True)


def whole_slots(runs: Runs, interval: Interval) -> Runs:
    """The slots that lie in the runs whole; half a slot proves nothing."""
    return Runs.of(_whole(runs, interval))


def _whole(runs: Runs, interval: Interval) -> Iterator[Window]:
    for run in runs:
        start, end = interval.ceil(run.start), interval.floor(run.end)
        if start < end:
            yield Window(start, end)
