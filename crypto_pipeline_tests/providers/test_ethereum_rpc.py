"""Public nodes over HTTP at the sandbox: any chain by one line, and what a day of each costs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.frames.observations import GasPrice, Observation
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.ethereum_rpc import (
    CHAINS,
    DRPC,
    LLAMARPC,
    MERKLE,
    ONERPC,
    PUBLICNODE,
    rpc_provider,
)
from crypto_pipeline.sandbox.chain import CHAINS as SYNTHETIC
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.node import SECOND, Block, fees_of
from crypto_pipeline_tests.providers.telling import at, past

STEP = timedelta(minutes=5)
SEED = 7
DAY_OF_2024 = Window.of_day(datetime(2024, 2, 29, tzinfo=UTC).date())
NODES = (DRPC, LLAMARPC, MERKLE, ONERPC, PUBLICNODE)


def fees(asking: Asking, chain: str, window: Window) -> list[Observation]:
    """The fees of a chain's slots."""
    return [*past(asking, "gas_prices", f"{chain}/fees", window, STEP)]


def expected(name: str, window: Window) -> list[GasPrice]:
    """The same from the sandbox's blocks, one by one."""
    chain = SYNTHETIC[name]
    start, end = ((one - EPOCH) / SECOND for one in (window.start, window.end))
    numbers = range(chain.newest(start, SEED) - 8, chain.newest(end, SEED) + 9)
    blocks = [chain.block(number, SEED) for number in numbers]
    drawn = [
        Block(
            block.seconds,
            block.base_fee,
            (block.reward(10), block.reward(50), block.reward(90)) if block.gas_used else None,
        )
        for block in blocks
    ]
    return fees_of(numbers[0], drawn, window, STEP)


def test_day_of_ethereum_costs_seven_histories_and_a_header_a_slot(
    sandbox: Sandbox, browser: Browser
) -> None:
    """Of 7,200 turns one in a hundred is missed there; ten calls fit a request."""
    rows = fees(Asking(at(sandbox, PUBLICNODE), browser), "ethereum", DAY_OF_2024)
    weights = [one.weight for one in sandbox.requests()]

    assert expected("ethereum", DAY_OF_2024) == rows
    assert 288 == len(rows)
    assert 50 > len(weights)
    assert 310 > sum(weights)


@pytest.mark.parametrize("provider", NODES, ids=lambda one: one.name)
def test_every_public_node_tells_the_same(
    sandbox: Sandbox, browser: Browser, provider: Provider
) -> None:
    """Batches or none, the rows of an hour are the chain's."""
    window = Window(DAY_OF_2024.start, DAY_OF_2024.start + timedelta(hours=1))

    assert expected("ethereum", window) == fees(
        Asking(at(sandbox, provider), browser), "ethereum", window
    )


@pytest.mark.parametrize(
    ("chain", "url"),
    [("base", "https://mainnet.base.org"), ("arbitrum", "https://arb1.arbitrum.io/rpc")],
)
def test_any_chain_is_one_line(sandbox: Sandbox, browser: Browser, chain: str, url: str) -> None:
    """One whose beat is known, and one with several blocks a second of which nothing is known."""
    window = Window(DAY_OF_2024.start, DAY_OF_2024.start + timedelta(minutes=20))
    provider = at(sandbox, rpc_provider(chain, url, batch=20))

    assert expected(chain, window) == fees(Asking(provider, browser), chain, window)


def test_nothing_is_told_of_the_time_before_fees(sandbox: Sandbox, browser: Browser) -> None:
    """Slots before London have none, and the one that holds it has them of a part only."""
    london = datetime(2021, 8, 5, 12, 33, 42, tzinfo=UTC)
    window = Window(london - DAY, london.replace(minute=45, second=0))
    rows = fees(Asking(at(sandbox, PUBLICNODE), browser), "ethereum", window)

    assert [(12, 35), (12, 40)] == [
        (time.hour, time.minute - time.minute % 5) for row in rows if (time := row.observed_at)
    ]


def test_slot_that_no_block_has_closed_is_not_told(sandbox: Sandbox, browser: Browser) -> None:
    """The running slot, and those to come, are asked for in vain and cost one header."""
    now = datetime.now(UTC)
    window = Window(now, now + DAY)

    assert [] == fees(Asking(at(sandbox, PUBLICNODE), browser), "ethereum", window)
    assert 1 == len(sandbox.requests())


def test_batch_that_a_node_does_not_take_is_rejected(sandbox: Sandbox, browser: Browser) -> None:
    """The next provider is asked at once; more tries would meet the same limit."""
    greedy = at(sandbox, rpc_provider("ethereum", "https://eth.drpc.org", "drpc", batch=50))

    with pytest.raises(RequestRejected, match="more than 3"):
        fees(Asking(greedy, browser), "ethereum", DAY_OF_2024)


def test_url_is_taken_apart(sandbox: Sandbox, browser: Browser) -> None:
    """The path is the node's, and a key in the query stays out of host and path, so of every log."""
    provider = rpc_provider("base", "https://lb.example.org/ogrpc?network=base&dkey=secret")
    asking = Asking(at(sandbox, provider), browser)
    fees(asking, "base", Window(DAY_OF_2024.start, DAY_OF_2024.start + STEP))

    assert ("base_rpc", "https://lb.example.org") == (provider.name, provider.base_url)
    assert {"network": "base", "dkey": "secret"} == sandbox.requests()[-1].query
    assert {"/ogrpc"} == {fetch.path for fetch in asking.fetches}
    assert "secret" not in repr(asking.fetches)


def test_only_its_own_chain_is_told() -> None:
    """A node knows one chain, and its fees, not what somebody recommends."""
    name = PUBLICNODE.histories["gas_prices"].name

    assert ["ethereum", None, None] == [
        name(one) for one in ("ethereum/fees", "base/fees", "ethereum/tiers")
    ]


def test_recorded_blocks_keep_what_is_declared_of_their_chain(corpus: Path) -> None:
    """No block since the Merge comes off the beat of twelve seconds, or before its turn."""
    chain, merged = CHAINS["ethereum"], 1_663_224_179
    recorded = [
        json.loads(file.read_bytes())["result"]
        for file in corpus.glob("ethereum_rpc/eth_getBlockByNumber_block_*.json")
    ]
    blocks = [(int(one["number"], 16), int(one["timestamp"], 16)) for one in recorded]
    since = [
        (at - chain.beat_since, time - merged) for at, time in blocks if at >= chain.beat_since
    ]

    assert 2 == len(since)
    assert [0, 0] == [seconds % chain.beat for _, seconds in since]
    assert all(turns <= seconds // chain.beat for turns, seconds in since)
    assert chain.first is not None
    assert all(at > chain.first.number and time > chain.first.seconds for at, time in blocks)
