"""Being asked to stop: the first signal lets what was begun be finished, the second ends the process at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Final, final

__all__ = ["Stop", "stopped_by_signals"]


@final
class Stop:
    """Whether somebody asked; call it to know."""

    def __init__(self) -> None:
        self._asked = False
        # a queue rather than an Event: this one may be woken by a signal handler of the thread that waits for it
        self._bell: Final[SimpleQueue[None]] = SimpleQueue()

    def __call__(self) -> bool:
        return self._asked

    def ask(self) -> None:
        """Stop, as soon as what is in hand is finished."""
        self._asked = True
        self._bell.put(None)

    def rest(self, seconds: float) -> None:
        """Wait so long, or until somebody asks."""
        if not self._asked:
            with suppress(Empty):
                self._bell.get(timeout=seconds)


@contextmanager
def stopped_by_signals(stop: Stop) -> Generator[None]:
    """Let SIGTERM and SIGINT ask `stop`. Outside of the main thread nobody can, and nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(signum: int, _: object) -> None:
        stop.ask()
        signal.signal(signum, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
