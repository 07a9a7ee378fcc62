"""What a tick works when everything is collected: prices, indices, gas, news and candles, step by step.

Every provider is the sandbox's, which takes 100 ms for each answer. Run alone with
``python -m benchmarks.collecting``, or with the names of scenarios: ``three``, ``five``, ``fifteen``, ``wide``.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import psycopg
from dagster._core.storage.tags import SCHEDULE_NAME_TAG

from benchmarks.market import Market, market
from benchmarks.table import judge, show
from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.cli.dagster_home import dagster_environment
from crypto_pipeline.cli.up import SANDBOX_WEIGHT
from crypto_pipeline.market.assets import ASSETS
from crypto_pipeline.orchestration.build import Timetable, build_definitions
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.settings import Settings
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer

NOW = datetime(2026, 3, 5, 3, 0, 3, tzinfo=UTC)
"""Three seconds after a tick was due."""
LATENCY_MS = 100
LATE_AFTER = timedelta(minutes=11)
TICKS = 3
FEW = ("BTC-USDT", "ETH-USDT", "BNB-USDT", "SOL-USDT", "XRP-USDT")
DOLLARS = ("BTC-USD", "ETH-USD")
VENUES: Mapping[str, tuple[str, ...]] = {
    "binance": FEW,
    "bybit": FEW[:2],
    "okx": FEW[:2],
    "kucoin": FEW[:2],
    "gate": FEW[:2],
    "bitget": FEW[:2],
    "coinbase": DOLLARS,
    "kraken": DOLLARS,
    "bitfinex": DOLLARS,
    "bitstamp": DOLLARS,
}
MANY = tuple(f"{one.symbol}-USDT" for one in ASSETS if one.symbol != "USDT")[:50]
HELD = ("complete", "no_unexplained_gaps", "rows_are_valid")
FEEDS = tuple(name for name in PROVIDERS if name.startswith("rss_"))[:10]
QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is collected, by which job, how often, and how long it may take."""

    name: str
    title: str
    job: str
    every: timedelta
    limit: float
    instruments: tuple[str, ...] = FEW
    turns: int = 1
    """Of so many ticks one finds all that is collected due; the others are not shown."""
    chains: tuple[str, ...] = ("base", "arbitrum")
    """Beside Ethereum and Bitcoin."""
    assets: tuple[str, ...] = ("bitcoin", "ethereum", "binancecoin", "solana", "ripple")


SCENARIOS = (
    Scenario(
        "three",
        "5 minutes, 3 chains",
        "collect_live",
        timedelta(minutes=5),
        3.0,
        chains=("base",),
    ),
    Scenario("five", "5 minutes, 4 chains", "collect_live", timedelta(minutes=5), 3.0),
    Scenario(
        "fifteen",
        "15 minutes, 10 feeds, 10 venues",
        "collect_everything",
        timedelta(minutes=15),
        6.0,
        tuple(f"{venue}/{name}" for venue, names in VENUES.items() for name in names),
        turns=2,
    ),
    Scenario(
        "wide",
        "5 minutes, 100 assets, 50 instruments",
        "collect_live",
        timedelta(minutes=5),
        10.0,
        MANY,
        assets=tuple(one.asset_id for one in ASSETS[:100]),
    ),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """The seconds of a run between its first step's start and its last one's end, and of each step."""

    steps: Mapping[str, float]
    whole: float
    requests: int


def main() -> None:
    """Run each scenario in a house of its own, show all ticks, and judge the quickest."""
    for kind in (dg.BetaWarning, dg.PreviewWarning):
        warnings.simplefilter("ignore", kind)
    wanted = sys.argv[1:]
    for scenario in [one for one in SCENARIOS if not wanted or one.name in wanted]:
        with market(NOW) as sandbox, house(sandbox, scenario) as one:
            one.warm_up()
            sandbox.slow_down(LATENCY_MS)
            ticks = [one.later() for _ in range(TICKS * scenario.turns)]
            ticks = ticks[scenario.turns - 1 :: scenario.turns]
        show_ticks(scenario, ticks)


def show_ticks(scenario: Scenario, ticks: list[Tick]) -> None:
    """Where the seconds went: the steps of a dataset that take longest come first."""
    header = (
        f"collecting: {scenario.title}, seconds",
        *(f"tick {number}" for number in range(1, len(ticks) + 1)),
    )
    names = sorted(ticks[0].steps, key=lambda name: -ticks[0].steps[name])
    rows = [
        ("work inside the run", *(one.whole for one in ticks)),
        *((f"  {name}", *(one.steps.get(name, 0.0) for one in ticks)) for name in names),
        ("  between steps", *(one.whole - sum(one.steps.values()) for one in ticks)),
        ("requests", *(one.requests for one in ticks)),
    ]
    show(header[0], ("", *header[1:]), rows)
    judge("the quickest tick", min(one.whole for one in ticks), scenario.limit, "s")


@dataclass(slots=True)
class House:
    """The definitions over a warehouse and a Dagster instance, at the sandbox's time."""

    market: Market
    scenario: Scenario
    settings: Settings
    instance: dg.DagsterInstance
    definitions: dg.Definitions

    def warm_up(self) -> None:
        """Collect all there is until now."""
        self._run(partition_key=self.market.now.date().isoformat())

    def later(self) -> Tick:
        """The next tick, as its schedule has it run."""
        self.market.move_on(self.scenario.every)
        before, today = self._requests(), self.market.now.date().isoformat()
        done = self._run(partition_key=today, tags={SCHEDULE_NAME_TAG: "every_5_minutes"})
        return _told(self.instance.all_logs(done.run_id), self._requests() - before)

    def _run(self, **days: Any) -> dg.ExecuteInProcessResult:
        """One run; a hole that it leaves is an error of the benchmark.

        The readers of a day are told days later, so that on a first day they are not there.
        """
        job = self.definitions.resolve_job_def(self.scenario.job)
        done = job.execute_in_process(instance=self.instance, run_config=QUIET, **days)
        self._require_all(done)
        return done

    def _requests(self) -> int:
        with psycopg.connect(self.settings.database_url.get_secret_value()) as connection:
            return connection.execute("select count(*) from warehouse.fetches").fetchone()[0]

    def _require_all(self, done: dg.ExecuteInProcessResult) -> None:
        checked = [one for one in done.get_asset_check_evaluations() if one.check_name in HELD]
        failed = [one for one in checked if not one.passed]
        if failed:
            msg = "; ".join(f"{one.asset_key}: {one.description}" for one in failed)
            raise AssertionError(msg)


def _told(entries: list[dg.EventLogEntry], requests: int) -> Tick:
    began: dict[str, float] = {}
    steps: dict[str, float] = {}
    for entry in entries:
        if entry.dagster_event_type == dg.DagsterEventType.STEP_START:
            began[entry.step_key] = entry.timestamp
        elif entry.dagster_event_type == dg.DagsterEventType.STEP_SUCCESS:
            steps[entry.step_key] = entry.timestamp - began[entry.step_key]
    ended = max(began[name] + seconds for name, seconds in steps.items())
    return Tick(steps, ended - min(began.values()), requests)


@contextmanager
def house(sandbox: Market, scenario: Scenario) -> Iterator[House]:
    """An embedded Postgres with warehouse and Dagster's storage in it, gone afterwards."""
    with TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory) / "server", 0)
        try:
            settings = settings_of(sandbox, scenario, server.start(), directory)
            line = open_line(settings)
            upgrade(line.database)
            os.environ.update(dagster_environment(settings))
            pipeline = Pipeline(line, LATE_AFTER, now=lambda: sandbox.now)
            timetable = Timetable(
                line.since.date(), "*/5 * * * *", "*/15 * * * *", "40 0 * * *", 30, 31
            )
            definitions = build_definitions(timetable, lambda: pipeline)
            with dg.DagsterInstance.get() as instance:
                yield House(sandbox, scenario, settings, instance, definitions)
        finally:
            server.stop()


def settings_of(sandbox: Market, scenario: Scenario, url: str, directory: str) -> Settings:
    """The scenario over the sandbox, whose providers allow what they do in ``up --sandbox``."""
    limits = {"weight_per_minute": int(SANDBOX_WEIGHT)}
    providers: dict[str, Any] = {
        name: {"base_url": f"{sandbox.url}/{name}", "limits": limits} for name in PROVIDERS
    }
    providers |= {f"{chain}_rpc_1": {"limits": limits} for chain in scenario.chains}
    rpc = {chain: (f"{sandbox.url}/{chain}_rpc/rpc",) for chain in scenario.chains}
    return Settings.model_validate(
        {
            "data_dir": directory,
            "database_url": url,
            "since": NOW.date(),
            "ohlc": {"instruments": scenario.instruments},
            "market_prices": {"assets": scenario.assets},
            "gas_prices": {"rpc": rpc},
            "news": {"providers": FEEDS},
            "providers": providers,
        }
    )


if __name__ == "__main__":
    main()
