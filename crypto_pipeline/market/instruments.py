"""Instruments as this warehouse names them: ``BASE-QUOTE``, whatever a venue calls them."""

import re
from dataclasses import dataclass
from typing import Self

from crypto_pipeline.errors import UsageError

_NAME = re.compile(r"(?P<base>[A-Z0-9]{1,20})-(?P<quote>[A-Z0-9]{1,20})")


@dataclass(frozen=True, order=True, slots=True)
class Instrument:
    """A spot pair: so many ``quote`` for one ``base``."""

    base: str
    quote: str

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read ``BTC-USDT``; anything else is a UsageError that shows the form."""
        match = _NAME.fullmatch(name)
        if match is None:
            msg = f"{name!r} is not an instrument: write BASE-QUOTE in capitals, like BTC-USDT"
            raise UsageError(msg)
        return cls(match["base"], match["quote"])

    def __str__(self) -> str:
        """The name it is parsed from."""
        return f"{self.base}-{self.quote}"
