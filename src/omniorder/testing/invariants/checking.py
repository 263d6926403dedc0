"""An invariant: a question to a whole database, answered by the rows that break it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Final, Protocol, cast, final

from attrs import frozen

from omniorder.domain.passes import KeyRing
from omniorder.services.hub import OrderHub
from omniorder.services.settings import Settings
from omniorder.testing.invariants.inspection import Inspection, Remembered, inspecting
from omniorder.testing.provider import ProviderPayment

__all__ = ["Broken", "Invariant", "InvariantBroken", "ProviderBooks", "View", "invariant", "viewing"]

MOST_ROWS: Final = 100
"""Rows told per invariant: whoever has more than these has a bigger problem than their number."""


class ProviderBooks(Protocol):
    """What a payment provider has on file, to be compared with what we believe: `FakeGateway` shows it."""

    @property
    def payments(self) -> tuple[ProviderPayment, ...]:
        """Everything on file, the oldest first; what was declined or given back too."""
        ...

    @property
    def effects(self) -> Mapping[str, int]:
        """How often each idempotency key moved or set aside money."""
        ...


@frozen
class View:
    """What an invariant looks at: all rows in one state, and what the hub was opened with.

    `now` is the hub's clock, in UTC. `keys` are the secrets of pick-up passes, None without any. `books` are the
    providers' by tender kind. `secrets` are texts that may be stored nowhere.
    """

    rows: Inspection
    settings: Settings
    keys: KeyRing | None
    now: datetime
    books: Mapping[str, ProviderBooks]
    secrets: tuple[str, ...]


@frozen
class Broken:
    """One invariant that doesn't hold, and the rows that say so: at most 100 of them, told as text."""

    name: str
    claim: str
    rows: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((f"{self.name}: {self.claim}", *(f"    {row}" for row in self.rows)))


class InvariantBroken(AssertionError):
    """The database is in a state that no sequence of commands may lead to; `broken` says in what way."""

    def __init__(self, broken: Iterable[Broken]) -> None:
        self.broken: Final = tuple(broken)
        super().__init__("\n".join(("", *map(str, self.broken))))


@contextmanager
def viewing(
    hub: OrderHub, books: Mapping[str, object] | None = None, secrets: Iterable[str] = (), *, keep: bool = True
) -> Generator[View]:
    """One state of the hub's database, for as long as the block runs.

    `books` and `secrets` as in `check_all`. `keep`: read each table once, which takes memory and saves time. Raises
    `Misconfigured` for a storage that can't be inspected.
    """
    parts = hub.journal.parts
    found = parts.gateways if books is None else books
    shown = {kind: cast(ProviderBooks, one) for kind, one in found.items() if hasattr(one, "effects")}
    with inspecting(parts.storage) as rows:
        kept = Remembered(rows) if keep else rows
        yield View(kept, parts.settings, parts.keys, parts.clock.now(), shown, tuple(secrets))


@final
class Invariant:
    """A claim about the whole database. Call it with a hub: it returns nothing, or raises `InvariantBroken`."""

    def __init__(self, look: Callable[[View], Iterator[str]]) -> None:
        self.name: Final = look.__name__
        self.claim: Final = " ".join((look.__doc__ or "").split())
        self.__doc__ = look.__doc__
        self._look = look

    def __repr__(self) -> str:
        return f"<invariant {self.name}>"

    def __call__(
        self, hub: OrderHub, *, gateways: Mapping[str, object] | None = None, secrets: Iterable[str] = ()
    ) -> None:
        with viewing(hub, gateways, secrets, keep=False) as view:
            broken = self.broken(view)
        if broken is not None:
            raise InvariantBroken([broken])

    def broken(self, view: View) -> Broken | None:
        """How this view breaks it, or None."""
        rows = tuple(islice(self._look(view), MOST_ROWS))
        return Broken(self.name, self.claim, rows) if rows else None


def invariant(look: Callable[[View], Iterator[str]]) -> Invariant:
    """Make an invariant of a function that yields the rows that break it; its docstring is the claim."""
    return Invariant(look)
