"""All that Dagster knows of: partitions, assets, checks, jobs, schedules, sensors, backfills.

Nothing here fetches, parses or stores; it calls the line and shows what the ledger says.
"""
