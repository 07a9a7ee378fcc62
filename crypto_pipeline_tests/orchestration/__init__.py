"""Tests of crypto_pipeline.orchestration, against a real Dagster instance in Postgres."""
