"""The back-off between two tries."""

import random

import pytest

from crypto_pipeline.providers.pacing import FIRST_PAUSE, LONGEST_PAUSE, backoff


@pytest.mark.parametrize("attempt", range(1, 40))
def test_pause_doubles_with_jitter_up_to_a_bound(attempt: int) -> None:
    """Each try waits twice as long as the last, less up to half of it by chance, never over the bound."""
    rng = random.Random(attempt)
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
    pauses = {backoff(attempt, rng) for _ in range(200)}

    assert ceiling / 2 <= min(pauses) < max(pauses) <= ceiling
    assert len(pauses) > 100


def test_pause_follows_the_given_chance() -> None:
    """The same seed waits the same time, so that a test can know it."""
    assert backoff(3, random.Random(7)) == backoff(3, random.Random(7))
