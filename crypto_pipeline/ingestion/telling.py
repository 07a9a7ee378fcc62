"""What an answer, or its failure, says about the slots that stay open: the evidence of the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from crypto_pipeline.errors import (
    DamagedFile,
    HostRefused,
    MalformedReply,
    ProviderError,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.market.holes import FILE, LONGEST_PAUSE, SILENT_PAUSE, Reason, Vain
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import Absence, CandlePage
from crypto_pipeline.providers.declaration import Provider

NOT_IN_THE_ANSWER = "the provider answered without these slots"
NOT_IN_THE_FILE = "the venue's published file lacks these slots"


def failed(provider: str, error: ProviderError) -> Vain:
    """For slots whose request failed; a source that is silent may be back at any moment."""
    is_silent = isinstance(error, TransientError | HostRefused)
    pause = SILENT_PAUSE if is_silent else LONGEST_PAUSE
    # Who answers something else may be somebody else: a setting may be wrong.
    is_strange = isinstance(error, MalformedReply) and not isinstance(error, DamagedFile)
    hint = f": look at providers.{provider}.base_url" if is_strange else ""
    return Vain(type(error).__name__, f"{provider}: {error}{hint}", pause)


@dataclass(frozen=True, slots=True)
class Telling:
    """Words for what was said of one series, by its provider or by the files of its venue."""

    provider: Provider
    series: CandleSeries

    @property
    def unanswered(self) -> Vain:
        """For slots that an answer neither holds nor spans: no evidence of anything."""
        return Vain("Unanswered", NOT_IN_THE_ANSWER)

    def failure(self, error: ProviderError) -> Vain:
        """For slots whose request failed."""
        vain = failed(self.provider.name, error)
        if not isinstance(error, RequestRejected):
            return vain
        series = f"{self.series.instrument} {self.series.interval}"
        told = f"{self.provider.name} rejects {series} ({error}): look at ohlc.instruments"
        return replace(vain, error=told)

    def parts(self, page: CandlePage) -> Iterator[tuple[Window, Vain]]:
        """What a page proves absent, and what it gave that cannot be stored."""
        for absence in page.absences:
            yield absence.slots, self._absent(absence)
        yield from self.broken(page.frame.rejected)

    def broken(self, rejected: Iterable[Rejected]) -> Iterator[tuple[Window, Vain]]:
        """What was given and cannot be stored."""
        step, floor = self.series.interval.step, self.series.interval.floor
        for row, reason in rejected:
            slot = floor(row[0])
            vain = Vain("BrokenPromise", f"{self.provider.name}'s row was set aside: {reason}")
            yield Window(slot, slot + step), vain

    def absent_in_file(self, file: str, sha256: str) -> Vain:
        """For slots that a verified file of their month or day lacks."""
        evidence = {"provider": self.provider.name, FILE: file, "sha256": sha256}
        return Vain("Absent", NOT_IN_THE_FILE, reason=self._nothing, evidence=evidence)

    def beyond_reach(self) -> Vain:
        """For slots older than the provider's history goes: its own documents say so."""
        evidence = {"provider": self.provider.name, "documented_in": self.provider.docs}
        msg = f"{self.provider.name} keeps no history this old: {self.provider.history}"
        return Vain("BeyondReach", msg, reason="not_refillable", evidence=evidence, is_certain=True)

    def _absent(self, absence: Absence) -> Vain:
        """Rows on both sides in one answer: the venue was there, and these slots were not."""
        evidence = {
            "provider": self.provider.name,
            "row_before": absence.before.isoformat(),
            "row_after": absence.after.isoformat(),
        }
        return Vain("Absent", NOT_IN_THE_ANSWER, reason=self._nothing, evidence=evidence)

    @property
    def _nothing(self) -> Reason:
        """What it means that there is no row where there could be one."""
        candles = self.provider.candles
        return "no_trades" if candles and candles.omits_quiet else "venue_outage"
