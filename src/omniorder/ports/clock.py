"""Time and chance, so that a test or a simulator can hold both in its hand."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """An aware UTC instant, to the microsecond.

        With actor and channel it tells one command from another when the database fell silent during a COMMIT, so a
        clock that only tells whole seconds would take two quick commands of one customer for the same.
        """
        ...


class Entropy(Protocol):
    """Where ids and secrets come from."""

    def bytes(self, count: int) -> bytes:
        """`count` unguessable bytes."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        return datetime.now(UTC)


class SystemEntropy:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        """`count` bytes that nobody can guess."""
        return secrets.token_bytes(count)
