"""Nodes of the synthetic chains, as their public hosts answer JSON-RPC.

Docs: https://ethereum.github.io/execution-apis/api-documentation/
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request

from crypto_pipeline.sandbox.chain import CHAINS
from crypto_pipeline.sandbox.faults import REFUSALS, Asked, Fault, FaultBook
from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import Reply, body_of

FEE_HISTORY = "eth_feeHistory"
MOST_BLOCKS = 1024
WHOLE_BATCH = 1000


def failure(code: int, message: str, number: object = None) -> dict[str, Any]:
    """``{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"…"}}``."""
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


WORDS = Words(
    unknown_symbol=Refusal(200, failure(-32601, "the method does not exist/is not available")),
    bad_request=Refusal(400, failure(-32700, "parse error")),
    too_many=Refusal(429, failure(-32005, "rate limit exceeded")),
)


class CallError(Exception):
    """A call that cannot be answered."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Rpc:
    """One host with a node of one chain; ``batch`` is the most calls it takes at once."""

    def __init__(
        self,
        settings: SandboxSettings,
        _: FaultBook,
        name: str,
        chain: str = "ethereum",
        batch: int = WHOLE_BATCH,
    ) -> None:
        self.name = name
        self._settings = settings
        self._chain = CHAINS[chain]
        self._batch = batch
        self._methods: Mapping[str, Callable[..., object]] = {
            "eth_blockNumber": lambda: hex(self._head),
            "eth_getBlockByNumber": self._block,
            FEE_HISTORY: self._fee_history,
        }

    def asked(self, path: str, request: Request) -> Asked:
        """By chain; fee histories are the pages."""
        is_page = FEE_HISTORY.encode() in body_of(request)
        return Asked(f"/{self.name}{path}", self._chain.name, is_page)

    def reply(self, _: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Refusal, then answer: in the order a request meets them."""
        refused = next((fault for fault in faults if fault.kind in REFUSALS), None)
        if refused:
            return WORDS.refusal(refused)
        try:
            calls = orjson.loads(body_of(request))
        except orjson.JSONDecodeError:
            return WORDS.bad_request.reply()
        if not isinstance(calls, list):
            return Reply(200, orjson.dumps(self._answer(calls)), weight=1)
        if len(calls) > self._batch:
            told = f"Batch of more than {self._batch} requests are not allowed on free tier"
            return Refusal(500, failure(31, told)).reply()
        return Reply(200, orjson.dumps([*map(self._answer, calls)]), weight=len(calls))

    @property
    def _head(self) -> int:
        return self._chain.newest(self._settings.clock().timestamp(), self._settings.seed)

    def _answer(self, call: Any) -> dict[str, Any]:
        try:
            number, method, params = call["id"], call["method"], call.get("params", [])
            answer = self._methods.get(method)
            if answer is None:
                return failure(
                    -32601, f"the method {method} does not exist/is not available", number
                )
            return {"jsonrpc": "2.0", "id": number, "result": answer(*params)}
        except CallError as error:
            return failure(error.code, error.message, number)
        except (KeyError, TypeError, ValueError, AttributeError):
            return failure(-32602, "invalid argument 0: json: cannot unmarshal")

    def _number(self, tag: str) -> int:
        return self._head if tag in ("latest", "pending") else int(tag, 16)

    def _block(self, tag: str, _: bool) -> dict[str, Any] | None:
        number = self._number(tag)
        if not 0 <= number <= self._head:
            return None
        block = self._chain.block(number, self._settings.seed)
        return {
            "number": hex(number),
            "timestamp": hex(block.seconds),
            "baseFeePerGas": hex(block.base_fee),
            "gasLimit": hex(60_000_000),
            "gasUsed": hex(int(60_000_000 * block.gas_used)),
            "transactions": [],
        }

    def _fee_history(self, count: str, newest: str, percentiles: Sequence[int]) -> dict[str, Any]:
        last, head, seed = self._number(newest), self._head, self._settings.seed
        if last > head:
            msg = f"request beyond head block: requested {last}, head {head}"
            raise CallError(-32000, msg)
        oldest = max(last + 1 - min(int(count, 16), MOST_BLOCKS), 0)
        blocks = [self._chain.block(number, seed) for number in range(oldest, last + 2)]
        told = blocks[:-1]
        return {
            "oldestBlock": hex(oldest),
            "baseFeePerGas": [hex(block.base_fee) for block in blocks],
            "gasUsedRatio": [block.gas_used for block in told],
            "reward": [[hex(block.reward(one)) for one in percentiles] for block in told],
        }


HOSTS: Mapping[str, Mapping[str, Any]] = {
    "publicnode": {},
    "drpc": {"batch": 3},
    "llamarpc": {},
    "merkle": {},
    "onerpc": {"batch": 3},
    "base_rpc": {"chain": "base"},
    "arbitrum_rpc": {"chain": "arbitrum"},
}
"""The nodes of the sandbox, by the name of the provider that asks them."""


def nodes(settings: SandboxSettings, book: FaultBook) -> list[Rpc]:
    """Every node of the sandbox."""
    return [Rpc(settings, book, name, **host) for name, host in HOSTS.items()]
