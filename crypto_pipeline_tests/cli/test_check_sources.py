"""``check`` of prices: it names who stands apart, and leaves the rest to the runs."""

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.cli.commands import run
from crypto_pipeline_tests.warehouse.pricing import Exchange


def test_outlier_is_named_and_stays(
    settings_environment: dict[str, str], database: Database
) -> None:
    """A warning that changes neither the exit code nor the warehouse."""
    exchange = Exchange(database)
    exchange.venues(["100"])
    exchange.price("150")
    environment = settings_environment | {"CRYPTO_PIPELINE_SINCE": "2026-03-04"}
    done = run(environment, "check", "market_prices", "--format", "json")
    (verdict,) = (one for one in done.data if one["check"] == "sources_agree")

    assert ("warning", {"compared": 1, "in_doubt": 1, "quarantined": 0}) == (
        verdict["outcome"],
        verdict["facts"],
    )
    assert "coinpaprika says 150" in verdict["summary"]
    assert "sources_agree" not in done.err
    assert 1 == len(exchange.served())
