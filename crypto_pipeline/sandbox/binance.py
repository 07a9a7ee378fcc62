"""Binance spot: which path answers what, at which weight; its siblings say what they do otherwise.

How queries are read, bodies are worded and weight is counted lives in the modules beside.
Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import numpy as np
import orjson
from starlette.requests import Request

from crypto_pipeline.sandbox import binance_parameters as parameters
from crypto_pipeline.sandbox import binance_replies as replies
from crypto_pipeline.sandbox.binance_info import exchange_info, symbol_info
from crypto_pipeline.sandbox.binance_parameters import QueryError
from crypto_pipeline.sandbox.faults import (
    REFUSALS,
    ROWLESS,
    Asked,
    Fault,
    FaultBook,
    disarranged,
)
from crypto_pipeline.sandbox.listings import LISTINGS, Listing
from crypto_pipeline.sandbox.market import Weather, page
from crypto_pipeline.sandbox.recorded import Recordings, assets
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.tape import Tape
from crypto_pipeline.sandbox.venues import Reply
from crypto_pipeline.sandbox.weights import Verdict, WeightMeter

INVALID_SYMBOL = (-1121, "Invalid symbol.")
BEFORE_THE_VENUE = ("451", "403_html")  # refused at the edge: no weight, no X-MBX headers

Answer = Callable[[Sequence[tuple[str, str]], Sequence[Fault]], bytes]


class Binance:
    """One Binance spot host over the synthetic market and the recordings."""

    name = "binance"
    listings: Sequence[Listing] = LISTINGS
    klines_at = "/api/v3/klines"
    info_at = "/api/v3/exchangeInfo"
    default_weight_limit = 6000
    most_rows = 1000

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        self._settings = settings
        self._book = book
        self._recordings = Recordings.read(settings.recorded)
        self._listings = {listing.symbol: listing for listing in self.listings}
        self._meter = WeightMeter(settings.weight_limit, settings.clock)
        self._answers: dict[str, Answer] = {
            self.info_at.replace("exchangeInfo", "ping"): self._ping,
            self.info_at.replace("exchangeInfo", "time"): self._time,
            self.info_at: self._exchange_info,
            self.klines_at: self._klines,
        }

    def asked(self, path: str, request: Request) -> Asked:
        """By symbol; only klines come in pages."""
        return Asked(
            f"/{self.name}{path}", request.query_params.get("symbol"), path == self.klines_at
        )

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Edge, weight, fault, answer: in the order a request meets them."""
        refused = next((fault for fault in faults if fault.kind in REFUSALS), None)
        if refused and refused.kind in BEFORE_THE_VENUE:
            return replies.refusal(refused, self._limit, self._now())
        weight = self.weight(path, request)
        address = request.client.host if request.client else ""
        verdict = self._meter.count(address, weight)
        if verdict.status != HTTPStatus.OK:
            reply = self._slow_down(verdict)
        elif refused:
            reply = replies.refusal(refused, self._limit, self._now())
        else:
            reply = self._answer(path, request, faults)
        used = str(verdict.used)
        headers = {**reply.headers, "x-mbx-used-weight": used, "x-mbx-used-weight-1m": used}
        return replace(reply, headers=headers, weight=weight)

    def weight(self, path: str, _: Request) -> int:
        """What a request costs, refused or not."""
        return {self.klines_at: 2, self.info_at: 20}.get(path, 1)

    def symbol_info(self, base: str, quote: str, tick: int, step: int) -> dict[str, Any]:
        """One symbol of ``exchangeInfo``."""
        return symbol_info(base, quote, tick, step)

    @property
    def _limit(self) -> int:
        return self._settings.weight_limit or self.default_weight_limit

    def _now(self) -> int:
        return int(self._settings.clock().timestamp() * 1000)

    def _slow_down(self, verdict: Verdict) -> Reply:
        if verdict.status == HTTPStatus.IM_A_TEAPOT:
            return replies.banned(verdict.banned_until, verdict.retry_after)
        return replies.too_much(self._limit, verdict.retry_after)

    def _answer(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        answer = self._answers.get(path)
        if answer is None or request.method != "GET":
            return replies.NOT_FOUND
        try:
            return Reply(200, answer(request.query_params.multi_items(), faults))
        except QueryError as rejected:
            return replies.error(400, rejected.code, rejected.message)

    def _ping(self, items: Sequence[tuple[str, str]], _: Sequence[Fault]) -> bytes:
        parameters.read(items, (), ())
        return b"{}"

    def _time(self, items: Sequence[tuple[str, str]], _: Sequence[Fault]) -> bytes:
        parameters.read(items, (), ())
        return orjson.dumps({"serverTime": self._now()})

    def _exchange_info(self, items: Sequence[tuple[str, str]], _: Sequence[Fault]) -> bytes:
        optional = ("symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus")
        wanted = parameters.symbols(parameters.read(items, (), optional))
        known = self.symbols()
        if wanted is not None and not known.keys() >= set(wanted):
            raise QueryError(*INVALID_SYMBOL)
        infos = [known[symbol] for symbol in (known if wanted is None else wanted)]
        return exchange_info(infos, self._limit, self._now())

    def symbols(self) -> dict[str, dict[str, Any]]:
        """What is listed now, and whatever was recorded, each with its status."""
        now = self._now()
        infos = {
            symbol: self.symbol_info(*assets(symbol), 1, 1) for symbol in self._recordings.symbols()
        }
        for listing in self._listings.values():
            if listing.listed_ms <= now or listing.symbol in infos:
                infos[listing.symbol] = self.symbol_info(
                    listing.base, listing.quote, listing.tick, listing.step
                )
        for symbol in tuple(infos):
            if self._holds("unlisted", self.info_at, symbol):
                del infos[symbol]
            elif self._holds("delisted", self.info_at, symbol):
                infos[symbol]["status"] = "BREAK"
        return infos

    def _klines(self, items: Sequence[tuple[str, str]], faults: Sequence[Fault]) -> bytes:
        given = parameters.read(
            items, ("symbol", "interval"), ("startTime", "endTime", "limit", "timeZone")
        )
        grid, ask, symbol = (
            parameters.interval(given),
            parameters.ask(given, self.most_rows),
            given["symbol"],
        )
        kinds = [fault.kind for fault in faults]
        if self._holds("unlisted", self.klines_at, symbol):
            raise QueryError(*INVALID_SYMBOL)
        weather = self._weather(symbol)
        if (symbol, grid.name) in self._recordings.series:
            rows = self._recordings.page((symbol, grid.name), ask, self._now(), weather.outages)
            return replies.recorded_klines([rows[at] for at in disarranged(len(rows), kinds)])
        listing = self._listed(symbol)
        if listing is None:
            return b"[]"
        candles = page(Tape(listing, self._settings.seed), grid, ask, self._now(), weather)
        candles = candles.stilled(
            self._book.spans("quiet", Asked(f"/{self.name}{self.klines_at}", symbol))
        )
        if kinds:
            candles = candles.take(np.array(disarranged(len(candles), kinds), dtype=np.int64))
        return replies.klines(candles, listing)

    def _holds(self, kind: str, path: str, symbol: str) -> bool:
        """Whether such a market fault holds now."""
        return self._book.holds(kind, Asked(f"/{self.name}{path}", symbol), self._now())

    def _weather(self, symbol: str) -> Weather:
        asked = Asked(f"/{self.name}{self.klines_at}", symbol)
        gone = [span for kind in ROWLESS for span in self._book.spans(kind, asked)]
        return Weather(tuple(gone), self._book.spans("off_grid", asked))

    def _listed(self, symbol: str) -> Listing | None:
        """The synthetic instrument; None if the symbol was only recorded, at another interval."""
        listing = self._listings.get(symbol)
        if listing and listing.listed_ms <= self._now():
            return listing
        if symbol in self._recordings.symbols():
            return None
        raise QueryError(*INVALID_SYMBOL)


class BinanceUS(Binance):
    """Binance.US: the same protocol; what is recorded was recorded elsewhere."""

    name = "binance_us"

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        super().__init__(replace(settings, recorded=None), book)
