"""The replies of venues that are not answers: in their own words, or in those of what stands before them."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from crypto_pipeline.sandbox.binance_replies import CLOUDFRONT, GARBAGE
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.venues import HTML, JSON, Reply

AWAY = b"<html><head><title>Maintenance</title></head><body><h1>Be right back</h1></body></html>"
BUSY = b"<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>"


class Refusal(Exception):
    """A venue says no with this status and JSON body."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(body)
        self.status = status
        self.body = body

    def reply(self, retry_after: int | None = None) -> Reply:
        """It as a reply, with the seconds to wait where there are any."""
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        return Reply(self.status, orjson.dumps(self.body), headers=headers)


@dataclass(frozen=True, slots=True)
class Words:
    """How a venue words what all venues say."""

    unknown_symbol: Refusal
    bad_request: Refusal
    too_many: Refusal
    blocked: Refusal | None = None
    """How it refuses a country; None is a page of what stands before it."""

    def refusal(self, fault: Fault) -> Reply:
        """The reply that one of ``faults.REFUSALS`` orders."""
        blocked = Reply(403, CLOUDFRONT, HTML)
        replies: Mapping[str, Reply] = {
            "429": self.too_many.reply(fault.retry_after),
            "418": Refusal(418, self.too_many.body).reply(fault.retry_after),
            "451": self.blocked.reply() if self.blocked else blocked,
            "403_html": blocked,
            "garbage": Reply(200, GARBAGE, JSON),
            "html": Reply(200, AWAY, HTML),
        }
        return replies.get(fault.kind) or Reply(int(fault.kind), BUSY, HTML)
