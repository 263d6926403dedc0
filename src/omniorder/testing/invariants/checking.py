"""An invariant: a question to a whole database, answered by the rows that break it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Final, Protocol, cast, final

from attrs import evolve, frozen

from omniorder.domain.passes import KeyRing
from omniorder.errors import Misconfigured
from omniorder.ports.inspection import Inspectable, Inspection
from omniorder.ports.storage import Storage
from omniorder.services.hub import OrderHub
from omniorder.services.settings import Settings
from omniorder.testing.invariants.rows import PAGED, Rows, pages
from omniorder.testing.provider import ProviderPayment

__all__ = [
    "Broken",
    "Invariant",
    "InvariantBroken",
    "ProviderBooks",
    "View",
    "examine",
    "inspecting",
    "invariant",
    "viewing",
    "whole",
]

MOST_ROWS: Final = 20
"""Rows told per invariant: whoever has more than these has a bigger problem than their number."""

PAGE: Final = 500
"""Rows of one table that are judged at a time."""


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
    """What an invariant looks at: rows of one state, and what the hub was opened with.

    `everything` is the database, `rows` the part of it that is in question. `now` is the hub's clock, in UTC. `keys`
    are the secrets of pick-up passes, None without any. `books` are the providers' by tender kind. `secrets` are
    texts that may be stored nowhere.
    """

    everything: Inspection
    rows: Rows
    settings: Settings
    keys: KeyRing | None
    now: datetime
    books: Mapping[str, ProviderBooks]
    secrets: tuple[str, ...]


@frozen
class Broken:
    """One invariant that doesn't hold: how many rows say so, and the first 20 of them, told as text."""

    name: str
    claim: str
    rows: tuple[str, ...]
    count: int

    def __str__(self) -> str:
        more = self.count - len(self.rows)
        told = [f"    {row}" for row in self.rows] + ([f"    ... and {more} more"] if more else [])
        return "\n".join((f"{self.name}: {self.claim}", *told))


class InvariantBroken(AssertionError):
    """The database is in a state that no sequence of commands may lead to; `broken` says in what way."""

    def __init__(self, broken: Iterable[Broken]) -> None:
        self.broken: Final = tuple(broken)
        super().__init__("\n".join(("", *map(str, self.broken))))


def inspecting(storage: Storage) -> AbstractContextManager[Inspection]:
    """One state of everything in `storage`; raises `Misconfigured` for one that can't be inspected."""
    if not isinstance(storage, Inspectable):
        raise Misconfigured(needs=f"a storage that can be inspected: {type(storage).__name__} can't")
    return storage.inspecting()


@contextmanager
def viewing(hub: OrderHub, books: Mapping[str, object] | None = None, secrets: Iterable[str] = ()) -> Generator[View]:
    """One state of the hub's database, for as long as the block runs.

    `books` and `secrets` as in `check_all`. Raises `Misconfigured` for a storage that can't be inspected.
    """
    parts = hub.journal.parts
    found = parts.gateways if books is None else books
    shown = {kind: cast(ProviderBooks, one) for kind, one in found.items() if hasattr(one, "effects")}
    with inspecting(parts.storage) as rows:
        yield View(rows, Rows(rows), parts.settings, parts.keys, parts.clock.now(), shown, tuple(secrets))


@final
class Invariant:
    """A claim about the whole database. Call it with a hub: it returns nothing, or raises `InvariantBroken`.

    Unless it needs the database as a `whole`, it is asked about a page at a time.
    """

    def __init__(self, look: Callable[[View], Iterator[str]], *, whole: bool = False) -> None:
        self.name: Final = look.__name__
        self.claim: Final = " ".join((look.__doc__ or "").split())
        self.whole: Final = whole
        self.__doc__ = look.__doc__
        self._look = look

    def __repr__(self) -> str:
        return f"<invariant {self.name}>"

    def __call__(
        self, hub: OrderHub, *, gateways: Mapping[str, object] | None = None, secrets: Iterable[str] = ()
    ) -> None:
        with viewing(hub, gateways, secrets) as view:
            broken = examine(view, [self])
        if broken:
            raise InvariantBroken(broken)

    def broken_by(self, view: View) -> Iterator[str]:
        """The rows in question that break it."""
        return self._look(view)


def invariant(look: Callable[[View], Iterator[str]]) -> Invariant:
    """Make an invariant of a function that yields the rows that break it; its docstring is the claim.

    It is called with one page of rows after the other, of each table: what it says about a row may depend on what
    that names, and on nothing else.
    """
    return Invariant(look)


def whole(look: Callable[[View], Iterator[str]]) -> Invariant:
    """The same for one that has to see all rows at once: it reads them in their order and keeps few of them."""
    return Invariant(look, whole=True)


def examine(
    view: View,
    invariants: Sequence[Invariant],
    *,
    page: int = PAGE,
    on_progress: Callable[[str, int], None] = lambda table, rows: None,
) -> tuple[Broken, ...]:
    """Ask all of them; those that don't hold, in the order given.

    Reads each table in pages of so many rows, and holds no more than a few of them. `on_progress` is told of each
    table and of so many rows more that were judged, and of each invariant that needs the whole with 0 rows.
    """
    told: dict[str, list[str]] = {one.name: [] for one in invariants}
    count = dict.fromkeys(told, 0)

    def ask(one: Invariant, view: View) -> None:
        for row in one.broken_by(view):
            count[one.name] += 1
            if count[one.name] <= MOST_ROWS:
                told[one.name].append(row)

    paged = [one for one in invariants if not one.whole]
    for one in invariants:
        if one.whole:
            on_progress(one.name, 0)
            ask(one, view)
    for table in PAGED if paged else ():
        on_progress(table, 0)
        for rows in pages(view.everything, table, page):
            for one in paged:
                ask(one, evolve(view, rows=rows))
            on_progress(table, rows.judged)
    return tuple(
        Broken(one.name, one.claim, tuple(told[one.name]), count[one.name]) for one in invariants if count[one.name]
    )
