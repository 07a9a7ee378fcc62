"""The synthetic newsroom: what every publisher of the sandbox has published, by seed and time.

How a feed or a search words it is its protocol's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zlib import crc32

EVERY = timedelta(minutes=30)
"""Each publisher has one article in each, somewhere."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SUBJECTS = (
    *(("Bitcoin", "BTC"), ("Ethereum", "ETH"), ("Solana", "SOL"), ("Cardano", "ADA")),
    *(("Dogecoin", "DOGE"), ("Litecoin", "LTC"), ("Monero", "XMR"), ("Chainlink", "LINK")),
)
_VERBS = ("rallies", "slips", "steadies", "stalls", "rebounds", "drifts", "surges", "cools")
_REASONS = (
    *("as funds rotate", "after a quiet weekend", "while miners wait", "as fees fall"),
    *("ahead of the vote", "despite heavy selling", "on thin volume", "as rules are drafted"),
)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Somebody with a site and a feed of their ``size`` newest articles, RSS or Atom."""

    name: str
    title: str
    domain: str
    is_atom: bool = False

    @property
    def size(self) -> int:
        """Between 20 and 50 items, each publisher their own number."""
        return 20 + crc32(self.name.encode()) % 31


@dataclass(frozen=True, slots=True)
class Story:
    """One article; ``at`` is whole seconds, ``code`` the ticker it is about."""

    publisher: Publisher
    number: int
    at: datetime
    title: str
    summary: str
    code: str

    @property
    def url(self) -> str:
        """Its address, with nothing in it that tracks."""
        slug = "-".join(self.title.lower().split())
        return f"https://{self.publisher.domain}/{self.at:%Y/%m/%d}/{slug}-{self.number}"


PUBLISHERS = (
    Publisher("rss_ambcrypto", "AMBCrypto", "ambcrypto.com"),
    Publisher("rss_beincrypto", "BeInCrypto", "beincrypto.com"),
    Publisher("rss_bitcoinist", "Bitcoinist", "bitcoinist.com", is_atom=True),
    Publisher("rss_bitcoinmagazine", "Bitcoin Magazine", "bitcoinmagazine.com"),
    Publisher("rss_blockworks", "Blockworks", "blockworks.co", is_atom=True),
    Publisher("rss_coindesk", "CoinDesk", "www.coindesk.com"),
    Publisher("rss_cointelegraph", "Cointelegraph", "cointelegraph.com"),
    Publisher("rss_cryptobriefing", "Crypto Briefing", "cryptobriefing.com"),
    Publisher("rss_cryptopotato", "CryptoPotato", "cryptopotato.com"),
    Publisher("rss_cryptoslate", "CryptoSlate", "cryptoslate.com"),
    Publisher("rss_dailyhodl", "The Daily Hodl", "dailyhodl.com"),
    Publisher("rss_decrypt", "Decrypt", "decrypt.co"),
    Publisher("rss_newsbtc", "NewsBTC", "www.newsbtc.com"),
    Publisher("rss_theblock", "The Block", "www.theblock.co"),
    Publisher("rss_u_today", "U.Today", "u.today"),
)


@dataclass(frozen=True, slots=True)
class Newsroom:
    """All articles there are, the same for the same seed."""

    seed: int

    def newest(self, publisher: Publisher, now: datetime, count: int) -> list[Story]:
        """A publisher's newest articles, the newest first."""
        last = (now - EPOCH) // EVERY
        numbers = range(last, last - count - 1, -1)
        told = (self.story(publisher, number) for number in numbers)
        return [one for one in told if one.at <= now][:count]

    def between(self, start: datetime, end: datetime) -> list[Story]:
        """Every article of ``[start, end)``, the newest first."""
        numbers = range((start - EPOCH) // EVERY, (end - EPOCH) // EVERY + 1)
        told = (self.story(publisher, number) for publisher in PUBLISHERS for number in numbers)
        inside = [one for one in told if start <= one.at < end]
        return sorted(inside, key=lambda one: (one.at, one.url), reverse=True)

    def story(self, publisher: Publisher, number: int) -> Story:
        """A publisher's article of that number."""
        chance = self._chances(publisher, number)
        at = EPOCH + number * EVERY + timedelta(seconds=next(chance) % int(EVERY.total_seconds()))
        subject, code = _SUBJECTS[next(chance) % len(_SUBJECTS)]
        verb, reason = _VERBS[next(chance) % len(_VERBS)], _REASONS[next(chance) % len(_REASONS)]
        summary = f"{subject} ({code}) {verb} {reason}, says {publisher.title}."
        return Story(publisher, number, at, f"{subject} {verb} {reason}", summary, code)

    def votes(self, story: Story) -> tuple[int, int]:
        """How many readers found it good, and how many bad."""
        found = list(self._chances(story.publisher, story.number))
        return found[4] % 9, found[5] % 9

    def _chances(self, publisher: Publisher, number: int) -> Iterator[int]:
        for turn in range(6):
            yield crc32(f"{self.seed}/{publisher.name}/{number}/{turn}".encode())
