"""Random calls to an inventory, each compared with a model that is too simple to be wrong."""

from __future__ import annotations

from itertools import count
from typing import ClassVar, Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from omniorder.errors import OutOfStock
from omniorder.testing.contracts.inventory.bench import Case, InventoryBench, gone
from omniorder.testing.samples import SOFIA, VARNA

_STORES: Final = (SOFIA, VARNA)
_RUNS: Final = count(1)
_few: Final = st.integers(1, 4)


class _Held:
    """A reservation as the model knows it."""

    def __init__(self, store: str, units: dict[str, int]) -> None:
        self.store = store
        self.live = units
        self.firm = False


class InventoryMachine(RuleBasedStateMachine):
    """Subclass it, say in `open` how to open your inventory, and run its `TestCase`.

    Every run has articles and reservations of its own, so `open` may give the same storage again and again.
    """

    keeps_levels: ClassVar[bool] = True

    def open(self) -> InventoryBench:
        """An inventory to be tried."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its inventory")

    @initialize()
    def begin(self) -> None:
        self.run = next(_RUNS)
        self.skus = [f"ARTICLE-{self.run}-{letter}" for letter in "AB"]
        self.case = Case(self.open(), keeps_levels=self.keeps_levels, run=self.run)
        self.shelf: dict[tuple[str, str], int] = {}
        self.held: dict[str, _Held] = {}
        self.tried: list[str] = []

    @rule(store=st.sampled_from(_STORES), which=st.integers(0, 1), units=_few)
    def stock(self, store: str, which: int, units: int) -> None:
        self.case.stock({self.skus[which]: units}, store)
        self.shelf[store, self.skus[which]] = self.shelf.get((store, self.skus[which]), 0) + units

    @rule(store=st.sampled_from(_STORES), one=st.integers(0, 4), other=st.integers(0, 4), replace=st.data())
    def reserve(self, store: str, one: int, other: int, replace: st.DataObject) -> None:
        units = {sku: number for sku, number in zip(self.skus, (one, other), strict=True) if number}
        if not units:
            return
        soft = [name for name, held in self.held.items() if not held.firm]
        old = replace.draw(st.sampled_from([None, *soft]))
        freed = self.held[old] if old else None
        room = {
            sku: self._available(store, sku) + (freed.live.get(sku, 0) if freed and freed.store == store else 0)
            for sku in units
        }
        name = f"reservation {len(self.tried)}"
        self.tried.append(name)
        if all(room[sku] >= number for sku, number in units.items()):
            self.case.reserve(name, units, store, instead_of=old)
            self.held[name] = _Held(store, units)
            if old:
                del self.held[old]
        else:
            with pytest.raises(OutOfStock):
                self.case.reserve(name, units, store, instead_of=old)

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        name = self._one(data, firm=False)
        if name:
            self.case.confirm(name)
            self.held[name].firm = True

    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        name = self._one(data, firm=False)
        if name:
            self.case.extend(name)

    @rule(data=st.data(), units=_few, consumed=st.booleans())
    def resolve(self, data: st.DataObject, units: int, consumed: bool) -> None:
        """Some units of what is firm leave the store, or are given back."""
        name = self._one(data, firm=True)
        if not name:
            return
        held = self.held[name]
        sku = data.draw(st.sampled_from(sorted(held.live)))
        call = self.case.consume if consumed else self.case.release
        if units > held.live[sku]:
            gone(lambda: call(name, {sku: units}))
            return
        call(name, {sku: units})
        held.live[sku] -= units
        self.shelf[held.store, sku] -= units if consumed else 0
        self._tidy(name)

    @rule(data=st.data(), firm=st.booleans(), expired=st.booleans())
    def release(self, data: st.DataObject, firm: bool, expired: bool) -> None:
        name = self._one(data, firm=firm)
        if name:
            self.case.release(name, expired=expired)
            del self.held[name]

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        """What has ended has ended."""
        over = [name for name in self.tried if name not in self.held]
        if over:
            name = data.draw(st.sampled_from(over))
            gone(lambda: self.case.release(name))

    @invariant()
    def books_are_right(self) -> None:
        if not hasattr(self, "case"):
            return
        for store, sku in self.shelf:
            assert self.case.available(sku, store) == self._available(store, sku)
        self.case.check()

    def _available(self, store: str, sku: str) -> int:
        taken = sum(held.live.get(sku, 0) for held in self.held.values() if held.store == store)
        return self.shelf.get((store, sku), 0) - taken

    def _one(self, data: st.DataObject, *, firm: bool) -> str | None:
        names = [name for name, held in self.held.items() if held.firm is firm]
        return data.draw(st.sampled_from(names)) if names else None

    def _tidy(self, name: str) -> None:
        held = self.held[name]
        held.live = {sku: number for sku, number in held.live.items() if number}
        if not held.live:
            del self.held[name]
