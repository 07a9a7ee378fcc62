"""What a dataset promises of its rows, row by row."""
