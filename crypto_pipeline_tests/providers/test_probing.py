"""Probing every provider over real HTTP: what works, and what is said of what does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.catalogue import offers
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.probing import Probe, probed
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.settings_sections import ProviderSettings
from crypto_pipeline_tests.providers.asking import Browser


def probe(provider: Provider, browser: Browser) -> list[Probe]:
    """How its offers do."""
    return browser.run(lambda http: probed(provider, http, datetime.now(UTC)))


def at(sandbox: Sandbox, name: str) -> Provider:
    """A provider at the sandbox, with a key where it wants one."""
    moved = ProviderSettings(base_url=sandbox.base_url(name)).applied(PROVIDERS[name], {})
    return replace(moved, secret="key" if moved.key else None)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_offer_of_every_provider_works(sandbox: Sandbox, browser: Browser, name: str) -> None:
    """One small question each, answered with rows that say how new they are."""
    found = probe(at(sandbox, name), browser)

    assert [one.dataset for one in offers(PROVIDERS[name])] == [one.dataset for one in found]
    assert ["ok"] * len(found) == [one.result for one in found]
    assert all(one.rows and one.ms is not None for one in found)


def test_newest_row_is_told(sandbox: Sandbox, browser: Browser) -> None:
    """How far behind a venue is can be seen at once; a list of instruments has no time."""
    candles, instruments = probe(at(sandbox, "binance"), browser)

    assert candles.newest is not None
    assert timedelta() <= datetime.now(UTC) - candles.newest < timedelta(minutes=2)
    assert (None, 5) == (instruments.newest, candles.rows)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("451", "geo-block or ban: HTTP 451"),
        ("403_html", "geo-block or ban: HTTP 403"),
        ("429", "limit: HTTP 429"),
        ("500", "broken answer: HTTP 500"),
        ("garbage", "broken answer: HTTP 200"),
        ("reset", "unreachable: "),
    ],
)
def test_what_does_not_work_is_named(
    sandbox: Sandbox, browser: Browser, fault: str, said: str
) -> None:
    """A block, a limit and a silent host need different remedies; nothing is asked twice."""
    sandbox.order(fault)
    found = probe(at(sandbox, "binance"), browser)

    assert [True, True] == [one.result.startswith(said) for one in found]
    assert [False, False] == [one.works for one in found]
    assert 2 == len(sandbox.requests())


def test_provider_without_its_key_is_not_asked(sandbox: Sandbox, browser: Browser) -> None:
    """The variable that is to hold it is named."""
    provider = replace(at(sandbox, "etherscan"), secret=None)

    assert ["needs key ETHERSCAN_API_KEY"] == [one.result for one in probe(provider, browser)]
    assert [] == sandbox.requests()
