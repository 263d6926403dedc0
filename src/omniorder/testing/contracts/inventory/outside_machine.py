"""Random calls to a retailer's own stock system, each compared with a model that is too simple to be wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from omniorder.errors import OutOfStock
from omniorder.testing.contracts.inventory.bench import gone
from omniorder.testing.contracts.inventory.outside import HELD_FOR, OutsideBench, OutsideCase
from omniorder.testing.samples import SOFIA, VARNA

_STORES: Final = (SOFIA, VARNA)
_RUNS: Final = count(1)
_few: Final = st.integers(1, 4)


class _Held:
    """A reservation as the model knows it."""

    def __init__(self, store: str, units: dict[str, int], until: datetime) -> None:
        self.store = store
        self.units = units
        self.until: datetime | None = until
        self.consumed = dict.fromkeys(units, 0)
        self.released = dict.fromkeys(units, 0)

    def live(self, sku: str) -> int:
        return self.units.get(sku, 0) - self.consumed.get(sku, 0) - self.released.get(sku, 0)


class OutsideInventoryMachine(RuleBasedStateMachine):
    """Subclass it, say in `open` how to open your inventory, and run its `TestCase`.

    Every run has articles and reservations of its own, so `open` may give the same inventory again and again. Time goes
    by where the bench has the lever for it, and each call may lose its reply where it has that one.
    """

    def open(self) -> OutsideBench:
        """An inventory to be tried."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its inventory")

    @initialize()
    def begin(self) -> None:
        run = next(_RUNS)
        self.skus = [f"ARTICLE-{run}-{letter}" for letter in "AB"]
        self.case = OutsideCase(self.open())
        self.shelf: dict[tuple[str, str], int] = {}
        self.held: dict[str, _Held] = {}
        self.over: list[str] = []
        self.names = count(1)

    @rule(store=st.sampled_from(_STORES), which=st.integers(0, 1), units=_few)
    def stock(self, store: str, which: int, units: int) -> None:
        self.case.stock({self.skus[which]: units}, store)
        self.shelf[store, self.skus[which]] = self.shelf.get((store, self.skus[which]), 0) + units

    @rule(store=st.sampled_from(_STORES), one=st.integers(0, 4), other=st.integers(0, 4))
    def reserve(self, store: str, one: int, other: int) -> None:
        units = {sku: number for sku, number in zip(self.skus, (one, other), strict=True) if number}
        if units:
            self._try_to_hold(f"reservation {next(self.names)}", _Held(store, units, self.case.until()))

    @rule(data=st.data())
    def hold_anew(self, data: st.DataObject) -> None:
        """The same request once more; what ran out meanwhile must still be there."""
        name = self._one(data)
        if name is None:
            return
        held = self.held[name]
        if self._stands(held):
            self.case.reserve(name, held.units, held.store)
            self._at_least(held, HELD_FOR)
        else:
            held.until = self.case.until()
            self._try_to_hold(name, held)

    def _try_to_hold(self, name: str, held: _Held) -> None:
        self.held.pop(name, None)
        if all(held.live(sku) <= self._free(held.store, sku) for sku in held.units):
            self.case.reserve(name, held.units, held.store)
            self.held[name] = held
        else:
            with pytest.raises(OutOfStock):
                self.case.reserve(name, held.units, held.store)
            self.case.release(name)
            self.over.append(name)

    @rule(data=st.data(), times=_few)
    def extend(self, data: st.DataObject, times: int) -> None:
        name = self._one(data)
        if name is None:
            return
        if self._stands(self.held[name]):
            self.case.extend(name, HELD_FOR * times)
            self._at_least(self.held[name], HELD_FOR * times)
        else:
            gone(lambda: self.case.extend(name))

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        name = self._one(data)
        if name is None:
            return
        if self._stands(self.held[name]):
            self.case.confirm(name)
            self.held[name].until = None
        else:
            gone(lambda: self.case.confirm(name))

    @rule(data=st.data(), total=_few, consumed=st.booleans(), times=st.integers(1, 2))
    def resolve(self, data: st.DataObject, total: int, consumed: bool, times: int) -> None:
        """Some units have left the store, or were given back."""
        name = self._one(data)
        if name is None:
            return
        held = self.held[name]
        sku = data.draw(st.sampled_from(sorted(held.units)))
        counted = held.consumed if consumed else held.released
        call = self.case.consume if consumed else self.case.release
        more = max(0, total - counted[sku])
        if more > held.live(sku):
            gone(lambda: call(name, {sku: total}))
            return
        stood = self._stands(held)
        for _ in range(times):
            call(name, {sku: total})
        counted[sku] += more
        if consumed:
            self.shelf[held.store, sku] = max(0, self.shelf[held.store, sku] - more)
            held.until = None if stood else held.until

    @rule(data=st.data(), times=st.integers(1, 2))
    def release(self, data: st.DataObject, times: int) -> None:
        name = self._one(data)
        if name is not None:
            for _ in range(times):
                self.case.release(name)
            del self.held[name]
            self.over.append(name)

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        """What has ended has ended."""
        if self.over:
            name = data.draw(st.sampled_from(self.over))
            gone(lambda: self.case.confirm(name))
            gone(lambda: self.case.reserve(name, {self.skus[0]: 1}))

    @rule(minutes=st.sampled_from([1, 16, 40]))
    def wait(self, minutes: int) -> None:
        if self.case.bench.pass_time is not None:
            self.case.bench.pass_time(timedelta(minutes=minutes))

    @invariant()
    def books_are_right(self) -> None:
        if hasattr(self, "case"):
            for store, sku in self.shelf:
                assert self.case.available(sku, store) == self._free(store, sku)

    def _free(self, store: str, sku: str) -> int:
        taken = sum(held.live(sku) for held in self.held.values() if held.store == store and self._stands(held))
        return max(0, self.shelf.get((store, sku), 0) - taken)

    def _stands(self, held: _Held) -> bool:
        return held.until is None or self.case.bench.now() < held.until

    def _at_least(self, held: _Held, lasts: timedelta) -> None:
        if held.until is not None:
            held.until = max(held.until, self.case.until(lasts))

    def _one(self, data: st.DataObject) -> str | None:
        return data.draw(st.sampled_from(sorted(self.held))) if self.held else None
