"""Keys stay out of all that is written: errors that echo them, and addresses that hold them."""

import re
from urllib.parse import quote, quote_plus

from crypto_pipeline.errors import ProviderError

HIDDEN = "(hidden)"
_KEY = re.compile(r"(?<=/)[\w-]{20,}")
"""A part of a path as long as a key: nodes are rented by addresses of one's own."""


def without_secret(error: ProviderError, secret: str | None) -> ProviderError:
    """The error, and what led to it, without a key that the provider may have echoed."""
    link: BaseException | None = error
    while secret and link is not None:
        for spelling in {secret, quote(secret, safe=""), quote_plus(secret)}:
            link.args = tuple(
                one.replace(spelling, HIDDEN) if isinstance(one, str) else one for one in link.args
            )
        link = link.__cause__ or link.__context__
    return error


def host_of(base_url: str) -> str:
    """What a pause and an allowance belong to: the address without its scheme, and without a key."""
    return _KEY.sub(HIDDEN, base_url.partition("://")[2].rpartition("@")[2].rstrip("/"))
