"""``export``: exact rows in whole files that say what they lack, and FreqTrade's own folder."""

import json
import subprocess
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from crypto_pipeline.cli.border import Interrupted
from crypto_pipeline.cli.export import FileFormat, export
from crypto_pipeline.cli.export_files import name_of, target_of, whole_file
from crypto_pipeline.errors import PipelineError, UsageError
from crypto_pipeline.frames.tables import METADATA
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.writer import SeriesRows
from crypto_pipeline_tests.cli.commands import HOURLY, day, directory, run
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import SINCE, Warehouse

HOUR = timedelta(hours=1)
FEW_BYTES = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)); "
STRATEGY = """
from freqtrade.strategy import IStrategy


class Tiny(IStrategy):
    timeframe = "1h"
    minimal_roi = {"0": 0.001}
    stoploss = -0.5

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
"""
RUN_FREQTRADE = """
import json, sys
from freqtrade.main import main
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as end:
        assert not end.code, end.code
"""


def test_file_holds_the_rows_and_what_they_lack(filled: dict[str, str]) -> None:
    """Decimals of Parquet are the stored ones; the third day is not there, and it is said twice."""
    span = ("--start", day(filled, 0), "--end", day(filled, 2))
    done = run(filled, "export", "ohlc", "--format", "parquet", *span, "--out", "made/of/it")
    stored = run(filled, "query", "select * from ohlc order by 1, 2, 4", "--format", "json")
    name = f"made/of/it/ohlc_binance_1h_{day(filled, 0)}_{day(filled, 2)}.parquet"
    table = pq.read_table(directory(filled) / name)
    numbers = ("open", "high", "low", "close", "volume", "quote_volume")
    about = json.loads(table.schema.metadata[METADATA])

    assert (0, True) == (
        done.code,
        done.out.startswith(f"ohlc {day(filled, 0)} to {day(filled, 2)}: 96 rows,"),
    )
    assert done.out.endswith(
        f" MB in {name}; 66.66 % complete, 48 slots missing, see 'crypto-pipeline gaps ohlc'\n"
    )
    assert [[row[one] for one in numbers] for row in stored.data] == [
        [f"{row[one]:f}" for one in numbers] for row in table.to_pylist()
    ]
    assert [one["open_time"] for one in stored.data] == [
        f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in table["open_time"].to_pylist()
    ]
    assert {"slots_expected": 144, "slots_present": 96, "slots_missing": 48} == {
        name: about[name] for name in ("slots_expected", "slots_present", "slots_missing")
    }


def test_csv_can_be_printed(filled: dict[str, str]) -> None:
    """As a query prints it; what it lacks is said beside it, and a file that is there is left alone."""
    span = ("--start", day(filled, 0), "--end", day(filled, 0), "--instrument", "BTC-USDT")
    command = ("export", "ohlc", "--format", "csv", *span)
    printed = run(filled, *command, "--out", "-")
    columns = "select * from ohlc where instrument = 'BTC-USDT' order by 4 limit 24"
    (directory(filled) / "a.csv").write_text("mine", encoding="utf-8")
    refused = run(filled, *command, "--out", "a.csv")

    assert printed.out == run(filled, "query", columns, "--format", "csv").out
    assert printed.err.splitlines()[-1].endswith(": 24 rows in standard output; complete")
    assert (2, "") == (refused.code, refused.out)
    assert refused.err == (
        "crypto-pipeline: a.csv is there already: --force replaces it, --out names another\n"
    )
    assert "mine" == (directory(filled) / "a.csv").read_text(encoding="utf-8")


def test_full_disk_leaves_nothing(filled: dict[str, str]) -> None:
    """A sentence, exit code 1, and no half file; here the system allows no larger one."""
    arguments = ["crypto-pipeline", "export", "ohlc", "--format", "csv", "--out", "full/"]
    program = f"{FEW_BYTES} sys.argv = {arguments!r}; from crypto_pipeline.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=filled,
        cwd=directory(filled),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, "") == (done.returncode, done.stdout)
    assert "could not be written (File too large), and nothing is left of it" in done.stderr
    assert [] == list((directory(filled) / "full").iterdir())


@pytest.mark.parametrize(
    ("dataset", "form", "options", "said"),
    [
        ("sentiment", FileFormat.FREQTRADE, {}, "FreqTrade reads candles: "),
        ("ohlc", FileFormat.CSV, {"interval": "1h,2h"}, "one file has candles of one --interval"),
        ("ohlc", FileFormat.FEATHER, {"out": Path("-")}, "standard output takes --format csv"),
    ],
)
def test_wrong_use_is_told_before_anything_is_opened(
    dataset: str, form: FileFormat, options: dict[str, Any], said: str
) -> None:
    """One sentence says what goes together."""
    with pytest.raises(UsageError, match=f"^{said}"):
        export(dataset, form, **options)


def test_stopped_export_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Ctrl-C in the midst of it: the former file is whole, and nothing lies beside it."""
    target = tmp_path / "a.csv"
    target.write_text("former", encoding="utf-8")
    with pytest.raises(Interrupted, match="is not written, and nothing is left of it"):
        break_off(target, KeyboardInterrupt())
    with pytest.raises(PipelineError, match=r"No space left on device.*: make room, or choose"):
        break_off(target, OSError(28, "No space left on device"))

    assert [target] == list(tmp_path.iterdir())
    assert "former" == target.read_text(encoding="utf-8")


def break_off(target: Path, error: BaseException) -> None:
    """Write half a file."""
    with whole_file(target) as file:
        file.write(b"half")
        raise error


def test_two_exports_do_not_write_one_file(tmp_path: Path) -> None:
    """The second is refused, and the first goes on."""
    target = tmp_path / "a.csv"
    with whole_file(target) as file:
        with pytest.raises(UsageError, match="another export writes"), whole_file(target):
            pass
        file.write(b"whole")

    assert b"whole" == target.read_bytes()


def test_files_are_named_for_what_they_hold(tmp_path: Path) -> None:
    """Days for whole days, instants for others; a path with a suffix is a file, any other a folder."""
    part = Window(SINCE, SINCE + HOUR)

    assert "ohlc_1h_2024-02-28_2024-02-28.csv" == name_of(
        ["ohlc", "1h"], Window(SINCE, SINCE + DAY), "csv"
    )
    assert "gas_prices_base-fees_20240228T000000Z_20240228T010000Z.csv" == name_of(
        ["gas_prices", "base/fees"], part, "csv"
    )
    assert tmp_path / "b.pq" == target_of(tmp_path / "b.pq", "a.csv")
    assert tmp_path / "b" / "a.csv" == target_of(tmp_path / "b", "a.csv")


@pytest.fixture
def markets(database: Database) -> Warehouse:
    """Two days of hours of a spot market and of a future, whose last hour is not there."""
    series = [series_of("BTC-USDT", "1h", venue) for venue in ("binance", "binance_usdm")]
    warehouse = Warehouse(database, series)
    rows = [candle(SINCE + number * HOUR) for number in range(47)]
    with warehouse.writer() as writer:
        writer.store([SeriesRows(one, rows) for one in series], "binance")
    return warehouse


@pytest.mark.usefixtures("markets")
def test_freqtrade_reads_and_backtests_what_is_exported(
    settings_environment: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    """It lists the markets with their first and last candle, and trades on them, without the internet."""
    if find_spec("freqtrade") is None:
        pytest.skip("FreqTrade is not installed: pip install 'crypto-pipeline[freqtrade]'")
    user = tmp_path / "user"
    span = ("--start", "2024-02-28", "--end", "2024-02-29", "--out", str(user / "data"))
    command = ("export", "ohlc", "--format", "freqtrade", *span)
    done = run(settings_environment | HOURLY, *command, "--interval", "1h,4h")
    (user / "strategies").mkdir()
    (user / "strategies" / "tiny.py").write_text(STRATEGY, encoding="utf-8")
    (user / "config.json").write_text(json.dumps(configuration(sandbox)), encoding="utf-8")
    own = ["--userdir", str(user), "-c", str(user / "config.json"), "--logfile", str(user / "log")]
    listing = ["list-data", *own, "--show-timerange"]
    trading = ["backtesting", *own, "-s", "Tiny", "--cache", "none", "--export", "none"]
    told = subprocess.run(
        [
            *(sys.executable, "-c", RUN_FREQTRADE),
            json.dumps([listing, [*listing, "--trading-mode", "futures"], trading]),
        ],
        env=settings_environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.replace("│", " ").split() for line in told.stdout.splitlines()]
    listed = [
        line
        for line in lines
        if line[:1] in (["BTC/USDT"], ["BTC/USDT:USDT"]) and "00:00:00" in line
    ]
    first, last, last_whole = "2024-02-28 00:00:00", "2024-02-29 22:00:00", "2024-02-29 16:00:00"

    assert (0, 0) == (done.code, told.returncode), done.err + told.stderr
    assert done.out.endswith(
        "2 candles are left out: they are not over, or slots of theirs are missing\n"
    )
    assert [
        ["BTC/USDT", "1h", "spot", *first.split(), *last.split(), "47"],
        ["BTC/USDT", "4h", "spot", *first.split(), *last_whole.split(), "11"],
        ["BTC/USDT:USDT", "1h", "futures", *first.split(), *last.split(), "47"],
        ["BTC/USDT:USDT", "4h", "futures", *first.split(), *last_whole.split(), "11"],
    ] == listed
    assert f"Backtested {first} -> {last}" in told.stdout
    assert {"/binance/api/v3/exchangeInfo"} == {one.path for one in sandbox.requests()}


def configuration(sandbox: Sandbox) -> dict[str, object]:
    """The least that FreqTrade wants, with the sandbox for its exchange."""
    pricing = {"price_side": "same", "use_order_book": False}
    return {
        "max_open_trades": 1,
        "stake_currency": "USDT",
        "stake_amount": 100,
        "dry_run": True,
        "exchange": {
            "name": "binance",
            "pair_whitelist": ["BTC/USDT"],
            "ccxt_config": {
                "urls": {"api": {"public": f"{sandbox.base_url('binance')}/api/v3"}},
                "options": {"fetchMarkets": {"types": ["spot"]}},
            },
        },
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": pricing,
        "exit_pricing": pricing,
    }
