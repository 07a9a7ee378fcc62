"""What the long-running commands say in the terminal; results of commands are printed elsewhere."""

from datetime import datetime

from rich.console import Console

_CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line with the local time of day, for a person who watches."""
    _CONSOLE.print(f"{datetime.now().astimezone():%H:%M:%S}  {text}", markup=False)
