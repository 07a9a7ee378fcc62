"""The sandbox as one application: every venue under its name, the control under ``/_sandbox``."""

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from crypto_pipeline.sandbox.archive import ARCHIVES
from crypto_pipeline.sandbox.binance import Binance, BinanceUS
from crypto_pipeline.sandbox.binance_usdm import BinanceUsdm
from crypto_pipeline.sandbox.bitfinex import Bitfinex
from crypto_pipeline.sandbox.bitget import Bitget
from crypto_pipeline.sandbox.bitstamp import Bitstamp
from crypto_pipeline.sandbox.bybit import Bybit
from crypto_pipeline.sandbox.coinbase import Coinbase
from crypto_pipeline.sandbox.control import Control, RequestLog
from crypto_pipeline.sandbox.cryptocom import Cryptocom
from crypto_pipeline.sandbox.exchange import Exchange
from crypto_pipeline.sandbox.faults import FaultBook
from crypto_pipeline.sandbox.front import Front
from crypto_pipeline.sandbox.gas_tiers import TIERS
from crypto_pipeline.sandbox.gate import Gate
from crypto_pipeline.sandbox.gemini import Gemini
from crypto_pipeline.sandbox.htx import Htx
from crypto_pipeline.sandbox.kraken import Kraken
from crypto_pipeline.sandbox.kucoin import Kucoin
from crypto_pipeline.sandbox.mexc import Mexc
from crypto_pipeline.sandbox.news_services import NEWS_SERVICES
from crypto_pipeline.sandbox.okx import Okx
from crypto_pipeline.sandbox.poloniex import Poloniex
from crypto_pipeline.sandbox.price_sources import PRICE_FEEDS
from crypto_pipeline.sandbox.publishers import publisher_feeds
from crypto_pipeline.sandbox.rpc import nodes
from crypto_pipeline.sandbox.sentiment import INDICES
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.upbit import Upbit
from crypto_pipeline.sandbox.venues import Venue

EXCHANGES: tuple[type[Binance | Exchange], ...] = (
    Binance,
    BinanceUS,
    BinanceUsdm,
    Bitfinex,
    Bitget,
    Bitstamp,
    Bybit,
    Coinbase,
    Cryptocom,
    Gate,
    Gemini,
    Htx,
    Kraken,
    Kucoin,
    Mexc,
    Okx,
    Poloniex,
    Upbit,
)


def control(settings: SandboxSettings) -> Control:
    """A control with the faults that the settings order and an empty log."""
    return Control(FaultBook(settings.seed, settings.faults), RequestLog(settings.log_size))


def venues(settings: SandboxSettings, book: FaultBook) -> list[Venue]:
    """Every venue of the sandbox. Raises UsageError when the recordings cannot be read."""
    return [
        *(exchange(settings, book) for exchange in EXCHANGES),
        *(archive(settings, book) for archive in ARCHIVES),
        *(feed(settings, book) for feed in PRICE_FEEDS),
        *(service(settings, book) for service in NEWS_SERVICES),
        *publisher_feeds(settings, book),
        *(service(settings, book) for service in (*INDICES, *TIERS)),
        *nodes(settings, book),
    ]


def app(settings: SandboxSettings, controls: Control | None = None) -> Starlette:
    """The application; whoever passes a control keeps the handle on what it does."""
    controls = controls or control(settings)
    fronts = {
        venue.name: Front(venue, settings, controls) for venue in venues(settings, controls.book)
    }
    mounts = [Mount(f"/{name}", app=front) for name, front in fronts.items()]
    # A mount has no answer for its bare name, where the archives are asked for their listing.
    bare = [Route(f"/{archive.name}", fronts[archive.name]) for archive in ARCHIVES]
    return Starlette(routes=[Mount("/_sandbox", routes=controls.routes()), *bare, *mounts])
