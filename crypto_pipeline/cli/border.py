"""Where every error of a command becomes one sentence and an exit code.

0 done, 1 the data falls short, 2 wrong use, 3 what is needed cannot be reached, 130 interrupted.
"""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any, ClassVar

import typer

from crypto_pipeline.errors import PipelineError, UnreachableError

PROGRAM = "crypto-pipeline"
_LOST_DATABASE = ("OperationalError", "InterfaceError", "DagsterPostgresException")
_ADDRESS = re.compile(r"\w+://\S+")
_PASSWORD = re.compile(r"(password\s*=\s*)('[^']*'|\S+)", re.IGNORECASE)


class Interrupted(PipelineError):
    """Stopped."""

    exit_code: ClassVar[int] = 130


def run(command: Any, arguments: Sequence[str]) -> int:
    """Run a typer command; its exit code."""
    try:
        with command.make_context(PROGRAM, list(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as request:
        return request.exit_code
    except BrokenPipeError:
        return _closed_by_the_reader()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last border there is
        if "--debug" in arguments:
            typer.echo(without_secrets(traceback.format_exc()), err=True)
        return _complain(error)
    return 0


def _closed_by_the_reader() -> int:
    """``| head`` has seen enough; what is left must not be flushed into the closed pipe at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _complain(error: BaseException) -> int:
    code, message = told(error)
    for line in without_secrets(message).splitlines():
        typer.echo(f"{PROGRAM}: {line}", err=True)
    return code


def told(error: BaseException) -> tuple[int, str]:
    """The exit code and the sentence of an error."""
    if isinstance(error, PipelineError):
        return error.exit_code, str(error)
    if isinstance(error, KeyboardInterrupt):
        return Interrupted.exit_code, str(Interrupted())
    if isinstance(error, typer.TyperException):
        return error.exit_code, error.format_message() + _where_to_read(error)
    if _is_lost_database(error):
        return UnreachableError.exit_code, f"the database failed: {_first_line(error)}"
    if isinstance(error, OSError):
        return 1, f"{error.filename or 'the system'}: {error.strerror or error}"
    kind = type(error).__name__
    return 1, f"unexpected {kind}: {_first_line(error)} ('{PROGRAM} --debug ...' shows where)"


def _where_to_read(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f" ('{context.command_path} --help' tells more)" if context else ""


def _is_lost_database(error: BaseException) -> bool:
    """Every driver names these errors alike (PEP 249), and none need be imported to tell."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return not names.isdisjoint(_LOST_DATABASE)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")


def without_secrets(text: str) -> str:
    """A driver may quote the whole address of a database, password included."""
    return _PASSWORD.sub(r"\1(hidden)", _ADDRESS.sub(_shown_address, text))


def _shown_address(match: re.Match[str]) -> str:
    """An address may be shown unless somebody is named in it."""
    return "(address hidden)" if "@" in match[0] else match[0]
