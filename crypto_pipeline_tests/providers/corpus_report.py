"""Prints what became of every recorded reply: ``python -m crypto_pipeline_tests.providers.corpus_report``."""

import sys
from pathlib import Path

from crypto_pipeline.cli.output import print_table
from crypto_pipeline_tests.conftest import CORPUS
from crypto_pipeline_tests.providers.corpus import claims


def main(corpus: Path) -> int:
    """The table, and below it how many recordings were claimed by a parser."""
    if not corpus.is_dir():
        print(f"there are no recorded replies at {corpus}", file=sys.stderr)  # noqa: T201
        return 1
    found = list(claims(corpus))
    columns = ("file", "provider", "dataset", "became")
    print_table(columns, [(one.file, one.provider, one.dataset, one.became) for one in found])
    ours = [one for one in found if one.provider and one.is_as_it_should_be]
    answers = [one for one in ours if not one.is_error]
    wrong = sum(not one.is_as_it_should_be for one in found)
    print(  # noqa: T201
        f"\n{len(found)} recordings: {len(answers)} answers of {sum(len(one.rows) for one in answers)} "
        f"rows, {len(ours) - len(answers)} errors, {wrong} not what they should be, "
        f"{len(found) - len(ours) - wrong} of no endpoint of ours"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else CORPUS))
