"""What the fault matrix shares: the venues of a test module."""

from collections.abc import Iterator

import pytest

from crypto_pipeline_tests.faults.world import Venues, venues


@pytest.fixture(scope="module", name="hosts")
def running_hosts() -> Iterator[Venues]:
    """A venue and its mirror on loopback, for all schedules of a module, one after the other."""
    with venues() as both:
        yield both
