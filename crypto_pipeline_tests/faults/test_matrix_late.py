"""The fault matrix in CI, the second half; the first lies beside, for another worker to play."""

import pytest

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.faults.matrix import ROUND, play
from crypto_pipeline_tests.faults.world import Venues


# What a run had begun when it was stopped is left to the collector, which complains.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# The sixth round alone takes as long as three others; `make faults` plays it.
@pytest.mark.parametrize("first", [4 * ROUND, 6 * ROUND, 7 * ROUND])
def test_all_is_filled_or_explained_once_the_faults_stop(
    first: int, hosts: Venues, database: Database
) -> None:
    """No duplicate, no loss, ledger equals rows, in bounded ticks, whatever went wrong before."""
    for seed in range(first, first + ROUND):
        outcome = play(seed, hosts, database)

        assert () == outcome.problems, str(outcome)
