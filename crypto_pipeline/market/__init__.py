"""The pure domain: instruments, intervals, windows, series, datasets and the coverage algebra.

Nothing here reads a clock, a setting, a socket or a database.
"""
