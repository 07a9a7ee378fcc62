"""What an import is held against: the candles that are there already, as doubles."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements


@dataclass(frozen=True, slots=True)
class Known:
    """Candles in the order of time."""

    times: npt.NDArray[np.int64]
    """Microseconds since 1970."""
    values: npt.NDArray[np.float64]
    """Of each candle open, high, low, close and volume."""
    trust: npt.NDArray[np.float64]


def known(database: Database, series: CandleSeries, window: Window) -> Known:
    """The stored candles of a series that open in a window."""
    parameters = {
        "dataset": series.dataset,
        "name": series.name,
        "start": window.start,
        "end": window.end,
    }
    with database.connect(read_only=True) as connection:
        cursor = connection.cursor(binary=True)
        rows = cursor.execute(statements("importing")["known"], parameters).fetchall()
    table = np.array(rows, np.float64).reshape(-1, 7)
    return Known(table[:, 0].astype(np.int64), table[:, 1:6], table[:, 6])
