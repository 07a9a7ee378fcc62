"""Who recommends fees in the sandbox: Etherscan and Blockscout for Ethereum, mempool.space for Bitcoin.

Docs: https://docs.etherscan.io/etherscan-v2 https://docs.blockscout.com/devs/apis/rest
https://mempool.space/docs/api/rest
"""

from collections.abc import Callable, Mapping

from crypto_pipeline.sandbox.chain import CHAINS, GWEI, Block
from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.sentiment import drawn
from crypto_pipeline.sandbox.service import Given, Service

FREE_CHAINS = ("1", "137", "42161")
NOT_FREE = (
    "Free API access is not supported for this chain. Please upgrade your api plan for full chain "
    "coverage. https://etherscan.io/apis"
)
MOST_FEE = 80
SLOT = 300


def _not_ok(why: str, status: int = 200) -> Refusal:
    return Refusal(status, {"status": "0", "message": "NOTOK", "result": why})


class _Ethereum(Service):
    def newest(self) -> Block:
        """The newest block of the sandbox's Ethereum."""
        chain, seed = CHAINS["ethereum"], self.settings.seed
        return chain.block(chain.newest(self.settings.clock().timestamp(), seed), seed)


class Etherscan(_Ethereum):
    """Errors come with 200 and status "0"."""

    name = "etherscan"
    words = Words(
        unknown_symbol=_not_ok("Error! Missing Or invalid Module name"),
        bad_request=_not_ok("Error! Missing Or invalid Action name"),
        too_many=_not_ok("Max calls per sec rate limit reached (3/sec)", 429),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Everything is told by parameters."""
        return {"/v2/api": self._oracle}

    def _oracle(self, given: Given) -> object:
        if not given.get("apikey"):
            raise _not_ok("Missing/Invalid API Key")
        if given["chainid"] not in FREE_CHAINS:
            raise _not_ok(NOT_FREE)
        if (given["module"], given["action"]) != ("gastracker", "gasoracle"):
            raise self.words.unknown_symbol
        block = self.newest()
        base = block.base_fee / GWEI
        slow, standard, fast = (f"{base + block.tip / GWEI * part:.9f}" for part in (0, 1, 2))
        return {
            "status": "1",
            "message": "OK",
            "result": {
                "LastBlock": str(block.number),
                "SafeGasPrice": slow,
                "ProposeGasPrice": standard,
                "FastGasPrice": fast,
                "suggestBaseFee": f"{base:.9f}",
                "gasUsedRatio": str(block.gas_used),
            },
        }


class Blockscout(_Ethereum):
    """Prices in gwei with two decimals, and when they were made."""

    name = "blockscout"
    words = Words(
        unknown_symbol=Refusal(404, {"message": "Not found"}),
        bad_request=Refusal(422, {"message": "Unprocessable entity"}),
        too_many=Refusal(429, {"message": "Too many requests"}),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """The numbers of the front page."""
        return {"/api/v2/stats": self._stats}

    def _stats(self, _: Given) -> object:
        block, now = self.newest(), self.settings.clock()
        base = block.base_fee / GWEI
        return {
            "total_blocks": str(block.number),
            "gas_price_updated_at": f"{now:%Y-%m-%dT%H:%M:%S.%f}Z",
            "gas_prices": {
                "slow": round(base, 2),
                "average": round(base + 0.5, 2),
                "fast": round(base + 1.5, 2),
            },
            "static_gas_price": None,
        }


class MempoolSpace(Service):
    """Whole satoshi per virtual byte."""

    name = "mempool_space"
    words = Words(
        unknown_symbol=Refusal(404, {"error": "not found"}),
        bad_request=Refusal(400, {"error": "bad request"}),
        too_many=Refusal(429, {"error": "Too Many Requests"}),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """The recommendations of now."""
        return {"/api/v1/fees/recommended": self._recommended}

    def _recommended(self, _: Given) -> object:
        slot = int(self.settings.clock().timestamp()) // SLOT
        hour = 1 + drawn(self.settings.seed, "btc fees", slot) % MOST_FEE
        return {
            "fastestFee": hour + 4,
            "halfHourFee": hour + 2,
            "hourFee": hour,
            "economyFee": 1,
            "minimumFee": 1,
        }


TIERS: tuple[type[Service], ...] = (Blockscout, Etherscan, MempoolSpace)
