"""Many at once: threads that are let go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from omniorder.errors import OmniorderError

T = TypeVar("T")

MANY = 16
PATIENCE = 30.0  # seconds, so that what hangs fails


def at_once(works: Sequence[Callable[[], T]]) -> list[T | OmniorderError]:
    """Run each in a thread of its own; what each returned, or the typed error with which it was refused."""
    gate = Barrier(len(works))

    def run(work: Callable[[], T]) -> T | OmniorderError:
        gate.wait(PATIENCE)
        try:
            return work()
        except OmniorderError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result(PATIENCE) for done in [pool.submit(run, work) for work in works]]


def won(results: Sequence[T | OmniorderError]) -> list[T]:
    """What was not refused."""
    return [result for result in results if not isinstance(result, OmniorderError)]


def refused(results: Sequence[T | OmniorderError]) -> list[str]:
    """The codes of the refusals."""
    return [result.code for result in results if isinstance(result, OmniorderError)]
