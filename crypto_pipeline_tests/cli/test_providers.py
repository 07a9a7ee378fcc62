"""``providers``: the catalogue, the page made of it, reading a saved reply, probing over real HTTP."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.catalogue import SERVED
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.cli.commands import directory, run
from crypto_pipeline_tests.conftest import REPOSITORY

OPEN = """
    insert into warehouse.provider_health (
        provider, host, consecutive_failures, openings, opened_at, open_until, requests, failures,
        bytes, latency_ms
    ) values ('binance', %s, 3, 1, now(), now() + %s, 3, 3, 0, 1)
"""
COLUMNS = ["provider", "dataset", "endpoint", "auth", "limit", "status", "history"]
KLINE = [1700000000000, "1", "2", "0.5", "1.5", "10", 1700000059999, "15", 7, "0", "0", "0"]


@pytest.fixture
def alone(settings_environment: dict[str, str]) -> dict[str, str]:
    """An environment without a database."""
    return settings_environment | {
        "CRYPTO_PIPELINE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"
    }


def save(environment: dict[str, str], body: object, **meta: object) -> str:
    """A saved reply, and what is told beside it."""
    file = directory(environment) / "reply.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    if meta:
        file.with_name("reply.json.meta").write_text(json.dumps(meta), encoding="utf-8")
    return str(file)


def test_catalogue_needs_no_database(alone: dict[str, str]) -> None:
    """Every provider is listed, ready or by what it lacks; nobody is asked."""
    done = run(alone | {"COINCAP_API_KEY": "k"}, "providers", "--format", "csv")
    status = {row["provider"]: row["status"] for row in done.rows}

    assert (0, "") == (done.code, done.err)
    assert COLUMNS == list(done.rows[0])
    assert set(PROVIDERS) == set(status)
    assert ("ready", "ready", "needs key ETHERSCAN_API_KEY") == (
        status["binance"],
        status["coincap"],
        status["etherscan"],
    )


def test_one_dataset_alone(alone: dict[str, str]) -> None:
    """--dataset shows who can be asked for it; a wrong one names the right ones."""
    found = run(alone, "providers", "--dataset", "sentiment", "--format", "json").data
    wrong = run(alone, "providers", "--dataset", "candles")

    assert {"sentiment"} == {one["dataset"] for one in found}
    assert (2, "") == (wrong.code, wrong.out)
    assert f"expected one of {', '.join(SERVED)}" in wrong.err


def test_disabled_provider_and_open_breaker_are_told(
    settings_environment: dict[str, str], database: Database, sandbox: Sandbox
) -> None:
    """What the settings switch off, and what keeps failing, is seen in the same column."""
    host = sandbox.base_url().partition("://")[2]
    with database.connect() as connection:
        connection.execute(OPEN, (host, timedelta(minutes=5)))
    off = {"CRYPTO_PIPELINE_PROVIDERS__KRAKEN__ENABLED": "false"}
    rows = run(settings_environment | off, "providers", "--format", "csv").rows
    status = {row["provider"]: row["status"] for row in rows}

    assert "disabled" == status["kraken"]
    assert status["binance"].startswith("open breaker until 20")


def test_page_is_in_step(alone: dict[str, str]) -> None:
    """docs/providers.md is what the command prints."""
    done = run(alone, "providers", "--format", "markdown")
    page = (REPOSITORY / "docs" / "providers.md").read_text(encoding="utf-8")

    assert page == done.out, "run: crypto-pipeline providers --format markdown > docs/providers.md"


def test_saved_reply_becomes_rows(alone: dict[str, str]) -> None:
    """Numbers stay as they were printed."""
    done = run(alone, "providers", "parse", "binance", "ohlc", save(alone, [KLINE]))
    as_json = run(
        alone, "providers", "parse", "binance", "ohlc", save(alone, [KLINE]), "--format", "json"
    )

    assert (0, "") == (done.code, done.err)
    assert ["2023-11-14T22:13:20Z", "1", "2", "0.5", "1.5", "10", "15", "7"] == done.table[1]
    assert "0.5" == as_json.data[0]["low"]


def test_what_lies_beside_a_reply_is_its_status(alone: dict[str, str]) -> None:
    """A .meta tells status and headers; options go before it."""
    body = {"code": -1003, "msg": "Too much request weight used"}
    headers = {"Content-Type": "application/json", "Retry-After": "7"}
    file = save(alone, body, status=429, headers=headers)
    limited = run(alone, "providers", "parse", "binance", "ohlc", file)
    rejected = run(alone, "providers", "parse", "binance", "ohlc", file, "--status", "400")

    assert (1, "") == (limited.code, limited.out)
    assert limited.err == (
        "crypto-pipeline: RateLimited: HTTP 429: -1003 Too much request weight used"
        " (to be asked again in 7 s)\n"
    )
    assert "RequestRejected: HTTP 400" in rejected.err


def test_content_type_can_be_told(alone: dict[str, str]) -> None:
    """A page of another site is no answer."""
    file = save(alone, [KLINE])
    done = run(alone, "providers", "parse", "binance", "ohlc", file, "--content-type", "text/html")

    assert (1, "") == (done.code, done.out)
    assert "MalformedReply: HTTP 200 with text/html where JSON is due" in done.err


def test_wrong_use_is_one_sentence(alone: dict[str, str]) -> None:
    """An unknown provider, a dataset it does not offer, a file that is not there."""
    file = save(alone, [KLINE])
    unknown = run(alone, "providers", "parse", "binnance", "ohlc", file)
    other = run(alone, "providers", "parse", "binance", "news", file)
    gone = run(alone, "providers", "parse", "binance", "ohlc", f"{file}.gone")

    assert (2, 2, 1) == (unknown.code, other.code, gone.code)
    assert "there is no provider 'binnance'" in unknown.err
    assert "binance offers no news: it offers ohlc, instruments" in other.err
    assert "No such file" in gone.err


def test_recorded_reply_becomes_rows(alone: dict[str, str], corpus: Path) -> None:
    """A reply as it was recorded, with or without what lies beside it."""
    file = corpus / "alternative_me" / "fng_limit2_2026-07-11.json"
    done = run(alone, "providers", "parse", "alternative_me", "sentiment", str(file))

    assert [["26", "Fear"], ["23", "Extreme"]] == [words[1:3] for words in done.table[1:]]


def test_probe_tells_what_works_from_here(alone: dict[str, str], sandbox: Sandbox) -> None:
    """By the settings' address: an answer with its newest row is exit 0, a block everywhere exit 1."""
    works = run(alone, "providers", "probe", "binance", "--format", "csv")
    sandbox.order("451")
    blocked = run(alone, "providers", "probe", "binance")

    assert (0, ["ok", "ok"]) == (works.code, [row["result"] for row in works.rows])
    assert works.rows[0]["newest"]
    assert 1 == blocked.code
    assert "geo-block or ban: HTTP 451" in blocked.out


def test_probe_of_a_provider_without_key_or_switched_off(alone: dict[str, str]) -> None:
    """Neither is asked; each says what to set."""
    off = {"CRYPTO_PIPELINE_PROVIDERS__KRAKEN__ENABLED": "false"}
    locked = run(alone, "providers", "probe", "etherscan")
    disabled = run(alone | off, "providers", "probe", "kraken")

    assert (1, 2) == (locked.code, disabled.code)
    assert "needs key ETHERSCAN_API_KEY" in locked.out
    assert "kraken is disabled: set providers.kraken.enabled to true" in disabled.err
