"""The circuit breaker: when it opens, how long it rests, who may try, and what closes it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.market.health import (
    LONGEST_REST,
    OPENS_AFTER,
    SHORTEST_REST,
    TRIAL,
    Health,
    Outcome,
    Told,
    rest_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
outcomes = st.sampled_from(["answered", "failed", "refused", "paused"])
waits = st.integers(0, 2000).map(lambda seconds: timedelta(seconds=seconds))
REST = timedelta(seconds=200)


def lived(steps: list[tuple[Outcome, timedelta]], start: Health | None = None) -> Health:
    """The health after requests, each at a time after the one before; trials are taken as offered."""
    health, now = start or Health(), NOW
    for outcome, wait in steps:
        now += wait
        health = health.trying(now) if health.may_try(now) else health
        health = health.after(outcome, now, REST)
    return health


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "answered"),
        (RequestRejected(), "answered"),
        (TransientError(), "failed"),
        (MalformedReply(), "failed"),
        (RateLimited(retry_after=1), "paused"),
        (HostRefused(retry_after=1), "refused"),
    ],
)
def test_what_a_request_says_of_its_host(error: ProviderError | None, outcome: Outcome) -> None:
    """A rejected request is not the host's fault, nor is a pause; broken replies and refusals are."""
    assert outcome == Told(error, 0.1, 10).outcome


def test_three_failures_in_a_row_open_it() -> None:
    """Two are bad luck; the third leaves the host alone for half a minute."""
    almost = lived([("failed", timedelta())] * (OPENS_AFTER - 1))
    opened = almost.after("failed", NOW)

    assert "closed" == almost.state(NOW)
    assert ("open", NOW, NOW + SHORTEST_REST) == (
        opened.state(NOW),
        opened.opened_at,
        opened.open_until,
    )
    assert "half_open" == opened.state(NOW + SHORTEST_REST)


def test_rest_doubles_up_to_its_longest() -> None:
    """Every trial in vain doubles the rest: 30 s, 60 s … 15 min."""
    rests = [rest_of(number) for number in range(1, 9)]

    assert [30, 60, 120, 240, 480, 900, 900, 900] == [rest.total_seconds() for rest in rests]
    assert LONGEST_REST == rest_of(10**6)


def test_one_request_may_try() -> None:
    """While it is on its way nobody else may; one that never comes back holds it for a while only."""
    rested = NOW + SHORTEST_REST
    health = lived([("failed", timedelta())] * OPENS_AFTER)

    assert not health.may_try(NOW)
    assert health.may_try(rested)
    assert not health.trying(rested).may_try(rested)
    assert health.trying(rested).may_try(rested + TRIAL)


def test_trial_in_vain_opens_it_for_longer() -> None:
    """The breaker remembers since when it is open."""
    rested = NOW + SHORTEST_REST
    health = lived([("failed", timedelta())] * OPENS_AFTER).trying(rested).after("failed", rested)

    assert (NOW, rested + 2 * SHORTEST_REST) == (health.opened_at, health.open_until)
    assert health.may_try(rested + 2 * SHORTEST_REST)


def test_refusal_opens_it_at_once_for_as_long_as_told() -> None:
    """The host says when it may be asked again; a later, shorter wish does not shorten it."""
    health = Health().after("refused", NOW, REST).after("refused", NOW, SHORTEST_REST)

    assert ("open", NOW + REST) == (health.state(NOW), health.open_until)


def test_pause_during_a_trial_leaves_the_trial_to_another() -> None:
    """A rate limit says nothing of the host's health."""
    rested = NOW + SHORTEST_REST
    opened = lived([("failed", timedelta())] * OPENS_AFTER)

    assert opened == opened.trying(rested).after("paused", rested)


@given(st.lists(st.tuples(outcomes, waits)))
def test_success_closes_whatever_was(steps: list[tuple[Outcome, timedelta]]) -> None:
    """After an answer nothing of the past counts."""
    assert Health() == lived([*steps, ("answered", timedelta())])


@given(st.lists(st.tuples(outcomes, waits)))
def test_it_never_rests_longer_than_it_may(steps: list[tuple[Outcome, timedelta]]) -> None:
    """However long a host fails, it is tried again within the longest rest, or as it told."""
    health, now = lived(steps), NOW + sum((wait for _, wait in steps), timedelta())

    assert health.open_until is None or health.open_until - now <= max(LONGEST_REST, REST)
    assert (health.open_until is None) == (health.opened_at is None) == (health.openings == 0)


@given(st.lists(st.tuples(st.sampled_from(["answered", "paused"]), waits)))
def test_host_that_answers_is_never_left_alone(steps: list[tuple[Outcome, timedelta]]) -> None:
    """Without a failure there is nothing to rest from."""
    assert Health() == lived(steps)


@given(st.lists(st.tuples(outcomes, waits)))
def test_failures_while_it_rests_do_not_lengthen_the_rest(
    steps: list[tuple[Outcome, timedelta]],
) -> None:
    """What was on its way when it opened, or was asked all the same, changes nothing."""
    health, now = lived(steps), NOW + sum((wait for _, wait in steps), timedelta())

    if health.state(now) == "open":
        assert health.open_until == health.after("failed", now).open_until
