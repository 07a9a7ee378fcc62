"""The warehouse on a real server: schema, writer, ledger and limits."""
