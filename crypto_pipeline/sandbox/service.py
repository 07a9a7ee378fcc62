"""What the plain services of the sandbox share: GETs by path, JSON, and a refusal in the service's words."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request

from crypto_pipeline.sandbox.faults import REFUSALS, Asked, Fault, FaultBook
from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import Reply

Given = Mapping[str, str]
"""The named parts of a path and the parameters of the query."""


class Service:
    """One service; a subclass names its ``answers`` by path, as regular expressions."""

    name: str
    words: Words

    def __init__(self, settings: SandboxSettings, _: FaultBook) -> None:
        self.settings = settings

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """What answers which path."""
        raise NotImplementedError

    def asked(self, path: str, _: Request) -> Asked:
        """Nothing but the path tells one request from another."""
        return Asked(f"/{self.name}{path}")

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Refusal, then answer: in the order a request meets them."""
        refused = next((fault for fault in faults if fault.kind in REFUSALS), None)
        if refused:
            return self.words.refusal(refused)
        try:
            return Reply(200, orjson.dumps(self._answer(path, request)), weight=1)
        except Refusal as refusal:
            return refusal.reply()
        except (KeyError, ValueError):
            return self.words.bad_request.reply()

    def _answer(self, path: str, request: Request) -> Any:
        for pattern, answer in self.answers().items():
            if match := re.fullmatch(pattern, path):
                return answer({**match.groupdict(), **request.query_params})
        raise Refusal(404, {"error": "no such path in the sandbox"})
