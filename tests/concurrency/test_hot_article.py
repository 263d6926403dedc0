"""Whatever customers and the store do to one article at the same moment, everything adds up after it.

On PostgreSQL, where commands that want the same level share a transaction.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest
from attrs import define
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omniorder import Card, Channel, Customer, CustomerTouchpoint, Order, Promise
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import InvariantBroken, check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, won
from tests.emptied import Fresh
from tests.services.steps import filled, free_slot

CARDS: Final = ("pm_card_visa", "pm_card_declined_insufficient_funds", "pm_card_instant")
DEED = st.tuples(st.sampled_from(["promise", "promise", "place", "withdraw", "cancel", "count"]), st.integers(1, 3))
ROUNDS = st.lists(st.lists(DEED, min_size=2, max_size=6), min_size=1, max_size=4)


@define
class Shopper:
    """One of those who want it, and what they have of it so far."""

    shop: Shop
    touch: CustomerTouchpoint
    slot: str
    promise: Promise | None = None
    order: Order | None = None

    def do(self, deed: str, units: int) -> None:
        """One deed, as far as it can be done by now; raises what the library refuses it with."""
        match deed:
            case "promise":
                cart = filled(self.shop, {Shop.MILK: units}, touch=self.touch)
                self.promise, self.order = None, None
                self.promise = self.touch.checkout.promise(cart.id, slot=self.slot)
            case "place" if self.promise:
                self.order = self.touch.checkout.place(self.promise.id, pay=Card(CARDS[units - 1]))
            case "withdraw" if self.promise:
                self.touch.checkout.withdraw(self.promise.id)
            case "cancel" if self.order:
                self.touch.orders.cancel(self.order.id)
            case "count":
                self.shop.store.stock.count(Shop.SOFIA, Shop.MILK, 2 * units)
            case _:
                pass


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=max(1, settings().max_examples // 5)
)
@given(st.integers(0, 8), ROUNDS)
def test_everything_adds_up_after_whatever_is_done_at_once(
    fresh_postgres: Fresh, stock: int, rounds: list[list[tuple[str, int]]]
) -> None:
    with Shop.example(fresh_postgres(), migrate=False) as shop:
        slot = free_slot(shop, filled(shop))
        touches = [shop.hub.at(Channel.APP, Customer(f"customer-{number}")) for number in range(6)]
        shoppers = [Shopper(shop, touch, slot) for touch in touches]
        shop.store.stock.count(Shop.SOFIA, Shop.MILK, stock)
        for deeds in rounds:
            answers = at_once([partial(who.do, *deed) for who, deed in zip(shoppers, deeds, strict=False)])
            assert all(answer is None or isinstance(answer, OmniorderError) for answer in answers)
            check_all(shop.hub)


def test_when_levels_are_written_as_they_were_read_it_does_not_add_up(
    fresh_postgres: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the property."""
    with Shop.example(fresh_postgres(), migrate=False) as shop:
        slot = free_slot(shop, filled(shop))
        touches = [shop.hub.at(Channel.APP, Customer(f"customer-{number}")) for number in range(2)]
        shoppers = [Shopper(shop, touch, slot) for touch in touches]
        unguarded.write_levels_as_they_were_read(monkeypatch, 2)
        at_once([partial(who.do, "promise", 1) for who in shoppers])
        with pytest.raises(InvariantBroken, match="reserved_is_what_reservations_hold"):
            check_all(shop.hub)


THERE: Final = 7


def twelve_want_a_loaf(shop: Shop) -> list[Promise | OmniorderError]:
    """What each of twelve customers got when there are seven loaves."""
    slot = free_slot(shop, filled(shop))
    shop.store.stock.count(Shop.SOFIA, Shop.BREAD, THERE)
    touches = [shop.hub.at(Channel.APP, Customer(f"customer-{number}")) for number in range(12)]
    carts = [filled(shop, {Shop.BREAD: 1}, touch=touch) for touch in touches]
    return at_once(
        [partial(touch.checkout.promise, cart.id, slot=slot) for touch, cart in zip(touches, carts, strict=True)]
    )


def test_customers_get_what_there_is_and_not_one_more(fresh_postgres: Fresh) -> None:
    with Shop.example(fresh_postgres(), migrate=False) as shop:
        assert len(won(twelve_want_a_loaf(shop))) == THERE
        check_all(shop.hub)


def test_without_the_guard_they_get_more_than_there_is(fresh_postgres: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.take_stock_unasked(monkeypatch)
    with Shop.example(fresh_postgres(), migrate=False) as shop:
        assert len(won(twelve_want_a_loaf(shop))) > THERE
