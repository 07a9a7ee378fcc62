"""``query``: SQL in, exact rows out, and nothing changed."""

import pytest

from crypto_pipeline_tests.cli.commands import run


def test_rows_are_printed_exactly(filled: dict[str, str]) -> None:
    """JSON has decimals as strings with every zero, times as ISO in UTC, numbers as numbers."""
    sql = (
        "select '2026-01-31 12:00:00.5+02'::timestamptz as at, 1.10::numeric as exact, "
        "0.00000000::numeric as nothing, 7::bigint as whole, null as missing, true as yes, "
        "array[1.10, 2]::numeric[] as list, 'infinity'::timestamptz as never, 'NaN'::float8 as odd"
    )
    done = run(filled, "query", sql, "--format", "json")

    assert done.data == [
        {
            "at": "2026-01-31T10:00:00.5Z",
            "exact": "1.10",
            "nothing": "0.00000000",
            "whole": 7,
            "missing": None,
            "yes": True,
            "list": ["1.10", "2"],
            "never": "infinity",
            "odd": "NaN",
        }
    ]


def test_views_of_market_need_no_prefix(filled: dict[str, str]) -> None:
    """CSV has the public columns of a dataset and all its rows."""
    done = run(filled, "query", "select * from ohlc", "--format", "csv")

    assert (0, "", 96) == (done.code, done.err, len(done.rows))
    assert list(done.rows[0])[:4] == ["venue", "instrument", "interval", "open_time"]


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_sql_can_come_from_standard_input(
    arguments: tuple[str, ...], filled: dict[str, str]
) -> None:
    """A dash or nothing at all reads it from there."""
    done = run(filled, "query", *arguments, typed="select 'a%b' as text -- the end;\n")

    assert (0, "text\na%b\n") == (done.code, done.out)


def test_long_table_is_cut_and_says_so(filled: dict[str, str]) -> None:
    """A table is for eyes: a thousand rows, and where to get the rest."""
    done = run(filled, "query", "select * from generate_series(1, 1001)")

    assert (0, 1001) == (done.code, len(done.out.splitlines()))
    assert "only the first 1,000 rows are shown" in done.err


@pytest.mark.parametrize(
    "sql",
    [
        "delete from warehouse.ohlc",
        "insert into warehouse.loads (source) values ('x')",
        "drop table warehouse.ohlc",
        "with gone as (delete from warehouse.ohlc returning *) select count(*) from gone",
        "select nextval('warehouse.loads_load_id_seq')",
    ],
)
def test_writing_is_refused(sql: str, filled: dict[str, str]) -> None:
    """A sentence that says why, and exit code 2."""
    done = run(filled, "query", sql)

    assert (2, "") == (done.code, done.out)
    assert done.err.startswith("crypto-pipeline: query only reads, and changes nothing: cannot ")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selec 1", 'the database refuses this SQL: syntax error at or near "selec"'),
        ("select nope", 'the database refuses this SQL: column "nope" does not exist'),
        ("select 1; select 2", "query takes one statement at a time"),
        ("  ", "there is no SQL: give it as an argument or on standard input"),
        ("select 1 / 0", "the database refuses this SQL: division by zero"),
        ("copy (select 1) to stdout", "the database refuses this SQL: COPY cannot be used"),
    ],
)
def test_wrong_sql_is_one_sentence(sql: str, said: str, filled: dict[str, str]) -> None:
    """What the database has against it, without its stack and without our tricks."""
    done = run(filled, "query", sql)

    assert (2, "", 1) == (done.code, done.out, len(done.err.splitlines()))
    assert done.err.startswith(f"crypto-pipeline: {said}")


def test_slow_query_is_given_up(filled: dict[str, str]) -> None:
    """``--timeout`` bounds it, and the sentence names the option."""
    done = run(filled, "query", "select pg_sleep(30)", "--timeout", "1")

    assert done.code == 2
    assert done.err == (
        "crypto-pipeline: the query took longer than 1 seconds: ask for less, or raise --timeout\n"
    )


def test_columns_of_one_name_are_refused_in_json(filled: dict[str, str]) -> None:
    """No value is lost silently; CSV has room for both."""
    sql = "select 1 as a, 2 as a"

    assert run(filled, "query", sql, "--format", "json").code == 2
    assert run(filled, "query", sql, "--format", "csv").out == "a,a\n1,2\n"
