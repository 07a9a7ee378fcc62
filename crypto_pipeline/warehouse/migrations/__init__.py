"""Alembic's environment and the migrations; run through ``migrate``, never by hand."""
