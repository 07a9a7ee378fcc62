"""The client and the breakers: who is passed over, who is tried, and when it gives up at once."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from crypto_pipeline.errors import HostRefused, RequestRejected, TransientError
from crypto_pipeline.market.health import SHORTEST_REST, Health, Standing, Told
from crypto_pipeline.providers.client import LOOK_AGAIN, MAX_ATTEMPTS
from crypto_pipeline.providers.declaration import Key
from crypto_pipeline.providers.hiding import HIDDEN, host_of
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import (
    Asking,
    Browser,
    Pacing,
    ask_of,
    binance_at,
    window_of,
)
from crypto_pipeline_tests.providers.conftest import Answering

TEN = window_of(10)
SECRET = "s3cret/api+key"


@dataclass
class Breaking(Pacing):
    """A pacer that leaves failing hosts alone."""

    healths: dict[str, Health] = field(default_factory=lambda: defaultdict(Health))

    async def standing(self, provider: str, host: str) -> Standing:
        """The host's pause and the state of its breaker."""
        health, now = self.healths[host], self.clock
        until = max(health.open_until or now, health.trial_until or now)
        rest = (until - now).total_seconds()
        blocked = (await super().standing(provider, host)).blocked
        return Standing(blocked, health.state(now), max(rest, 0.0), health.is_tried(now))

    async def may_try(self, provider: str, host: str) -> bool:  # noqa: ARG002
        """One at a time."""
        may = self.healths[host].may_try(self.clock)
        if may:
            self.healths[host] = self.healths[host].trying(self.clock)
        return may

    async def note(self, provider: str, host: str, told: Told) -> None:
        """Let it count."""
        await super().note(provider, host, told)
        self.healths[host] = self.healths[host].after(told.outcome, self.clock, told.rest)


@pytest.fixture
def alone(sandbox: Sandbox, browser: Browser) -> Asking:
    """Binance at one host."""
    return Asking(binance_at(sandbox.base_url()), browser, Breaking())


@pytest.fixture
def mirrored(sandbox: Sandbox, mirror: Sandbox, browser: Browser) -> Asking:
    """Binance at two."""
    return Asking(binance_at(sandbox.base_url(), mirror.base_url()), browser, Breaking())


def ask(asking: Asking, times: int = 1) -> None:
    """Ask, one after the other."""
    for _ in range(times):
        asking.ask(ask_of(asking.provider, TEN))


def open_it(asking: Asking, openings: int = 1) -> Breaking:
    """Have the first host be open, so often in a row."""
    pacing = asking.pacing
    assert isinstance(pacing, Breaking)
    health = Health()
    for _ in range(openings + 2):
        if health.open_until:
            pacing.clock = health.open_until
        health = health.after("failed", pacing.clock)
    pacing.healths[host_of(asking.provider.base_url)] = health
    return pacing


def test_open_host_is_passed_over(mirrored: Asking, sandbox: Sandbox) -> None:
    """Once the first host has failed three times, nobody tries it for half a minute."""
    sandbox.order("500:times=3")
    ask(mirrored, 2)
    assert [0, 0, 1, 0, 1] == mirrored.hosts()

    ask(mirrored, 2)
    assert [1, 1] == mirrored.hosts()[5:]


def test_rested_host_is_tried_by_one(mirrored: Asking) -> None:
    """While one request finds out how it does, the others go to the mirror; then all are back."""
    pacing = open_it(mirrored)
    pacing.clock += SHORTEST_REST
    mirrored.ask(*[ask_of(mirrored.provider, TEN)] * 4)
    assert [0, 1, 1, 1] == sorted(mirrored.hosts())

    ask(mirrored)
    assert 0 == mirrored.hosts()[-1]


def test_only_host_is_tried_by_one_while_the_others_wait(
    answering: Callable[..., Answering], browser: Browser
) -> None:
    """Those who have nowhere else to go look again every second."""
    server = answering(200, b"[]", seconds=0.05, content_type="application/json")
    alone = Asking(binance_at(server.url), browser, Breaking())
    pacing = open_it(alone)
    pacing.clock += SHORTEST_REST
    alone.ask(*[ask_of(alone.provider, TEN)] * 4)

    assert 4 == len(server.asked)
    assert {LOOK_AGAIN} == set(pacing.slept)


def test_only_host_is_asked_all_the_same_while_its_rest_is_short(
    alone: Asking, sandbox: Sandbox
) -> None:
    """A blip of four failures costs the pauses between tries and no rest."""
    sandbox.order("500:times=4")
    ask(alone)

    assert 5 == len(alone.fetches)
    assert sum(alone.pacing.slept) < 15


def test_open_for_long_everywhere_gives_up_at_once(alone: Asking, sandbox: Sandbox) -> None:
    """The next provider is asked without a request and without a wait."""
    pacing = open_it(alone, openings=3)
    with pytest.raises(HostRefused, match="binance keeps failing; it is asked again in 120 s"):
        ask(alone)

    assert ([], []) == (sandbox.requests(), pacing.slept)


def test_impatient_client_gives_up_sooner(alone: Asking) -> None:
    """Whoever has another provider to ask does not wait for the shortest rest."""
    open_it(alone)
    with pytest.raises(HostRefused, match="asked again in 30 s"):
        alone.run(_impatient)


def test_impatient_client_does_not_wait_for_a_trial(alone: Asking) -> None:
    """What one request will find out, the next provider may know already."""
    pacing, host = open_it(alone), host_of(alone.provider.base_url)
    pacing.clock += SHORTEST_REST
    pacing.healths[host] = pacing.healths[host].trying(pacing.clock)
    with pytest.raises(HostRefused, match="asked again in 40 s"):
        alone.run(_impatient)


async def _impatient(client: object) -> None:
    client.patience = 2.0  # type: ignore[attr-defined]
    await client.ask(ask_of(client.provider, TEN))  # type: ignore[attr-defined]


def test_rejections_leave_it_closed(alone: Asking) -> None:
    """However often an unknown symbol is asked for, the host is well."""
    for _ in range(5):
        with pytest.raises(RequestRejected):
            alone.ask(ask_of(alone.provider, TEN, series_of(instrument="NO-SUCH")))

    assert "answered" == alone.pacing.noted[-1][1].outcome
    ask(alone)


def test_every_try_is_noted(alone: Asking, sandbox: Sandbox) -> None:
    """How it went, how long it took and how much came."""
    sandbox.order("500:times=1")
    ask(alone)
    host = host_of(alone.provider.base_url)
    told = [told for _, told in alone.pacing.noted]

    assert [host, host] == [name for name, _ in alone.pacing.noted]
    assert ["failed", "answered"] == [one.outcome for one in told]
    assert all(one.seconds > 0 and one.size > 0 for one in told)
    assert alone.pacing.clock - timedelta(minutes=1) < alone.fetches[0].requested_at


@pytest.mark.parametrize("echoed", [SECRET, "s3cret%2Fapi%2Bkey"])
@pytest.mark.parametrize(("status", "kind"), [(400, RequestRejected), (500, TransientError)])
def test_key_that_a_provider_echoes_is_hidden(
    answering: Callable[..., Answering],
    browser: Browser,
    echoed: str,
    status: int,
    kind: type[Exception],
) -> None:
    """Neither the error, the log nor the health holds the key, however the provider spells it."""
    body = f'{{"code": -2014, "msg": "API-key {echoed} is invalid"}}'.encode()
    server = answering(status, body, content_type="application/json")
    provider = replace(binance_at(server.url), key=Key("SOME_KEY", header="x-key"), secret=SECRET)
    asking = Asking(provider, browser, Breaking())
    with pytest.raises(kind) as failure:
        ask(asking)

    told = [str(failure.value), repr(asking.fetches), repr(asking.pacing.noted)]
    assert HIDDEN in told[0]
    assert [] == [one for one in told if echoed in one]
    assert len(asking.fetches) == (1 if status == 400 else MAX_ATTEMPTS)
