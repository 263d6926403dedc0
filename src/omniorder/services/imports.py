"""The receiving desk: batches of checked rows from the retailer's own systems, and how far each import has come.

What a row says of stores and articles is looked up before anything is written. Then a batch and the import's progress
are written in one transaction, so that after a crash nobody has to guess what was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from attrs import define, field, frozen

from omniorder.domain import ids
from omniorder.domain.articles import Article, Price
from omniorder.domain.events import Stamp
from omniorder.domain.imports import CountedLevel, Import, ImportKind, Refusal, import_id
from omniorder.domain.stores import Store
from omniorder.errors import Misconfigured, NotFound, StillRunning
from omniorder.ports.writes import CountWrite, ImportWrite, StockCount, Writes
from omniorder.services.ledger import Ledger
from omniorder.services.logs import command
from omniorder.services.parts import Parts, Touch
from omniorder.services.units import Unit, in_transaction, reading

Value: TypeAlias = Store | Article | Price | CountedLevel
"""What a row says."""

REASON = "import"
"""Why a level was counted: the reason of its movement. The movement's reference is the import's id."""

_MOST_KNOWN = 100_000
"""Articles that are remembered as known, so that memory is bounded and few rows are looked up twice."""


@frozen
class Row:
    """A value, and the line of the file on which it began."""

    line: int
    value: Value


@define
class Known:
    """Stores and articles that one run of an import has found to be there; nobody takes them away."""

    stores: set[str] | None = None
    skus: set[str] = field(factory=set[str])


@frozen
class Imports:
    """Takes rows of stores, articles, prices and levels, batch by batch."""

    parts: Parts
    touch: Touch

    def get(self, id: str) -> Import | None:
        """How far this import has come. Raises `InvalidId`."""
        checked = import_id(id)
        return reading(self.parts, lambda tx: tx.imported(checked))

    def now(self) -> datetime:
        """The instant that the hub's clock shows."""
        return self.parts.clock.now()

    def unknown(self, rows: Sequence[Row], known: Known) -> list[Refusal]:
        """Rows that name a store or an article that isn't there; what is there is noted in `known`."""
        named = [(row.line, *_names(row.value)) for row in rows]
        if known.stores is None:
            known.stores = {store.id for store in self.parts.stores.all()} if any(one[1] for one in named) else None
        if len(known.skus) > _MOST_KNOWN:
            known.skus.clear()
        if skus := sorted({sku for _, _, sku in named if sku is not None} - known.skus):
            known.skus.update(self.parts.catalogue.articles(skus))
        found: list[Refusal] = []
        for line, store, sku in named:
            if store is not None and store not in (known.stores or ()):
                found.append(Refusal(line, "store", NotFound("store", store)))
            elif sku is not None and sku not in known.skus:
                found.append(Refusal(line, "sku", NotFound("article", sku)))
        return found

    @command("imports.take")
    def take(self, before: Import | None, after: Import, rows: Sequence[Row]) -> None:
        """Write these rows and that the import has come to `after`, or nothing of it. Repeating it changes nothing.

        Raises `StillRunning` when somebody else has moved the import on since it was at `before`, `Misconfigured` for
        levels where the hub has an inventory of its own, `StorageFault`.
        """
        self.check(after.kind)
        stamp = self.touch.stamp(self.parts.clock)
        writes = self._writes(after.id, stamp, [row.value for row in rows])
        progress = Writes(imports=(ImportWrite(before, after),))

        def work(unit: Unit) -> None:
            found = unit.tx.imported(after.id)
            if found == after:
                return  # it was committed before, only the news of it was lost
            if found != before:
                raise StillRunning(command="import", id=after.id)
            unit.tx.write(progress + writes)

        in_transaction(self.parts, stamp, work)

    def check(self, kind: ImportKind) -> None:
        """Raises `Misconfigured` for levels where the hub has an inventory of its own."""
        if kind is ImportKind.LEVELS and not isinstance(self.parts.inventory, Ledger):
            raise Misconfigured(needs="the built-in ledger: this hub was opened with an inventory of its own")

    def _writes(self, id: str, stamp: Stamp, values: Sequence[Value]) -> Writes:
        """In the order of their keys, in which everybody locks them. Ids are drawn once, before the first try."""
        counted = sorted((one for one in values if isinstance(one, CountedLevel)), key=lambda one: (one.store, one.sku))
        drawn = self.parts.time_ordered_for(len(counted))
        counts = tuple(
            StockCount(one.store, one.sku, one.on_hand, ids.movement_id(one.store, entropy), one.safety)
            for one, entropy in zip(counted, drawn, strict=True)
        )
        return Writes(
            stores=tuple(sorted((one for one in values if isinstance(one, Store)), key=lambda one: one.id)),
            articles=tuple(sorted((one for one in values if isinstance(one, Article)), key=lambda one: one.sku)),
            prices=tuple(sorted((one for one in values if isinstance(one, Price)), key=lambda one: one.sku)),
            counts=(CountWrite(counts, stamp, REASON, id),) if counts else (),
        )


def _names(value: Value) -> tuple[str | None, str | None]:
    """The store and the SKU that must be there for this value to make sense."""
    return (value.store, value.sku) if isinstance(value, Price | CountedLevel) else (None, None)
