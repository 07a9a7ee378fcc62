"""Everything that speaks SQL: the embedded server, the schema, the writer and the coverage ledger.

What to fetch, and from whom, is decided elsewhere.
"""
