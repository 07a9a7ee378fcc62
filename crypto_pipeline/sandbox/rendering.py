"""Integers as text, a whole page at a time.

Printing 1000 rows one by one would cost more than making them.
Cells are rows of bytes of one width; a zero byte is padding and is dropped at the end.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crypto_pipeline.sandbox.grids import Ints

Cells = npt.NDArray[np.uint8]

GROUP = 4
# Four digits as one 32-bit word: one table look-up prints all four.
GROUPS = np.array([f"{n:04d}".encode() for n in range(10**GROUP)], dtype="S4").view(np.uint32)
PLACES = 8


def whole(values: Ints) -> Cells:
    """``1502942400000``."""
    return _digits(values, least=1)


def decimal(values: Ints) -> Cells:
    """Integers of 1e-8 with all eight places: ``4261.48000000``."""
    digits = _digits(values, least=PLACES + 1)
    point = np.full((len(values), 1), ord("."), dtype=np.uint8)
    return np.hstack([digits[:, :-PLACES], point, digits[:, -PLACES:]])


def table(pieces: Sequence[bytes | Cells], rows: int) -> bytes:
    """The pieces side by side on every row; bytes repeat on each."""
    blocks = [
        np.broadcast_to(np.frombuffer(piece, dtype=np.uint8), (rows, len(piece)))
        if isinstance(piece, bytes)
        else piece
        for piece in pieces
    ]
    return np.hstack(blocks).tobytes().translate(None, b"\0")


def _digits(values: Ints, least: int) -> Cells:
    """Decimal digits of values >= 0, with at least so many of them."""
    length = max(len(str(int(values.max(initial=0)))), least)
    groups = -(-length // GROUP)
    words = np.empty((len(values), groups), dtype=np.uint32)
    rest = values
    for place in reversed(range(groups)):
        higher = rest // 10**GROUP
        words[:, place] = GROUPS[rest - higher * 10**GROUP]
        rest = higher
    digits = words.view(np.uint8)
    smallest = int(values.min(initial=2**62))
    for place in range(groups * GROUP - least):
        unit = 10 ** (groups * GROUP - 1 - place)
        if unit <= smallest:
            break
        digits[values < unit, place] = 0
    return digits
