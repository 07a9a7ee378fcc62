"""The connection pool of a run."""

import asyncio
import logging

from crypto_pipeline.providers.connecting import USER_AGENT, http_client


def test_pool_is_bounded_and_honest() -> None:
    """It says who asks, follows nobody elsewhere, and waits for nobody for ever."""
    pool = http_client()

    assert USER_AGENT == pool.headers["user-agent"]
    assert not pool.follow_redirects
    assert None not in pool.timeout.as_dict().values()
    asyncio.run(pool.aclose())


def test_addresses_stay_out_of_the_log() -> None:
    """A query can hold a key, and the library's own line for a request would show it."""
    asyncio.run(http_client().aclose())

    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
