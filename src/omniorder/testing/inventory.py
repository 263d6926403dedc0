"""A retailer's own stock system in memory: it keeps what a real one keeps, forgets what has run out, and fails on
command.

Levers: `down`, `lose_next_reply`, `drop_next_request`, and `lose`, with which somebody gives up in that system what is
held for us. `held` and `on_hand` show its books, to be compared with ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from threading import RLock

from attrs import define

from omniorder.errors import InventoryFault, InventoryUnavailable, OmniorderError, OutOfStock, ReservationGone
from omniorder.ports.clock import Clock, SystemClock

__all__ = ["FakeInventory"]


class _Luck(Enum):
    LOST = "the reply was lost"
    UNHEARD = "the request never arrived"


@define
class _Reservation:
    """What is on file under one id. `party` is shared by those that may overlap; `over` once it was released."""

    store: str
    units: dict[str, int]
    until: datetime | None
    party: str
    consumed: dict[str, int]
    released: dict[str, int]
    over: bool = False

    def stands(self, now: datetime) -> bool:
        return not self.over and (self.until is None or now < self.until)

    def rest(self, sku: str) -> int:
        return self.units.get(sku, 0) - self.consumed.get(sku, 0) - self.released.get(sku, 0)


class FakeInventory:
    """An `Inventory` for tests and demonstrations. Thread-safe. What is held runs out by `clock`."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.down: bool = False
        """While it is, no request arrives."""
        self.requests: list[tuple[str, str]] = []
        """Everything that was asked, as (method, reservation), the oldest first, whatever became of it."""
        self._clock = clock or SystemClock()
        self._lock = RLock()
        self._on_hand: dict[tuple[str, str], int] = {}
        self._file: dict[str, _Reservation] = {}
        self._luck: deque[_Luck] = deque()

    # --- the port ---

    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """What is on hand and not held."""
        with self._asked("available"):
            return {(store, sku): self._free(store, sku) for store in stores for sku in skus}

    def reserve(
        self, reservation: str, store: str, units: Mapping[str, int], until: datetime, instead_of: str | None = None
    ) -> None:
        """Hold all of it or nothing."""
        with self._asked("reserve", reservation):
            known = self._file.get(reservation)
            if known is not None and not known.over and (known.store, known.units) != (store, dict(units)):
                raise InventoryFault(inventory="fake", reason=f"{reservation} holds something else")
            if known is not None and known.stands(self._now()):
                self._at_least(known, until)
                return
            if (known is not None and known.over) or until <= self._now():
                raise ReservationGone(reservation=reservation, state="released" if known else "too late")
            party = self._party(reservation, store, instead_of)
            wanted = {sku: known.rest(sku) for sku in units} if known else dict(units)
            short = [
                {"sku": sku, "wanted": number, "available": self._free(store, sku, party)}
                for sku, number in sorted(wanted.items())
                if number > self._free(store, sku, party)
            ]
            if short:
                raise OutOfStock(store=store, short=short)
            if known is None:
                self._file[reservation] = _Reservation(store, dict(units), until, party, {}, {})
            else:
                known.until, known.party = until, party

    def extend(self, reservation: str, until: datetime) -> None:
        """Hold it at least until then."""
        with self._asked("extend", reservation):
            self._at_least(self._standing(reservation), until)

    def confirm(self, reservation: str) -> None:
        """Hold it without a limit."""
        with self._asked("confirm", reservation):
            self._standing(reservation).until = None

    def consume(self, reservation: str, units: Mapping[str, int], reference: str) -> None:
        """Take it off the shelf."""
        with self._asked("consume", reservation):
            known = self._known(reservation)
            for sku, gone in self._growing(reservation, known, known.consumed, units).items():
                level = (known.store, sku)
                self._on_hand[level] = max(0, self._on_hand.get(level, 0) - gone)
                known.consumed[sku] = units[sku]
            if known.stands(self._now()):
                known.until = None

    def release(self, reservation: str, units: Mapping[str, int] | None = None) -> None:
        """Give it back."""
        with self._asked("release", reservation):
            if units is not None:
                known = self._known(reservation)
                more = self._growing(reservation, known, known.released, units)
                known.released.update({sku: units[sku] for sku in more})
            elif reservation in self._file:
                self._file[reservation].over = True
            else:
                self._file[reservation] = _Reservation("", {}, None, reservation, {}, {}, over=True)

    # --- its books ---

    @property
    def held(self) -> Mapping[str, Mapping[str, int]]:
        """What is held now: units per SKU, by reservation; what has ended or run out is left out."""
        with self._lock:
            now = self._now()
            standing = {name: one for name, one in self._file.items() if one.stands(now)}
            rests = {
                name: {sku: one.rest(sku) for sku in sorted(one.units) if one.rest(sku)}
                for name, one in standing.items()
            }
            return {name: rest for name, rest in rests.items() if rest}

    def limit(self, reservation: str) -> datetime | None:
        """Until when it is held; None without a limit. Raises `ReservationGone`."""
        with self._lock:
            return self._standing(reservation).until

    def on_hand(self, store: str, sku: str) -> int:
        """Units on the shelf, held or not."""
        with self._lock:
            return self._on_hand.get((store, sku), 0)

    # --- the shelf, and bad luck ---

    def stock(self, store: str, sku: str, units: int) -> None:
        """Put so many more units on the shelf."""
        with self._lock:
            self._on_hand[store, sku] = self._on_hand.get((store, sku), 0) + units

    def sell(self, store: str, sku: str, units: int) -> None:
        """Somebody without a promise took so many off the shelf, or all that there are."""
        with self._lock:
            self._on_hand[store, sku] = max(0, self._on_hand.get((store, sku), 0) - units)

    def lose(self, reservation: str) -> None:
        """Somebody gives up in that system what is held for us, as if its time had run out."""
        with self._lock:
            self._standing(reservation).until = self._now()

    def lose_next_reply(self) -> None:
        """The next call that changes something does, but its reply never arrives: `InventoryUnavailable`."""
        self._luck.append(_Luck.LOST)

    def drop_next_request(self) -> None:
        """The next call that changes something never arrives: `InventoryUnavailable` without effect."""
        self._luck.append(_Luck.UNHEARD)

    # --- how it keeps its books ---

    @contextmanager
    def _asked(self, method: str, reservation: str = "") -> Generator[None]:
        with self._lock:
            self.requests.append((method, reservation))
            luck = self._luck.popleft() if self._luck and reservation else None
            if self.down or luck is _Luck.UNHEARD:
                raise InventoryUnavailable(inventory="fake", reason="no answer")
            try:
                yield
            except OmniorderError:
                if luck is None:
                    raise
            if luck is _Luck.LOST:
                raise InventoryUnavailable(inventory="fake", reason=luck.value)

    def _now(self) -> datetime:
        return self._clock.now()

    def _free(self, store: str, sku: str, but: str = "") -> int:
        """On hand less what others than the party `but` hold; of those that may overlap the largest counts."""
        now = self._now()
        most: dict[str, int] = {}
        for one in self._file.values():
            if one.store == store and one.party != but and one.stands(now):
                most[one.party] = max(most.get(one.party, 0), one.rest(sku))
        return max(0, self._on_hand.get((store, sku), 0) - sum(most.values()))

    def _party(self, reservation: str, store: str, instead_of: str | None) -> str:
        old = self._file.get(instead_of or reservation)
        return old.party if old is not None and old.store == store else reservation

    def _at_least(self, known: _Reservation, until: datetime) -> None:
        if known.until is not None:
            known.until = max(known.until, until)

    def _known(self, reservation: str) -> _Reservation:
        known = self._file.get(reservation)
        if known is None:
            raise ReservationGone(reservation=reservation, state="unknown")
        return known

    def _standing(self, reservation: str) -> _Reservation:
        known = self._known(reservation)
        if not known.stands(self._now()):
            raise ReservationGone(reservation=reservation, state="released" if known.over else "expired")
        return known

    def _growing(
        self, reservation: str, known: _Reservation, before: Mapping[str, int], units: Mapping[str, int]
    ) -> dict[str, int]:
        """By how much more than was told before; raises `ReservationGone` for more than there is."""
        more = {sku: units[sku] - before.get(sku, 0) for sku in units if units[sku] > before.get(sku, 0)}
        for sku, number in more.items():
            if known.over or number > known.rest(sku):
                raise ReservationGone(reservation=reservation, state=f"down to {known.rest(sku)} of {sku}")
        return more
