"""The order of trust: whoever can tell something of a dataset has a place in it."""

import pytest

from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.trust import TRUSTED


@pytest.mark.parametrize("dataset", TRUSTED)
def test_all_who_can_tell_have_a_place(dataset: str) -> None:
    """A provider that nobody would ask is not shipped, and nobody is named who cannot tell."""
    able = {
        one.name
        for one in PROVIDERS.values()
        if dataset in one.snapshots or dataset in one.histories
    }

    assert able == {*TRUSTED[dataset]}
    assert len(able) == len(TRUSTED[dataset])


@pytest.mark.parametrize("dataset", TRUSTED)
def test_somebody_answers_without_a_key(dataset: str) -> None:
    """The default set works with no key at all."""
    assert [name for name in TRUSTED[dataset] if PROVIDERS[name].needs_key is None]
