"""The one way to make a connection pool: bounded times, no redirects, an honest name."""

import logging
import ssl
from functools import cache

import httpx

USER_AGENT = "crypto-pipeline (+open-source market data warehouse)"


def http_client() -> httpx.AsyncClient:
    """A pool for one run; to be closed."""
    # Its line for each request holds the query string, and so perhaps a key.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        verify=_certificates(),
        timeout=httpx.Timeout(20.0, connect=10.0),
        headers={"user-agent": USER_AGENT},
        follow_redirects=False,
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust; reading that takes a while, so it is read once."""
    return httpx.create_ssl_context()
