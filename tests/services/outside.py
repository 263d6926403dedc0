"""A shop whose stock is outside, in a system that may be down, and around which the caller may die."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from omniorder.domain.lifecycle import PickupState, PromiseState
from omniorder.testing import FakeClock, FakeInventory
from omniorder.testing.invariants import check_all, nothing_is_overdue, viewing
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.unruly import Killed

SHELVES: Mapping[tuple[str, str], int] = {
    (Shop.SOFIA, Shop.MILK): 40,
    (Shop.SOFIA, Shop.BREAD): 5,
    (Shop.SOFIA, Shop.APPLES): 20_000,
    (Shop.MARKET, Shop.MILK): 1,
    (Shop.VARNA, Shop.MILK): 10,
    (Shop.VARNA, Shop.BREAD): 2,
}


class UnrulyInventory(FakeInventory):
    """`kill_before`, `kill_after`: the method around which the caller dies, once. `meanwhile`: what others do then."""

    kill_before = ""
    kill_after = ""
    meanwhile: tuple[str, Callable[[], object]] | None = None

    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        self._before("available")
        return super().available(stores, skus)

    def reserve(
        self, reservation: str, store: str, units: Mapping[str, int], until: datetime, instead_of: str | None = None
    ) -> None:
        self._before("reserve")
        super().reserve(reservation, store, units, until, instead_of)
        self._after("reserve")

    def extend(self, reservation: str, until: datetime) -> None:
        self._before("extend")
        super().extend(reservation, until)
        self._after("extend")

    def confirm(self, reservation: str) -> None:
        self._before("confirm")
        super().confirm(reservation)
        self._after("confirm")

    def consume(self, reservation: str, units: Mapping[str, int], reference: str) -> None:
        self._before("consume")
        super().consume(reservation, units, reference)
        self._after("consume")

    def release(self, reservation: str, units: Mapping[str, int] | None = None) -> None:
        self._before("release")
        super().release(reservation, units)
        self._after("release")

    def _before(self, method: str) -> None:
        if self.kill_before == method:
            self.kill_before = ""
            raise Killed

    def _after(self, method: str) -> None:
        if self.meanwhile and self.meanwhile[0] == method:
            act, self.meanwhile = self.meanwhile[1], None
            act()
        if self.kill_after == method:
            self.kill_after = ""
            raise Killed


def outside_shop(open_shop: OpenShop, **options: Any) -> tuple[Shop, UnrulyInventory]:
    """The example shop, with its shelves in such a system."""
    clock = FakeClock()
    inventory = UnrulyInventory(clock=clock)
    shop = open_shop(clock=clock, outside=inventory, **options)
    for (store, sku), units in SHELVES.items():
        if not inventory.on_hand(store, sku):  # a shop that was stocked just now has filled them
            inventory.stock(store, sku, units)
    return shop, inventory


def expected(shop: Shop) -> dict[str, dict[str, int]]:
    """What is to be held outside: of live promises all, of orders what is still to be collected."""
    with viewing(shop.hub) as view:
        held: dict[str, dict[str, int]] = {}
        for promise in view.rows.promises():
            if promise.state is PromiseState.HELD:
                wanted: dict[str, int] = {}
                for line in promise.quote.lines:
                    wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
                held[promise.reservation_id] = wanted
        for order in view.rows.orders():
            if order.pickup.state not in (PickupState.COLLECTED, PickupState.CANCELLED, PickupState.LAPSED):
                held[order.reservation_id] = order.units_by_sku(order.pickup.rest())
        return held


def assert_it_followed(shop: Shop, inventory: FakeInventory) -> None:
    """Both sides hold the same, and nothing is left to be told."""
    check_all(shop.hub)
    nothing_is_overdue(shop.hub)
    assert inventory.held == expected(shop)
