"""Stock of the built-in ledger: receive, adjust, look."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.actors import Associate
from omniorder.domain.quantities import MAX_QUANTITY
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.stock import Level, Movement
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import InvalidQuantity, NotFound
from omniorder.services.ledger import Ledger, ledger_of
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.surface import several
from omniorder.services.units import Unit, in_transaction, reading

MOST_SKUS = 10_000
"""Levels that one call may ask for."""


@frozen
class Stock:
    """The built-in ledger. An associate sees and touches only their own store's."""

    parts: Parts
    touch: Touch

    @command("stock.receive")
    def receive(
        self, store: str, sku: str, quantity: int, *, reason: str = "", reference: str = "", key: str | None = None
    ) -> Level:
        """`quantity` units came in. Raises `InvalidQuantity`, `NotFound` (store or article)."""
        count = valid_quantity(quantity)
        ledger, why, what = self._ledger(), _short(reason, "reason"), _short(reference, "reference")

        def move(unit: Unit) -> None:
            ledger.receive(unit.tx, store, sku, count, unit.stamp, why, what)

        return self._change("stock.receive", store, sku, key, [count, why, what], move)

    @command("stock.adjust")
    def adjust(
        self, store: str, sku: str, by: int, *, reason: str, reference: str = "", key: str | None = None
    ) -> Level:
        """The books are wrong by `by` units (not 0). May go below what is reserved, which opens a shortage.

        Raises `InvalidQuantity`, `InvalidText` (no reason), `OutOfStock` (below zero), `NotFound`.
        """
        if valid_quantity(by, "by", least=-MAX_QUANTITY) == 0:
            raise InvalidQuantity("by", by, "must not be 0")
        ledger, why, what = self._ledger(), valid_reason(reason), _short(reference, "reference")

        def move(unit: Unit) -> None:
            ledger.adjust(unit.tx, store, sku, by, unit.stamp, why, what)

        return self._change("stock.adjust", store, sku, key, [by, why, what], move)

    @command("stock.keep_back")
    def keep_back(self, store: str, sku: str, quantity: int, *, key: str | None = None) -> Level:
        """Keep `quantity` units (0 or more) for walk-in customers: they are never promised."""
        count = valid_quantity(quantity, least=0)
        ledger = self._ledger()

        def move(unit: Unit) -> None:
            ledger.keep_back(unit.tx, store, sku, count)

        return self._change("stock.keep_back", store, sku, key, [count], move)

    def level(self, store: str, sku: str) -> Level:
        """On hand, reserved, safety and what may be promised; zeros where nothing was ever received."""
        return self.levels(store, [sku])[0]

    def levels(self, store: str, skus: Sequence[str]) -> tuple[Level, ...]:
        """The levels of these SKUs, in the same order. Raises `NotFound`, `TooMany`."""
        wanted = [ids.sku(sku) for sku in several(skus, object, "skus", "must be a list of SKUs", most=MOST_SKUS)]
        self._check_store(store)
        found = reading(self.parts, lambda tx: tx.levels(sorted(set(wanted)), [store]))
        levels = {level.sku: level for level in found}
        return tuple(levels.get(sku, Level(store, sku)) for sku in wanted)

    def movements(self, store: str, sku: str, *, after: str | None = None, limit: int = 50) -> Page[Movement]:
        """How the level came about, oldest first."""
        most = limited(limit, self.parts.settings.page_limit)
        checked = ids.sku(sku)
        self._check_store(store)
        start = position(after, str)
        last = start[0] if start else None
        found = reading(self.parts, lambda tx: tx.movements(store, checked, after=last, limit=most + 1))
        return page(found, most, cursor(found[:most][-1].id) if found else None)

    def _change(
        self, name: str, store: str, sku: str, key: str | None, request: object, move: Callable[[Unit], None]
    ) -> Level:
        checked = ids.sku(sku)
        self._check_store(store)
        if checked not in self.parts.catalogue.articles([checked]):
            raise NotFound("article", sku)

        def work(unit: Unit) -> None:
            if not unit.earlier(key, name, home=store, subject=checked, request=request, result=checked):
                move(unit)

        in_transaction(self.parts, self.touch.stamp(self.parts.clock), work)
        return self.level(store, checked)

    def _check_store(self, store: str) -> None:
        actor = self.touch.actor
        foreign = isinstance(actor, Associate) and actor.store != store
        if foreign or self.parts.stores.store(ids.store_id(store)) is None:
            raise NotFound("store", store)

    def _ledger(self) -> Ledger:
        return ledger_of(self.parts)


def _short(text: str, field: str) -> str:
    return valid_line(text, field, most=100, least=0)
