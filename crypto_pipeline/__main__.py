"""``python -m crypto_pipeline``: the command line where the console script is not on the path."""

from crypto_pipeline.cli import main

if __name__ == "__main__":
    main()
