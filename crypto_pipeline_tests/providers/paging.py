"""A page of candles as long as a provider says that its venue gives."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import Asking, Browser, ask_of


def lost_of_a_full_page(provider: Provider, sandbox: Sandbox, browser: Browser) -> list[datetime]:
    """The minutes of the newest full page of BTC-USDT that one request does not bring."""
    assert provider.candles is not None
    series = series_of("BTC-USDT", venue=provider.name)
    end = series.interval.floor(datetime.now(UTC)) - timedelta(minutes=5)
    window = Window(end - provider.candles.page_limit * series.interval.step, end)
    there = replace(provider, base_url=sandbox.base_url(provider.name), mirrors=())
    (rows,) = Asking(there, browser).ask(ask_of(there, window, series))
    return sorted({*series.interval.opens(window)} - {row.open_time for row in rows})
