"""Readings: in order, ahead of who uses them, and none that waits for a file that did not come."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from crypto_pipeline.errors import DamagedFile
from crypto_pipeline.ingestion.archive_readings import Reading, Readings, ahead


def test_parts_are_made_ahead_and_come_in_order() -> None:
    """Each is asked for while the one before is used, and what breaks breaks where it would have."""
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in (1, 2, 3):
            made.append(number)
            yield number
        raise DamagedFile

    with ThreadPoolExecutor(1) as maker:
        coming = ahead(numbers(), maker)
        first = next(coming)
        with pytest.raises(DamagedFile):
            list(coming)

        assert (1, [1, 2, 3]) == (first, made)
        assert [1, 2] == list(ahead(iter([1, 2]), maker))
        assert [] == list(ahead(iter([]), maker))


def test_files_are_read_in_the_order_of_their_turns() -> None:
    """Whatever order they come in; one that breaks, or does not come, holds nobody up."""
    made: list[str] = []

    def file(name: str, *, breaks: bool = False) -> Callable[[], Iterator[str]]:
        def read() -> Iterator[str]:
            for number in range(9):
                made.append(f"{name}{number}")
                yield made[-1]
                if breaks:
                    raise DamagedFile

        return read

    async def all_of_them() -> list[Reading[str]]:
        with Readings() as readings:
            first, second, third, fourth = (readings.turn() for _ in range(4))
            late = [asyncio.create_task(fourth.begin(file("d")))]
            late.append(asyncio.create_task(third.begin(file("c", breaks=True))))
            second.give_up()
            begun = await first.begin(file("a"))
            assert [f"a{number}" for number in range(9)] == list(begun.parts())
            last, broken = await asyncio.gather(*late)
            assert ["c0"] == list(_until_broken(broken.parts()))
            assert 9 == len(list(last.parts()))
            return [begun]

    (again,) = asyncio.run(all_of_them())

    assert [*(f"a{number}" for number in range(9)), "c0"] == made[:10]
    assert "a0" == next(again.parts())


def _until_broken(parts: Iterator[str]) -> Iterator[str]:
    with pytest.raises(DamagedFile):
        yield from parts
