"""Refunds and corrections: who may grant them, by which tender the money goes back, and what became of it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from omniorder import (
    Agent,
    Associate,
    Card,
    Channel,
    Money,
    Order,
    OrderState,
    PayInStore,
    Pick,
    Settings,
    Stage,
    Taken,
    events,
)
from omniorder.domain.handoffs import Scope
from omniorder.domain.payments import Operation
from omniorder.domain.terms import RefundRule
from omniorder.domain.unreturned import RefundState
from omniorder.errors import CorrectionRefused, KeyReused, NeedsOwnTransaction, NotAllowed, NotFound
from omniorder.ports.notifications import Message, Occasion
from omniorder.services.ripples import carry_on
from omniorder.services.units import in_transaction
from omniorder.testing import FakeClock, FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import (
    INSTANT,
    VISA,
    charged,
    code,
    effects,
    handed_over,
    names,
    part,
    placed,
    ready,
    refused,
)
from tests.services.unruly import Killed, unruly_shop

REFUSES = Card("pm_card_refund_declined")


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def collected(shop: Shop, pay: Card = VISA) -> Order:
    """Two cartons of milk at 2.49 that Anna has."""
    return handed_over(shop, ready(shop, pay=pay)).order


# --- how much ---------------------------------------------------------------------------------------------


def test_everything_goes_back_when_nothing_is_named(shop: Shop) -> None:
    order = shop.store.orders.refund(collected(shop).id, reason="sour")
    assert (order.kept, order.owed, charged(shop)) == (eur(0), eur(0), 0)
    assert order.stage is Stage.COLLECTED
    check_all(shop.hub)


def test_units_an_amount_and_goodwill_sum_up_to_the_cent(shop: Shop) -> None:
    order = collected(shop)
    shop.store.orders.refund(order.id, units=[Pick(order.lines[0].id, 1)], reason="sour")
    shop.office.orders.refund(order.id, amount=eur(49), reason="dented")
    order = shop.phone.orders.goodwill(order.id, eur(100), reason="long queue")
    assert order.credited == eur(249 + 49 + 100)
    assert order.kept.amount == charged(shop) == 498 - 398
    check_all(shop.hub)


def test_a_fee_is_kept(shop: Shop) -> None:
    order = shop.store.orders.refund(collected(shop).id, fee=eur(50), reason="opened")
    assert (order.kept, order.fees, charged(shop)) == (eur(50), eur(50), 50)
    check_all(shop.hub)


def test_what_was_paid_in_cash_is_paid_out_when_the_customer_comes_for_it(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    handed_over(shop, order, taken=Taken(order.due_in_store))
    asked = len(shop.gateway.requests)
    owed = shop.store.orders.refund(order.id, reason="sour")
    assert (owed.to_pay_out, owed.kept) == (eur(498), eur(498))
    shop.advance(days=2)  # nobody is asked about it meanwhile
    assert len(shop.gateway.requests) == asked
    done = shop.store.payments.sent_back(owed.payments[0].id, eur(498), reference="till 4/18")
    assert (done.to_pay_out, done.kept) == (eur(0), eur(0))
    check_all(shop.hub)


def test_a_provider_that_gives_back_all_or_nothing_is_not_asked_for_a_part(open_shop: OpenShop) -> None:
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, partial_refund=False), migrate=True)
    order = collected(shop)
    error = refused(CorrectionRefused, shop.store.orders.refund, order.id, amount=eur(10), reason="dented")
    assert error.facts["reason"] == "all_or_nothing"
    assert shop.store.orders.refund(order.id, reason="dented").kept == eur(0)
    check_all(shop.hub)


# --- while goods are still to be collected ----------------------------------------------------------------


def test_a_refund_of_a_part_that_was_collected_goes_back_at_once_where_everything_was_taken(shop: Shop) -> None:
    order = ready(shop)
    order = handed_over(shop, order, lines=part(order, 1)).order
    assert charged(shop) == 498
    order = shop.store.orders.refund(order.id, units=part(order, 1), reason="sour")
    assert (order.stage, order.kept.amount, charged(shop)) == (Stage.READY, 249, 249)
    order = handed_over(shop, order).order
    assert (order.stage, order.kept, order.owed) == (Stage.COLLECTED, eur(249), eur(249))
    check_all(shop.hub)


# --- calling off for a fee --------------------------------------------------------------------------------


@pytest.mark.parametrize("pay", [VISA, INSTANT], ids=["set aside", "taken"])
def test_an_order_is_called_off_for_a_fee(shop: Shop, pay: Card) -> None:
    order = shop.store.orders.cancel(placed(shop, pay=pay).id, fee=eur(100), reason="too late")
    assert (order.state, order.kept, order.fees) == (OrderState.CANCELLED, eur(100), eur(100))
    assert charged(shop) == 100
    check_all(shop.hub)


def test_where_a_part_cannot_be_captured_all_is_and_the_rest_goes_back(open_shop: OpenShop) -> None:
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, partial_capture=False), migrate=True)
    order = shop.store.orders.cancel(placed(shop).id, fee=eur(100))
    assert (order.state, order.kept.amount, charged(shop)) == (OrderState.CANCELLED, 100, 100)
    assert [one.operation for one in order.payments[0].attempts][1:] == [Operation.CAPTURE, Operation.REFUND]
    check_all(shop.hub)


def test_no_fee_is_kept_of_what_nobody_paid(shop: Shop) -> None:
    order = placed(shop, pay=PayInStore())
    error = refused(CorrectionRefused, shop.store.orders.cancel, order.id, fee=eur(1))
    assert (error.facts["reason"], error.facts["most"]) == ("fee_too_high", "0.00 EUR")
    assert shop.store.orders.get(order.id) == order


def test_calling_off_twice_for_a_fee_charges_it_once(shop: Shop) -> None:
    order = placed(shop)
    first = shop.store.orders.cancel(order.id, fee=eur(100))
    assert shop.store.orders.cancel(order.id, fee=eur(100)) == first


def test_a_lost_reply_to_the_capture_of_a_fee_is_found_out(shop: Shop) -> None:
    order = placed(shop)
    shop.gateway.lose_next_reply()
    waiting = shop.store.orders.cancel(order.id, fee=eur(100))
    assert waiting.stage is Stage.BEING_CANCELLED
    shop.advance(minutes=1)
    order = shop.store.orders.get(order.id)
    assert (order.state, order.kept.amount, charged(shop)) == (OrderState.CANCELLED, 100, 100)
    check_all(shop.hub)


# --- who may ----------------------------------------------------------------------------------------------


def test_customers_have_no_way_to_refund_themselves(shop: Shop) -> None:
    for desk in (shop.app.orders, shop.guest.orders):
        assert not {"refund", "goodwill", "refunds"} & set(dir(desk))
    with pytest.raises(TypeError):
        cast(Any, shop.app.orders.cancel)(placed(shop).id, fee=eur(1))


def test_associates_of_another_store_do_not_find_the_order(shop: Shop) -> None:
    order = collected(shop)
    refused(NotFound, shop.elsewhere.orders.refund, order.id, reason="sour")
    refused(NotFound, shop.elsewhere.orders.goodwill, order.id, eur(1), reason="sour")


def test_an_agent_refunds_for_the_customer_who_was_made_sure_of_and_for_nobody_else(shop: Shop) -> None:
    order = collected(shop)
    other = shop.hub.at(Channel.PHONE, Agent("eva", customer="boris"))
    refused(NotFound, other.orders.refund, order.id, reason="sour")
    assert shop.phone.orders.refund(order.id, reason="sour").kept == eur(0)


def test_an_agent_to_whom_only_the_basket_was_handed_may_not_refund_its_order(shop: Shop) -> None:
    promise = shop.promise()
    eva = shop.hub.at(Channel.PHONE, Agent("eva"))
    eva.handoffs.accept(shop.app.handoffs.offer(promise.cart_id, Scope.EDIT).token)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    refused(NotAllowed, eva.orders.refund, order.id, reason="sour")


# --- repetition -------------------------------------------------------------------------------------------


def test_one_key_is_one_refund(shop: Shop) -> None:
    order = collected(shop)
    first = shop.store.orders.refund(order.id, amount=eur(100), reason="dented", key="k")
    assert shop.store.orders.refund(order.id, amount=eur(100), reason="dented", key="k") == first
    assert (charged(shop), max(effects(shop))) == (398, 1)
    refused(KeyReused, shop.store.orders.refund, order.id, amount=eur(101), reason="dented", key="k")


def test_without_a_key_the_same_request_is_another_refund(shop: Shop) -> None:
    order = collected(shop)
    for _ in range(2):
        shop.store.orders.refund(order.id, amount=eur(100), reason="dented")
    assert charged(shop) == 298


def test_a_refund_is_not_granted_inside_of_a_callers_transaction(shop: Shop) -> None:
    order = collected(shop)
    with shop.hub.journal.parts.storage.transaction() as tx, shop.hub.joined(tx.connection or tx) as hub:
        desk = hub.at(Channel.STORE, Associate("ivan", store=Shop.SOFIA)).orders
        refused(NeedsOwnTransaction, desk.refund, order.id, reason="sour")
    assert shop.store.orders.get(order.id) == order


# --- refunds that do not arrive ---------------------------------------------------------------------------


def test_a_refund_that_is_refused_is_visible_and_tried_again(shop: Shop) -> None:
    order = collected(shop, REFUSES)
    since = shop.clock.now()
    shop.store.orders.refund(order.id, reason="sour")
    (waiting,) = shop.store.orders.refunds().items
    assert (waiting.order, waiting.payment, waiting.tender) == (order.id, order.payments[0].id, "card")
    assert (waiting.state, waiting.amount, waiting.since, waiting.tries) == (RefundState.FAILED, eur(498), since, 1)
    assert waiting.reason == shop.store.orders.get(order.id).payments[0].reason != ""
    shop.advance(minutes=59)
    assert shop.store.orders.refunds().items == (waiting,)
    shop.advance(minutes=2)
    (again,) = shop.store.orders.refunds().items
    assert (again.since, again.tries) == (since, 2)
    assert again.again > waiting.again
    check_all(shop.hub)


def test_a_refund_without_an_answer_is_on_its_way_until_it_is_known(shop: Shop) -> None:
    order = collected(shop)
    shop.gateway.drop_next_request()
    shop.store.orders.refund(order.id, amount=eur(100), reason="dented")
    (waiting,) = shop.office.orders.refunds(Shop.SOFIA).items
    assert (waiting.state, waiting.amount, waiting.tries) == (RefundState.PENDING, eur(100), 0)
    shop.advance(minutes=1)
    assert shop.office.orders.refunds(Shop.SOFIA).items == ()
    assert charged(shop) == 398


def test_a_refund_that_came_back_is_sent_again(shop: Shop) -> None:
    order = shop.store.orders.refund(collected(shop).id, amount=eur(100), reason="dented")
    payment = order.payments[0]
    parts = shop.hub.journal.parts
    stamp = shop.office._touch.stamp(parts.clock)
    bounced = events.RefundBounced(payment.id, eur(100), "account_closed")
    in_transaction(parts, stamp, lambda unit: carry_on(unit, order, [bounced]))
    (waiting,) = shop.store.orders.refunds().items
    assert (waiting.state, waiting.amount, waiting.reason) == (RefundState.PENDING, eur(100), "account_closed")
    assert names(shop, order)[-2:] == ["RefundBounced", "RefundRequested"]


def test_the_list_is_of_one_store_and_comes_in_pages(shop: Shop) -> None:
    orders = sorted(shop.store.orders.refund(collected(shop, REFUSES).id, reason="sour").id for _ in range(5))
    found: list[str] = []
    after = None
    while True:
        page = shop.store.orders.refunds(after=after, limit=2)
        assert 0 < len(page.items) <= 2
        found += [one.order for one in page.items]
        if page.next is None:
            break
        after = page.next
    assert found == orders
    assert shop.elsewhere.orders.refunds().items == ()
    refused(NotFound, shop.elsewhere.orders.refunds, Shop.SOFIA)
    refused(NotFound, shop.office.orders.refunds)


def test_orders_whose_refunds_arrived_do_not_cut_a_page_short(shop: Shop) -> None:
    """An old failure of an order that lives on is no refund that is waiting."""
    order = ready(shop)
    handed_over(shop, order, lines=part(order, 1))
    shop.gateway.drop_next_request()
    shop.store.orders.refund(order.id, units=part(order, 1), reason="sour")
    shop.advance(minutes=1)
    assert shop.store.orders.refunds(limit=1).items == ()


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
def test_whoever_dies_around_the_call_is_finished_by_the_sweep_and_the_money_goes_back_once(
    open_shop: OpenShop, moment: str
) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = collected(shop)
    setattr(gateway, moment, "refund")
    with pytest.raises(Killed):
        shop.store.orders.refund(order.id, amount=eur(100), reason="dented")
    assert [one.amount for one in shop.store.orders.refunds().items] == [eur(100)]
    shop.advance(minutes=1)
    assert (charged(shop), max(effects(shop))) == (398, 1)
    assert shop.store.orders.refunds().items == ()
    check_all(shop.hub)


# --- the customer is told ---------------------------------------------------------------------------------


class Postman:
    def __init__(self) -> None:
        self.told: list[tuple[str, Occasion]] = []

    def notify(self, message: Message) -> None:
        self.told.append((message.order, message.occasion))


def test_the_customer_is_told_once_the_money_has_gone_back(open_shop: OpenShop) -> None:
    postman = Postman()
    shop = open_shop(notifier=postman, migrate=True)
    order, cancelled = collected(shop), placed(shop, pay=INSTANT)
    shop.app.orders.cancel(cancelled.id)
    shop.gateway.lose_next_reply()
    shop.store.orders.refund(order.id, reason="sour")
    shop.hub.sweep()
    assert (order.id, Occasion.REFUNDED) not in postman.told
    report = shop.advance(minutes=1)
    assert (report.notified, postman.told[-1]) == (1, (order.id, Occasion.REFUNDED))
    assert (cancelled.id, Occasion.REFUNDED) not in postman.told


# --- settings ---------------------------------------------------------------------------------------------


def test_the_rule_is_declared_for_the_whole_hub(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(refund_rule=RefundRule.PROPORTIONAL), migrate=True)
    assert shop.hub.journal.parts.terms.rule is RefundRule.PROPORTIONAL
    assert code(shop, ready(shop))
