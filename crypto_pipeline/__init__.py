"""A crypto market data warehouse that knows what it holds, what it lacks, and why."""
