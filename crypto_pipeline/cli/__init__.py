"""The command line ``crypto-pipeline``: one module a command, named as people type it.

Nothing here speaks SQL or HTTP; commands ask the line and the warehouse, and print what they say.
"""

from crypto_pipeline.cli.app import main

__all__ = ["main"]
