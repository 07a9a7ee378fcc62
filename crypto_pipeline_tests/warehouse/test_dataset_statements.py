"""The statements about rows, worded for each dataset: sound SQL whose names are the declaration's."""

from dataclasses import replace

import pytest
from psycopg import sql

from crypto_pipeline.market.datasets import DATASETS, NEWS, OHLC, Column, Dataset
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.dataset_statements import row_statements
from crypto_pipeline.warehouse.statements import statements

every_dataset = pytest.mark.parametrize(
    "dataset", [one for one in DATASETS.values() if one != NEWS], ids=lambda one: one.name
)


@every_dataset
def test_every_statement_is_worded(dataset: Dataset) -> None:
    """Each dataset has them all."""
    assert statements("rows").keys() == row_statements(dataset).keys()


@every_dataset
def test_table_has_the_columns_of_the_declaration(database: Database, dataset: Dataset) -> None:
    """What is written by name is there, in the rows and in their revisions."""
    columns = sql.SQL(", ").join(sql.Identifier(one.name) for one in dataset.columns)
    with database.connect() as connection:
        for name in (dataset.name, f"{dataset.name}_revisions"):
            table = sql.Identifier("warehouse", name)
            statement = sql.SQL("select {}, series_id, load_id from {}").format(columns, table)

            assert [] == connection.execute(statement).fetchall()


def test_articles_have_statements_of_their_own() -> None:
    """An article belongs to no single series; what is asked of every dataset is answered for it too."""
    asked = {"newest", "listings", "extents", "compared", "broken_promises", "sources"}

    assert asked <= row_statements(NEWS).keys() & row_statements(OHLC).keys()


def test_name_is_an_identifier_whatever_is_in_it() -> None:
    """A declaration cannot smuggle SQL in by a name."""
    odd = Column('x"; drop table y; --', "text", "", "")
    worded = row_statements(replace(OHLC, columns=(*OHLC.columns, odd)))["copy_new"]

    assert '"x""; drop table y; --"' in worded.as_string(None)
