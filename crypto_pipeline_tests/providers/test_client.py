"""The client: what it does about each failure, over real HTTP, and what it tells of it."""

import asyncio
import logging
import math
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.providers.client import MAX_ATTEMPTS
from crypto_pipeline.providers.connecting import USER_AGENT
from crypto_pipeline.providers.declaration import Key
from crypto_pipeline.providers.hiding import host_of
from crypto_pipeline.providers.pacing import FIRST_PAUSE
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import (
    LONG_AFTER,
    Asking,
    Browser,
    Pacing,
    ask_of,
    binance_at,
    window_of,
)
from crypto_pipeline_tests.providers.conftest import Answering

TEN = window_of(10)
SECRET = "s3cret-api-key"
Asked = tuple[Answering, Asking]


@pytest.fixture
def asking(sandbox: Sandbox, browser: Browser) -> Asking:
    """Binance at a sandbox, without a mirror."""
    return Asking(binance_at(sandbox.base_url()), browser)


@pytest.fixture
def mirrored(sandbox: Sandbox, mirror: Sandbox, browser: Browser) -> Asking:
    """Binance at a sandbox, with another sandbox as its mirror."""
    return Asking(binance_at(sandbox.base_url(), mirror.base_url()), browser)


@pytest.fixture
def answered_by(answering: Callable[..., Answering], browser: Browser) -> Callable[..., Asked]:
    """Binance at a server that always answers the same."""

    def start(status: int, body: bytes = b"", **options: object) -> Asked:
        server = answering(status, body, **options)
        return server, Asking(binance_at(server.url), browser)

    return start


def ten_rows(asking: Asking) -> int:
    """Ask for ten candles; how many came."""
    (rows,) = asking.ask(ask_of(asking.provider, TEN))
    return len(rows)


def failed(asking: Asking, kind: type[ProviderError] = ProviderError) -> ProviderError:
    """Ask for ten candles in vain; why."""
    with pytest.raises(kind) as failure:
        ten_rows(asking)
    return failure.value


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def statuses(asking: Asking) -> list[int | None]:
    """What each try was answered with."""
    return [fetch.status for fetch in asking.fetches]


def test_answer_comes_at_the_first_try(asking: Asking) -> None:
    """Where nothing is wrong, there is one request and no wait."""
    assert ten_rows(asking) == 10
    assert [200] == statuses(asking)
    assert [] == asking.pacing.slept


def test_rate_limit_is_waited_out_as_told(asking: Asking, sandbox: Sandbox) -> None:
    """A 429 is no failure: after the seconds the host names, the answer comes."""
    sandbox.order("429:times=3,retry_after=2")

    assert ten_rows(asking) == 10
    assert [429, 429, 429, 200] == statuses(asking)
    assert [2.0, 2.0, 2.0] == asking.pacing.slept


def test_long_rate_limit_is_spent_on_the_mirror(mirrored: Asking, sandbox: Sandbox) -> None:
    """Nobody waits for minutes while another host would answer."""
    sandbox.order("429:times=1,retry_after=600")

    assert ten_rows(mirrored) == 10
    assert [0, 1] == mirrored.hosts()
    assert [] == mirrored.pacing.slept


def test_rate_limit_without_end_is_given_up(asking: Asking, sandbox: Sandbox) -> None:
    """A host that keeps saying 429 costs a bounded number of tries and is then told as it is."""
    sandbox.order("429:retry_after=1")
    error = failed(asking, RateLimited)

    assert [429] * MAX_ATTEMPTS == statuses(asking)
    assert "HTTP 429: -1003 Too much request weight used" in str(error)


@pytest.mark.parametrize(
    ("fault", "seconds"), [("418:retry_after=300", 300), ("451", 3600), ("403_html", 3600)]
)
def test_refusing_host_is_left_alone_and_the_mirror_asked(
    mirrored: Asking, sandbox: Sandbox, fault: str, seconds: int
) -> None:
    """After one refusal the host is blocked, and every later question goes to the mirror."""
    sandbox.order(fault)

    assert ten_rows(mirrored) == 10
    assert ten_rows(mirrored) == 10
    assert [0, 1, 1] == mirrored.hosts()
    assert {host_of(sandbox.base_url()): LONG_AFTER + timedelta(seconds=seconds)} == (
        mirrored.pacing.blocked
    )


def test_refused_host_is_asked_again_when_its_time_is_up(
    mirrored: Asking, sandbox: Sandbox
) -> None:
    """A ban ends; the main host is then preferred again."""
    sandbox.order("418:retry_after=300,times=1")
    ten_rows(mirrored)
    mirrored.pacing.clock += timedelta(seconds=300)
    ten_rows(mirrored)

    assert [0, 1, 0] == mirrored.hosts()


def test_refusal_of_all_hosts_says_when_to_ask_again(
    mirrored: Asking, sandbox: Sandbox, mirror: Sandbox
) -> None:
    """When every host refuses, the error has the shortest of their pauses, and no host is hammered."""
    sandbox.order("451")
    mirror.order("418:retry_after=900")
    error = failed(mirrored, HostRefused)
    again = failed(mirrored, HostRefused)

    assert "binance refuses this address; it is asked again in 900 s" == str(error) == str(again)
    assert [0, 1] == mirrored.hosts()


class Slow(Pacing):
    """A pacer that lets one request go at once and the others later, while real time passes."""

    async def reserve(
        self, host: str, weight: int, per_minute: int, longest: float = math.inf
    ) -> float | None:
        """Nothing for the first, then seconds."""
        await super().reserve(host, weight, per_minute, longest)
        return 5.0 if len(self.reserved) in (2, 3) else 0.0

    async def sleep(self, seconds: float) -> None:
        """Let the others work meanwhile."""
        await super().sleep(0)
        await asyncio.sleep(seconds / 50)


def test_host_that_refuses_one_is_not_asked_by_those_who_wait(
    sandbox: Sandbox, mirror: Sandbox, browser: Browser
) -> None:
    """Requests whose turn comes after the refusal go to the mirror, wherever they were waiting."""
    asking = Asking(binance_at(sandbox.base_url(), mirror.base_url()), browser, Slow())
    limits = replace(asking.provider.limits, concurrency=3)
    asking.provider = replace(asking.provider, limits=limits)
    sandbox.order("418:retry_after=300")
    asking.ask(*[ask_of(asking.provider, TEN)] * 6)

    assert len(sandbox.requests()) == 1
    assert len(mirror.requests()) == 6


@pytest.mark.parametrize(
    "fault",
    [
        "500:times=1",
        "503:times=1",
        "cut_body:times=1",
        "reset:times=1",
        "html:times=1",
        "garbage:times=1",
    ],
)
def test_passing_failure_is_tried_again_after_a_pause(
    asking: Asking, sandbox: Sandbox, fault: str
) -> None:
    """Broken servers, connections and bodies get one short pause and another try."""
    sandbox.order(fault)

    assert ten_rows(asking) == 10
    assert len(asking.fetches) == 2
    assert [True] == [FIRST_PAUSE / 2 <= pause <= FIRST_PAUSE for pause in asking.pacing.slept]


def _wait_for_requests(sandbox: Sandbox, count: int) -> None:
    """An answer that nobody waited for is logged late; it must not fall into the next test."""
    deadline = time.monotonic() + 5
    while len(sandbox.requests()) < count and time.monotonic() < deadline:
        time.sleep(0.01)


def test_answer_that_takes_too_long_is_tried_again(asking: Asking, sandbox: Sandbox) -> None:
    """A silent host is a passing failure."""
    sandbox.order("slow:ms=500,times=1")
    asking.browser = Browser(timeout=0.2)
    came = ten_rows(asking)
    asking.browser.close()
    _wait_for_requests(sandbox, 2)

    assert came == 10
    assert [None, 200] == statuses(asking)
    assert "ReadTimeout: no whole answer came" == str(asking.fetches[0].error)


def test_failing_host_is_switched_after_two_tries(mirrored: Asking, sandbox: Sandbox) -> None:
    """The mirror is asked once the main host has failed twice in a row."""
    sandbox.order("500")

    assert ten_rows(mirrored) == 10
    assert [0, 0, 1] == mirrored.hosts()


def test_hosts_take_turns_until_the_tries_are_used_up(
    mirrored: Asking, sandbox: Sandbox, mirror: Sandbox
) -> None:
    """When all fail, each gets two tries in turn, the pauses grow, and the last error is told."""
    sandbox.order("500")
    mirror.order("503")
    error = failed(mirrored, TransientError)

    assert [0, 0, 1, 1, 0, 0] == mirrored.hosts()
    assert "HTTP 500: -1001 Internal error; unable to process your request. Please try again." == (
        str(error)
    )
    assert len(mirrored.pacing.slept) == MAX_ATTEMPTS - 1
    assert sorted(mirrored.pacing.slept) == mirrored.pacing.slept


def test_unreachable_host_is_switched_too(sandbox: Sandbox, browser: Browser) -> None:
    """A host where nobody listens is like one that fails."""
    asking = Asking(binance_at(closed_port(), sandbox.base_url()), browser)

    assert ten_rows(asking) == 10
    assert [0, 0, 1] == asking.hosts()
    assert "ConnectError: no whole answer came" == str(asking.fetches[0].error)


def test_rejected_request_is_not_repeated(mirrored: Asking) -> None:
    """An unknown symbol is as unknown on the mirror and a minute later."""
    ask = ask_of(mirrored.provider, TEN, series_of(instrument="NO-SUCH"))

    with pytest.raises(RequestRejected, match=r"HTTP 400: -1121 Invalid symbol\."):
        mirrored.ask(ask)
    assert [400] == statuses(mirrored)


def test_redirect_is_not_followed(answered_by: Callable[..., Asked], sandbox: Sandbox) -> None:
    """An address that has moved is an error of its own; a key never travels where nobody meant it to."""
    there = sandbox.base_url() + "/api/v3/klines"
    moved, asking = answered_by(301, b"<html>moved</html>", location=there)
    error = failed(asking, TransientError)

    assert [] == sandbox.requests()
    assert len(moved.asked) == MAX_ATTEMPTS
    assert "HTTP 301" in str(error)


def test_redirect_with_a_proper_body_is_no_answer_either(
    answered_by: Callable[..., Asked],
) -> None:
    """Only a status below 300 is an answer, whatever the body looks like."""
    _, asking = answered_by(302, b"[]", content_type="application/json", location="http://[::]/")
    error = failed(asking, TransientError)

    assert "HTTP 302: the address has moved or is not a Binance spot API" == str(error)


def test_page_of_another_site_is_malformed(answered_by: Callable[..., Asked]) -> None:
    """A captive portal's page with status 200 is not taken for an empty answer."""
    _, asking = answered_by(200, b"<html>please log in</html>", content_type="text/html")
    error = failed(asking, MalformedReply)

    assert "HTTP 200 with text/html where JSON is due" == str(error)


def test_every_try_is_logged(asking: Asking, sandbox: Sandbox) -> None:
    """Each request is in the log with its number, outcome, size and rows, successful or not."""
    sandbox.order("500:times=1", "cut_body:times=1")
    ten_rows(asking)
    told = [
        (fetch.attempt, fetch.status, type(fetch.error).__name__, fetch.rows, fetch.size > 0)
        for fetch in asking.fetches
    ]

    assert [
        (1, 500, "TransientError", 0, True),
        (2, None, "TransientError", 0, False),
        (3, 200, "NoneType", 10, True),
    ] == told
    assert {("binance", "/api/v3/klines", TEN)} == {
        (fetch.provider, fetch.path, fetch.window) for fetch in asking.fetches
    }
    assert all(fetch.requested_at >= LONG_AFTER and fetch.seconds > 0 for fetch in asking.fetches)


@pytest.mark.parametrize(
    "fault", ["429:retry_after=1", "451", "403_html", "500", "garbage", "html", "reset", "cut_body"]
)
def test_no_query_string_is_in_any_message(
    asking: Asking, sandbox: Sandbox, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A key in the query reaches neither the error, its causes, the fetch log nor any logger."""
    caplog.set_level(logging.DEBUG)
    sandbox.order(fault)
    ask = ask_of(asking.provider, TEN)
    params = {**ask.question.params, "apiKey": SECRET}
    ask = replace(ask, question=replace(ask.question, params=params))
    with pytest.raises(ProviderError) as failure:
        asking.ask(ask)

    told = "".join(traceback.format_exception(failure.value)) + repr(asking.fetches) + caplog.text
    assert sandbox.requests()[0].query["apiKey"] == SECRET
    assert SECRET not in told
    assert "startTime" not in told


def test_who_can_ask_elsewhere_does_not_queue(asking: Asking, sandbox: Sandbox) -> None:
    """Where an allowance is spent for longer than is waited, nothing is sent and the reason is told."""
    asking.pacing.turn_after = 30.0

    with pytest.raises(RateLimited, match="allowance of 6000 a minute is spent"):
        asking.ask(replace(ask_of(asking.provider, TEN), elsewhere=True))
    assert [] == sandbox.requests()


def test_key_that_no_header_can_hold_is_told_by_its_variable(asking: Asking) -> None:
    """The HTTP library would quote the header, and so the key."""
    key = Key("MY_KEY", header="x-key")
    asking.provider = replace(asking.provider, key=key, secret="one\ntwo")
    with pytest.raises(RequestRejected, match="look at MY_KEY") as failure:
        asking.ask(ask_of(asking.provider, TEN))

    assert "two" not in "".join(traceback.format_exception(failure.value))


def test_no_query_string_is_logged_when_all_is_well(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    """The HTTP library's own log line would hold the whole address, so it stays silent."""
    caplog.set_level(logging.DEBUG)
    ten_rows(asking)

    assert "startTime" not in caplog.text


def used(weight: str) -> dict[str, str]:
    """The headers of a Binance that says how much weight was used this minute."""
    return {"content_type": "application/json", "x_mbx_used_weight_1m": weight}


def test_weight_is_reserved_before_and_noted_after(answered_by: Callable[..., Asked]) -> None:
    """Each try takes its weight from the allowance; what the host says was used is passed on."""
    _, asking = answered_by(200, b"[]", **used("4321"))
    asking.pacing.clock += timedelta(seconds=30)
    asking.ask(ask_of(asking.provider, TEN))
    host = host_of(asking.provider.base_url)

    assert [(host, 2, 6000)] == asking.pacing.reserved
    assert [(host, 4321, 6000)] == asking.pacing.observed


@pytest.mark.parametrize("said", ["", "many", "-1", "\xb2"])
def test_weight_that_is_no_number_is_not_noted(
    answered_by: Callable[..., Asked], said: str
) -> None:
    """A header that cannot be read costs nothing but the knowledge."""
    _, asking = answered_by(200, b"[]", **used(said))
    asking.pacing.clock += timedelta(seconds=30)

    assert [[]] == asking.ask(ask_of(asking.provider, TEN))
    assert [] == asking.pacing.observed


@pytest.mark.parametrize("second", [0, 1, 59.5])
def test_weight_of_another_minute_is_not_noted(
    answered_by: Callable[..., Asked], second: float
) -> None:
    """A reply from the edge of a minute may tell of the minute before, which is over."""
    _, asking = answered_by(200, b"[]", **used("5900"))
    pacing = asking.pacing
    pacing.clock += timedelta(seconds=second)
    ticks = count()
    pacing.now = lambda: pacing.clock + timedelta(seconds=next(ticks))  # type: ignore[method-assign]
    asking.ask(ask_of(asking.provider, TEN))

    assert [] == pacing.observed


def test_requests_side_by_side_are_bounded(answered_by: Callable[..., Asked]) -> None:
    """However many ask, a host sees no more at once than its provider allows."""
    server, asking = answered_by(200, b"[]", seconds=0.05, content_type="application/json")
    limits = replace(asking.provider.limits, concurrency=3)
    asking.provider = replace(asking.provider, limits=limits)
    asking.ask(*[ask_of(asking.provider, TEN)] * 12)

    assert len(server.asked) == 12
    assert server.most_at_once == 3


def test_client_says_who_it_is(answered_by: Callable[..., Asked]) -> None:
    """A venue that looks into its logs finds the project's name."""
    server, asking = answered_by(200, b"[]", content_type="application/json")
    asking.ask(ask_of(asking.provider, TEN))

    assert [USER_AGENT] == server.agents
