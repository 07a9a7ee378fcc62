"""The process in which dbt works: told by JSON on standard input what to do, it answers in lines of JSON.

The only module that imports dbt, which takes two seconds; nothing imports this one.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any, TextIO

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

PROGRESS = "LogModelResult"
FAILED = ("error", "fail", "warn")


def main() -> None:
    """Carry out the commands one after the other, with no second dbt at the same tables."""
    answers, sys.stdout = sys.stdout, sys.stderr
    asked = json.load(sys.stdin)

    def on_event(event: Any) -> None:
        if event.info.name == PROGRESS:
            _answer(answers, told=event.info.msg.strip())

    with _alone(Path(asked["lock"])):
        parsed = _parsed(Path(asked["parsed"])) if asked["parsed"] else None
        dbt = dbtRunner(parsed, callbacks=[on_event])
        for command in asked["commands"]:
            done = dbt.invoke([*command, *asked["options"]])
            if done.exception:
                _answer(answers, error=str(done.exception).strip())
            for result in getattr(done.result, "results", ()):
                _answer(answers, **_result(result))


def _parsed(file: Path) -> Manifest:
    """What an earlier parse left: reading it takes 50 ms, and dbt would parse anew for other days.

    It was made for no database in particular; dbt insists that the models lie in the one it is in.
    """
    manifest = Manifest.from_msgpack(file.read_bytes())
    for node in (*manifest.nodes.values(), *manifest.sources.values()):
        node.database = os.environ["PGDATABASE"]
    return manifest


def _result(result: Any) -> dict[str, Any]:
    status = str(result.status)
    return {
        "id": result.node.unique_id,
        "status": status,
        "message": result.message,
        "failures": result.failures,
        "rows": (result.adapter_response or {}).get("rows_affected"),
        "seconds": result.execution_time,
        "sql": result.node.compiled_code if status in FAILED else None,
    }


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait for the turn; it ends with this process, however that ends."""
    with lock.open("w", encoding="utf-8") as file:
        flock(file, LOCK_EX)
        yield


def _answer(answers: TextIO, **line: Any) -> None:
    answers.write(json.dumps(line) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
