"""``import``: what was exported comes back, and a refused file is told with the reason."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.feather as pa_feather

from crypto_pipeline.frames.freqtrade import VALUES
from crypto_pipeline_tests.cli.commands import day, directory, run, since

HOUR = timedelta(hours=1)


def test_folder_is_imported_file_by_file(filled: dict[str, str]) -> None:
    """What is known stays, what is missing comes, aliens are passed over, and a wrong file is refused."""
    span = ("--start", day(filled, 0), "--end", day(filled, 1))
    exported = run(filled, "export", "ohlc", "--format", "freqtrade", *span, "--out", "data")
    folder = directory(filled) / "data" / "binance"
    hours = [since(filled) + number * HOUR for number in range(47, 50)]
    columns = [pa.array(hours, pa.timestamp("ms", "UTC")), *[pa.array([1.5] * 3)] * len(VALUES)]
    pa_feather.write_feather(pa.table(columns, ["date", *VALUES]), folder / "ETH_USDT-1h.feather")
    (folder / "BTC_USDT-1h.json").write_text("<html>", encoding="utf-8")
    (folder / "BTC_USDT-5m.json").write_text("[]", encoding="utf-8")
    done = run(filled, "import", "freqtrade", "data")
    found = run(
        filled,
        *("query", "select count(*), min(volume) from ohlc where source = 'freqtrade import'"),
        *("--format", "csv"),
    )

    assert (0, 1) == (exported.code, done.code)
    assert [
        "binance/BTC-USDT/1h from data/binance/BTC_USDT-1h.feather: 48 candles, 0 new, 48 known",
        "binance/ETH-USDT/1h from data/binance/ETH_USDT-1h.feather: 3 candles, 2 new, 1 that differ",
    ] == [line.partition(" from what")[0] for line in done.out.splitlines()]
    assert "passed over: data/binance/BTC_USDT-5m.json is of no series" in done.err
    assert "BTC_USDT-1h.json is refused: it cannot be read as json: " in done.err
    assert done.err.endswith("nothing of a refused file is stored\n")
    assert "2,1.5" == found.out.splitlines()[1]


def test_folder_that_is_none_is_wrong_use(filled: dict[str, str]) -> None:
    """One sentence, exit code 2."""
    done = run(filled, "import", "freqtrade", "nowhere")

    assert (2, "") == (done.code, done.out)
    assert done.err.startswith("crypto-pipeline: nowhere is no directory: ")
