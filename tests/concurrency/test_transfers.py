"""Goods between stores while everybody is at work: they arrive once, and what becomes of them is decided once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from omniorder import Associate, Card, Channel, Order, OrderState, Pick, Transfer
from omniorder.domain.lifecycle import PickupState
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, refused, won
from tests.services.sending import CENTRE, awaiting, centre, only_transfer

ROUNDS = 3
VISA = Card("pm_card_visa")
BREAD, SOFIA = Shop.BREAD, Shop.SOFIA


def on_hand(shop: Shop, store: str) -> int:
    return shop.office.stock.level(store, BREAD).on_hand


def under_way(shop: Shop) -> Transfer:
    """Three loaves that have left the centre for an order in Sofia."""
    awaiting(shop)
    transfer = only_transfer(shop)
    return shop.office.transfers.ship(transfer.id)


def several_receive(shop: Shop, transfer: Transfer) -> list[Transfer | OmniorderError]:
    staff = [shop.hub.at(Channel.STORE, Associate(name, store=SOFIA)) for name in ("ivan", "petar", "mila")]
    return at_once([partial(who.transfers.receive, transfer.id) for who in staff])


def test_goods_arrive_once_however_many_receive_them(shop: Shop) -> None:
    centre(shop)
    transfer = under_way(shop)
    before = on_hand(shop, SOFIA)
    results = several_receive(shop, transfer)
    assert len(won(results)) == 1
    assert refused(results) == ["transition.illegal"] * 2
    assert on_hand(shop, SOFIA) == before + 3
    check_all(shop.hub)


def test_without_the_guard_goods_arrive_several_times(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    centre(shop)
    transfer = under_way(shop)
    before = on_hand(shop, SOFIA)
    unguarded.decide_on_old_news(monkeypatch)
    unguarded.write_over_transfers(monkeypatch)
    several_receive(shop, transfer)
    assert on_hand(shop, SOFIA) > before + 3


def test_goods_leave_once_however_many_ship_them(shop: Shop) -> None:
    centre(shop)
    awaiting(shop)
    transfer = only_transfer(shop)
    staff = [shop.hub.at(Channel.STORE, Associate(name, store=CENTRE)) for name in ("dora", "emil", "lili")]
    results = at_once([partial(who.transfers.ship, transfer.id) for who in staff])
    assert len(won(results)) == 1
    assert on_hand(shop, CENTRE) == 7
    check_all(shop.hub)


def test_an_order_that_is_called_off_as_its_goods_leave_has_them_in_one_place(shop: Shop) -> None:
    centre(shop, bread=10 * ROUNDS)
    for _ in range(ROUNDS):
        order = awaiting(shop)
        transfer = only_transfer(shop)
        both: list[Callable[[], object]] = [
            partial(shop.office.transfers.ship, transfer.id),
            partial(shop.app.orders.cancel, order.id),
        ]
        at_once(both)
        assert shop.app.orders.get(order.id).state is OrderState.CANCELLED
        left = shop.office.transfers.get(transfer.id)
        if left.shipped_at is not None:
            shop.office.transfers.receive(transfer.id)
            shop.office.stock.count(SOFIA, BREAD, 5)
        check_all(shop.hub)


# --- what the customer is asked ---------------------------------------------------------------------------


def asked(shop: Shop) -> Order:
    """An order of which one of two cartons is not to be found."""
    order = shop.app.checkout.place(shop.promise().id, pay=VISA)
    return shop.store.pickups.reject(order.id, [Pick(order.lines[0].id, 1)], reason="not_found")


def test_a_question_is_answered_once_on_whatever_channel(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order = asked(shop)
        results = at_once([
            partial(shop.app.orders.answer, order.id, "less"),
            partial(shop.web.orders.answer, order.id, "nothing"),
            partial(shop.phone.orders.answer, order.id, "less"),
        ])  # fmt: skip
        assert len(won(results)) == 1
        check_all(shop.hub)


def test_an_answer_and_the_end_of_its_time_have_one_effect(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order = asked(shop)
        shop.clock.advance(hours=4, minutes=1)
        both: list[Callable[[], object]] = [partial(shop.app.orders.answer, order.id, "nothing"), shop.hub.sweep]
        at_once(both)
        after = shop.app.orders.get(order.id)
        assert after.pickup.state in (PickupState.TO_PICK, PickupState.CANCELLED)
        held = sum(one.open.amount for one in shop.gateway.payments if one.order == order.id)
        assert held == (order.total.amount if after.pickup.state is PickupState.TO_PICK else 0)
        check_all(shop.hub)


def test_without_the_guard_what_is_called_off_is_given_back_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.app.checkout.place(shop.promise(10).id, pay=VISA)  # units that could be given away wrongly
    order = asked(shop)
    reserved = shop.office.stock.level(SOFIA, Shop.MILK).reserved
    unguarded.decide_on_old_news(monkeypatch)
    unguarded.write_over_orders(monkeypatch)
    at_once([partial(touch.orders.answer, order.id, "less") for touch in (shop.app, shop.web)])
    assert reserved - shop.office.stock.level(SOFIA, Shop.MILK).reserved > 1


# --- goods for a shelf, that nobody sent ------------------------------------------------------------------

WORKERS = 4


def several_sweep_it_up(shop: Shop) -> int:
    """How often sweeps called off what was requested for a shelf and not sent."""
    shop.office.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    shop.office.transfers.request(CENTRE, SOFIA, {BREAD: 20}, expected_at=shop.clock.now() + timedelta(days=90))
    shop.clock.advance(days=60)
    reports = won(at_once([shop.hub.sweep] * WORKERS))
    return sum(report.happened.get("TransferCancelled", 0) for report in reports)


def test_what_nobody_sent_is_called_off_once_however_many_sweep(shop: Shop) -> None:
    centre(shop, bread=40)
    assert several_sweep_it_up(shop) == 1
    assert shop.office.stock.level(CENTRE, BREAD).reserved == 20
    check_all(shop.hub)


def test_without_the_guard_it_is_called_off_several_times(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given back the second time is held for others."""
    centre(shop, bread=40)
    unguarded.share_timers(monkeypatch, WORKERS)
    unguarded.decide_on_old_news(monkeypatch)
    assert several_sweep_it_up(shop) > 1
    assert shop.office.stock.level(CENTRE, BREAD).reserved < 20
