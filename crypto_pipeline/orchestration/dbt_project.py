"""The dbt project: where it lies, what dbt made of it, and the processes in which dbt works.

What dbt makes of the models is kept until they change; nothing here imports dbt or Dagster.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from crypto_pipeline.errors import UnreachableError

NAME = "dbt_models"
STOP_SECONDS = 10.0
_PACKAGE = Path(__file__).parents[1]
_SOURCES = {".sql", ".yml", ".yaml", ".md", ".csv"}
_NOBODY = {"PGHOST": "", "PGPORT": "5432", "PGUSER": "", "PGPASSWORD": "", "PGDATABASE": "any"}
"""What the profile asks for where an address does not say it; parsing asks no database at all."""

Answer = dict[str, Any]


class DbtFailed(UnreachableError):
    """dbt could not do its work at all."""


@dataclass(frozen=True, slots=True)
class Project:
    """The models, and the directory in which dbt may write."""

    models: Path
    state: Path

    def manifest(self) -> Mapping[str, Any]:
        """What dbt knows of the models; a DbtFailed says what is wrong with them."""
        found: Mapping[str, Any] = orjson.loads((self.parsed() / "manifest.json").read_bytes())
        return found

    def parsed(self) -> Path:
        """What dbt made of the models as they are now; making it takes some four seconds."""
        place = self.state / f"parsed-{self._fingerprint()}"
        if not place.is_dir():
            self._parse(place)
        return place

    def carry_out(
        self,
        commands: Sequence[Sequence[str]],
        environment: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> Iterator[Answer]:
        """Have dbt do something in the database that the environment names, and what it tells meanwhile."""
        with self._target() as target:
            options = ["--vars", json.dumps(variables)]
            yield from self._answers(target, commands, options, environment, self._parsed_file)

    def write_docs(self, environment: Mapping[str, str]) -> Path:
        """Have dbt describe the models and their tables on a page; its file."""
        with self._target() as target:
            commands = [["docs", "generate", "--static"]]
            _raise_if_failed(self._answers(target, commands, [], environment, self._parsed_file))
            return (target / "static_index.html").replace(self.state / "docs.html")

    def _fingerprint(self) -> str:
        """Another one as soon as a model, or dbt itself, is another."""
        digest = sha256(f"{version('dbt-core')} {version('dbt-postgres')}".encode())
        for file in sorted(self.models.rglob("*")):
            if file.suffix in _SOURCES and "target" not in file.relative_to(self.models).parts:
                digest.update(f"\0{file.relative_to(self.models)}\0".encode())
                digest.update(file.read_bytes())
        return digest.hexdigest()[:16]

    def _parse(self, place: Path) -> None:
        """Whoever else parses at the same time comes to the same; the first one's is kept."""
        with self._target() as target:
            _raise_if_failed(self._answers(target, [["parse"]], [], _NOBODY))
            for old in set(self.state.glob("parsed-*")) - {place}:
                shutil.rmtree(old, ignore_errors=True)
            with suppress(OSError):
                target.rename(place)

    @contextmanager
    def _target(self) -> Iterator[Path]:
        self.state.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(
            dir=self.state, prefix="target-", ignore_cleanup_errors=True
        ) as target:
            yield Path(target)

    def _answers(
        self,
        target: Path,
        commands: Sequence[Sequence[str]],
        options: Sequence[str],
        environment: Mapping[str, str],
        parsed: Path | None = None,
    ) -> Iterator[Answer]:
        where = ("--project-dir", self.models, "--profiles-dir", self.models)
        written = ("--target-path", target, "--log-path", self.state / "logs")
        asked = {
            "lock": str(self.state / "lock"),
            "parsed": parsed and str(parsed),
            "commands": commands,
            "options": ["--quiet", "--no-use-colors", *map(str, where + written), *options],
        }
        told = {**os.environ, **_NOBODY, **environment, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        with _ended(_started(told)) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(asked))
            process.stdin.close()
            yield from (json.loads(line) for line in process.stdout)
        if process.returncode:
            msg = f"dbt ended with exit code {process.returncode}: see {self.state / 'logs'}"
            raise DbtFailed(msg)

    @property
    def _parsed_file(self) -> Path:
        return self.parsed() / "partial_parse.msgpack"


def project_in(data_dir: Path) -> Project:
    """The models of a checkout or, of an installed package, those it carries."""
    for place in (_PACKAGE.parent, _PACKAGE):
        if (place / NAME / "dbt_project.yml").is_file():
            return Project(place / NAME, data_dir.resolve() / "dbt")
    msg = f"{NAME} is missing beside the package: install it again"
    raise UnreachableError(msg)


def _raise_if_failed(answers: Iterable[Answer]) -> None:
    if errors := [str(one["error"]) for one in answers if "error" in one]:
        raise DbtFailed("dbt does not understand the models: " + "; ".join(errors))


def _started(environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """The script alone is run, for it knows dbt and nothing of this package."""
    script = Path(__file__).with_name("dbt_process.py")
    return subprocess.Popen(
        [sys.executable, "-P", script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def _ended(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """However this ends, the process does too: asked first, so that it calls its statements off."""
    with process:
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
