"""A card reader and several associates: the customer is asked once, and pays once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from omniorder import Order, PayInStore, Pick, PickupState, Receipt, Stage, Terminal
from omniorder.errors import NotFound, StillRunning
from omniorder.ports.payments import Collect
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency.threads import at_once, won

ROUNDS = 4


@pytest.fixture(autouse=True)
def readers(shop: Shop) -> None:
    """The shop's provider has card readers."""
    gateways = shop.hub._parts.gateways
    assert isinstance(gateways, dict)
    gateways["terminal"] = shop.gateway


def ready(shop: Shop) -> tuple[Order, str]:
    """An order to be paid at the counter, and its code."""
    order = shop.app.checkout.place(shop.promise().id, pay=PayInStore())
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    order = shop.store.pickups.ready(order.id, staged_at="C4")
    return order, shop.app.orders.pickup_pass(order.id).code


def asked_of_readers(shop: Shop, order: Order) -> int:
    """How many requests to readers the provider has on file for this order."""
    requests = {one.key for one in shop.gateway.requests if isinstance(one, Collect) and one.order == order.id}
    return len(requests)


def at_the_reader(shop: Shop, order: Order, code: str, reader: str = "tmr_1", key: str | None = None) -> Receipt:
    """The hand-over at this reader."""
    return shop.store.pickups.hand_over(order.id, code=code, taken=Terminal(reader), key=key)


def test_many_who_hand_over_at_once_ask_one_reader_once(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop)
        readers = ("tmr_1", "tmr_2", "tmr_visa", "tmr_visa")
        at_once([partial(at_the_reader, shop, order, code, reader) for reader in readers])
        for reader in ("tmr_1", "tmr_2"):
            with suppress(NotFound):
                shop.gateway.present_card(reader)
        receipt = at_the_reader(shop, order, code)
        assert (receipt.total, asked_of_readers(shop, order)) == (order.total, 1)
        check_all(shop.hub)


def test_a_card_and_the_stop_at_once_end_in_one_of_two_ways(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop)
        with pytest.raises(StillRunning):
            at_the_reader(shop, order, code)
        card, stop = partial(shop.gateway.present_card, "tmr_1"), partial(shop.store.pickups.stop_payment, order.id)
        at_once(list[Callable[[], object]]([card, stop]))
        after = shop.office.orders.get(order.id)
        if after.stage is Stage.COLLECTED:
            assert (taken(shop, order), after.kept) == (order.total.amount, order.total)
        else:
            assert (taken(shop, order), after.pickup.state) == (0, PickupState.READY)
            assert after.due_in_store == order.total
        check_all(shop.hub)


def test_a_stop_and_a_repeated_hand_over_at_once_take_the_money_once(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop)
        with pytest.raises(StillRunning):
            at_the_reader(shop, order, code, key="k")
        shop.gateway.present_card("tmr_1")
        again = partial(at_the_reader, shop, order, code, key="k")
        stop = partial(shop.store.pickups.stop_payment, order.id)
        results = at_once(list[Callable[[], object]]([stop, again]))
        assert won(results), results
        assert again().total == order.total
        assert taken(shop, order) == order.total.amount
        check_all(shop.hub)


def taken(shop: Shop, order: Order) -> int:
    """What the provider took for this order, in cents."""
    return sum(one.captured.amount for one in shop.gateway.payments if one.order == order.id)
