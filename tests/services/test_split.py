"""Several tenders for one order: used in the order that was declared, each of them once, and all of them or none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniorder import (
    Card,
    GiftCard,
    IsActionRequired,
    IsAuthorised,
    IsDueInStore,
    Money,
    Order,
    OrderState,
    PayInStore,
    PaymentState,
    Settings,
    Stage,
    Taken,
    Tender,
)
from omniorder.errors import (
    CurrencyMismatch,
    InvalidInput,
    NotCovered,
    NotPaid,
    PaymentDeclined,
    PaymentInFlight,
    StillRunning,
    TenderUnsupported,
)
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import (
    DECLINED,
    MASTERCARD,
    NEEDS_3DS,
    VISA,
    effects,
    handed_over,
    part,
    picked,
    promised,
    refused,
)

TWO_EUROS = Money(200, "EUR")
VISA_FOR_TWO = Card("pm_card_visa", amount=TWO_EUROS)


def split(shop: Shop, *tenders: Tender) -> Order:
    """Anna's order of 4.98, paid by these."""
    return shop.web.checkout.place(promised(shop).id, pay=tenders)


def books(order: Order) -> list[tuple[str, int, int]]:
    """(state, set aside or due, captured) of each payment."""
    return [(p.state.value, p.in_sight.amount, p.captured.amount) for p in order.payments]


def made_ready(shop: Shop, order: Order) -> Order:
    picked(shop, order)
    return shop.store.pickups.ready(order.id, staged_at="C4")


def test_each_tender_sets_its_part_aside_and_the_last_the_rest(shop: Shop) -> None:
    order = split(shop, VISA_FOR_TWO, MASTERCARD)
    assert books(order) == [("authorised", 200, 0), ("authorised", 298, 0)]
    assert (order.stage, order.uncovered.amount) == (Stage.PREPARING, 0)
    check_all(shop.hub)


def test_a_tender_that_is_not_needed_is_not_asked(shop: Shop) -> None:
    order = split(shop, VISA, MASTERCARD)
    assert books(order) == [("authorised", 498, 0)]
    assert [p.token for p in shop.gateway.payments] == ["pm_card_visa"]


def test_placing_again_with_a_tender_that_was_not_needed_is_the_same_order(shop: Shop) -> None:
    promise = promised(shop)
    first = shop.web.checkout.place(promise.id, pay=[VISA, MASTERCARD])
    assert shop.app.checkout.place(promise.id, pay=[VISA, MASTERCARD]) == first


def test_a_double_click_pays_each_tender_once(shop: Shop) -> None:
    promise = promised(shop)
    first = shop.web.checkout.place(promise.id, pay=[VISA_FOR_TWO, MASTERCARD])
    again = shop.web.checkout.place(promise.id, pay=(VISA_FOR_TWO, MASTERCARD))
    assert again == first
    assert effects(shop) == [1, 1]


def test_tenders_that_are_too_little_are_refused_and_the_promise_lives_on(shop: Shop) -> None:
    promise = promised(shop)
    error = refused(NotCovered, shop.web.checkout.place, promise.id, pay=[VISA_FOR_TWO])
    assert error.facts == {"missing": "2.98 EUR", "of": "4.98 EUR"}
    assert shop.gateway.payments == ()
    assert shop.web.checkout.place(promise.id, pay=VISA).stage is Stage.PREPARING


def test_an_amount_in_another_currency_is_refused_before_anything_is_written(shop: Shop) -> None:
    promise = promised(shop)
    refused(CurrencyMismatch, shop.web.checkout.place, promise.id, pay=[Card("pm_1", amount=Money(1, "SEK")), VISA])
    assert shop.app.orders.page().items == ()


@pytest.mark.parametrize("pay", [[], [VISA, VISA], [VISA, "cash"], {"card": VISA}, None, [VISA] * 11])
def test_tenders_are_one_to_ten_and_none_of_them_twice(shop: Shop, pay: Tender) -> None:
    refused(InvalidInput, shop.web.checkout.place, promised(shop).id, pay=pay)


# --- when one of them is refused --------------------------------------------------------------------------


def second_declined(shop: Shop) -> Order:
    error = refused(PaymentDeclined, split, shop, VISA_FOR_TWO, DECLINED)
    assert isinstance(error.order, Order)
    return error.order


def test_when_the_second_is_declined_the_first_stays_set_aside(shop: Shop) -> None:
    order = second_declined(shop)
    assert books(order) == [("authorised", 200, 0), ("declined", 0, 0)]
    assert (order.state, order.uncovered.amount) == (OrderState.PLACED, 298)


def test_another_tender_then_gives_what_is_missing(shop: Shop) -> None:
    order = second_declined(shop)
    done = shop.app.checkout.place(order.promise_id, pay=MASTERCARD)
    assert books(done)[2] == ("authorised", 298, 0)
    assert done.state is OrderState.CONFIRMED


def test_who_brings_the_first_one_again_is_not_charged_twice(shop: Shop) -> None:
    order = second_declined(shop)
    done = shop.app.checkout.place(order.promise_id, pay=[VISA_FOR_TWO, MASTERCARD])
    assert [(p.token, p.authorised.amount) for p in done.payments] == [
        ("pm_card_visa", 200),
        ("pm_card_declined", 0),
        ("pm_card_mastercard", 298),
    ]


def test_a_double_click_on_the_declined_one_is_declined_again_and_asks_nobody(shop: Shop) -> None:
    order = second_declined(shop)
    asked = len(shop.gateway.requests)
    refused(PaymentDeclined, shop.app.checkout.place, order.promise_id, pay=[VISA_FOR_TWO, DECLINED])
    assert len(shop.gateway.requests) == asked


def test_without_another_tender_both_are_undone_at_the_deadline(shop: Shop) -> None:
    order = second_declined(shop)
    shop.advance(minutes=16)
    ended = shop.app.orders.get(order.id)
    assert ended.state is OrderState.EXPIRED
    assert [p.state for p in ended.payments] == [PaymentState.VOIDED, PaymentState.DECLINED]
    check_all(shop.hub)


def test_when_the_first_is_declined_the_second_waits_for_another(shop: Shop) -> None:
    error = refused(PaymentDeclined, split, shop, Card("pm_card_declined", amount=TWO_EUROS), MASTERCARD)
    assert books(error.order) == [("declined", 0, 0), ("authorised", 298, 0)]
    assert shop.app.checkout.place(error.order.promise_id, pay=VISA).state is OrderState.CONFIRMED


# --- when one of them needs the customer ------------------------------------------------------------------


def test_what_the_customer_must_do_comes_first(shop: Shop) -> None:
    order = split(shop, Card("pm_card_3ds", amount=TWO_EUROS), MASTERCARD)
    assert isinstance(order.outcome, IsActionRequired)
    assert order.outcome.client_secret
    assert order.state is OrderState.PLACED
    refused(PaymentInFlight, shop.web.checkout.place, order.promise_id, pay=VISA)


def test_when_both_need_the_customer_they_are_asked_one_after_the_other(shop: Shop) -> None:
    order = split(shop, Card("pm_card_3ds", amount=TWO_EUROS), PayInStore())
    shop.gateway.complete_action(order.payments[0])
    done = shop.app.checkout.resume(order.id)
    assert done.state is OrderState.CONFIRMED
    assert done.outcome == IsDueInStore(Money(298, "EUR"))


def test_a_first_tender_is_resumed_although_a_second_was_brought(shop: Shop) -> None:
    order = split(shop, VISA_FOR_TWO, NEEDS_3DS)
    shop.gateway.complete_action(order.payments[1])
    assert shop.app.checkout.resume(order.id).outcome == IsAuthorised(Money(298, "EUR"))


def test_one_that_failed_to_authenticate_is_told_when_the_other_stands(shop: Shop) -> None:
    order = split(shop, Card("pm_card_3ds", amount=TWO_EUROS), MASTERCARD)
    shop.gateway.fail_action(order.payments[0])
    error = refused(PaymentDeclined, shop.web.checkout.resume, order.id)
    assert error.facts["reason"] == "authentication_failed"


# --- when goods leave -------------------------------------------------------------------------------------


@pytest.mark.parametrize("several", [True, False])
def test_all_tenders_together_pay_for_what_leaves(open_shop: OpenShop, several: bool) -> None:
    shop = open_shop(gateway=FakeGateway(several_captures=several))
    order = made_ready(shop, split(shop, VISA_FOR_TWO, MASTERCARD))
    receipt = handed_over(shop, order)
    assert books(receipt.order) == [("captured", 0, 200), ("captured", 0, 298)]
    check_all(shop.hub)


def test_the_first_tender_is_used_up_before_the_second(open_shop: OpenShop) -> None:
    shop = open_shop(gateway=FakeGateway(several_captures=True))
    order = made_ready(shop, split(shop, VISA_FOR_TWO, MASTERCARD))
    first = handed_over(shop, order, lines=part(order, 1))
    assert books(first.order) == [("captured", 0, 200), ("authorised", 249, 49)]
    last = handed_over(shop, first.order)
    assert books(last.order) == [("captured", 0, 200), ("captured", 0, 298)]
    check_all(shop.hub)


def test_what_is_never_collected_goes_back_to_whom_it_came_from(open_shop: OpenShop) -> None:
    shop = open_shop(gateway=FakeGateway(several_captures=False))
    order = made_ready(shop, split(shop, VISA_FOR_TWO, MASTERCARD))
    first = handed_over(shop, order, lines=part(order, 1))
    done = shop.store.orders.cancel(first.order.id)
    assert sum(p.net.amount for p in done.payments) == 249
    assert [p.refunded.amount for p in done.payments] == [0, 249]
    check_all(shop.hub)


def test_when_the_second_cannot_be_captured_nothing_leaves_and_the_counter_may_take_it(shop: Shop) -> None:
    order = made_ready(shop, split(shop, VISA_FOR_TWO, Card("pm_card_capture_declined")))
    refused(NotPaid, handed_over, shop, order)
    waiting = shop.app.orders.get(order.id)
    assert waiting.stage is Stage.READY
    assert books(waiting) == [("captured", 0, 200), ("authorised", 298, 0)]
    receipt = handed_over(shop, order, taken=Taken(Money(298, "EUR")))
    assert receipt.order.kept == order.total
    check_all(shop.hub)


def test_a_balance_at_the_counter_is_what_the_card_does_not_cover(shop: Shop) -> None:
    order = made_ready(shop, split(shop, VISA_FOR_TWO, PayInStore()))
    assert order.due_in_store == Money(298, "EUR")
    refused(NotPaid, handed_over, shop, order)
    receipt = handed_over(shop, order, taken=Taken(order.due_in_store))
    assert books(receipt.order) == [("captured", 0, 200), ("captured", 0, 298)]
    check_all(shop.hub)


def test_a_split_order_that_nobody_collects_costs_nothing(shop: Shop) -> None:
    order = made_ready(shop, split(shop, VISA_FOR_TWO, MASTERCARD))
    shop.advance(minutes=60 * 24 * 14)
    ended = shop.app.orders.get(order.id)
    assert ended.stage is Stage.NOT_COLLECTED
    assert {p.state for p in ended.payments} == {PaymentState.VOIDED}
    check_all(shop.hub)


# --- a deposit --------------------------------------------------------------------------------------------

DEPOSIT = Card("pm_card_visa", amount=TWO_EUROS, now=True)


def test_a_deposit_is_taken_when_the_order_is_placed_and_the_balance_is_due_at_the_counter(shop: Shop) -> None:
    order = split(shop, DEPOSIT, PayInStore())
    assert books(order) == [("captured", 0, 200), ("due_in_store", 298, 0)]
    assert (order.state, order.kept, order.due_in_store) == (OrderState.CONFIRMED, TWO_EUROS, Money(298, "EUR"))
    assert shop.gateway.payments[0].captured == TWO_EUROS
    receipt = handed_over(shop, made_ready(shop, order), taken=Taken(Money(298, "EUR")))
    assert receipt.order.kept == order.total
    check_all(shop.hub, gateways={"card": shop.gateway})


def test_a_deposit_that_needs_the_customer_is_taken_when_they_have_acted(shop: Shop) -> None:
    order = split(shop, Card("pm_card_3ds", amount=TWO_EUROS, now=True), PayInStore())
    assert (order.state, order.kept.amount) == (OrderState.PLACED, 0)
    shop.gateway.complete_action(order.payments[0])
    done = shop.web.checkout.resume(order.id)
    assert (done.state, done.kept) == (OrderState.CONFIRMED, TWO_EUROS)


def test_a_deposit_goes_back_when_the_order_is_called_off(shop: Shop) -> None:
    order = split(shop, DEPOSIT, PayInStore())
    done = shop.app.orders.cancel(order.id)
    assert (done.state, done.payments[0].refunded) == (OrderState.CANCELLED, TWO_EUROS)
    check_all(shop.hub, gateways={"card": shop.gateway})


def test_a_deposit_pays_for_the_first_goods_that_leave(shop: Shop) -> None:
    order = made_ready(shop, split(shop, DEPOSIT, PayInStore()))
    first = handed_over(shop, order, lines=part(order, 1), taken=Taken(Money(49, "EUR")))
    assert first.order.due_in_store == Money(249, "EUR")
    last = handed_over(shop, first.order, taken=Taken(Money(249, "EUR")))
    assert last.order.kept == order.total
    check_all(shop.hub, gateways={"card": shop.gateway})


def test_a_deposit_is_refused_by_a_provider_that_can_only_set_money_aside(open_shop: OpenShop) -> None:
    shop = open_shop(gateway=FakeGateway(immediate=False))
    error = refused(TenderUnsupported, split, shop, DEPOSIT, PayInStore())
    assert error.facts == {"tender": "card", "reason": "it can't be taken at once"}
    assert shop.app.orders.page().items == ()


# --- a gift card first ------------------------------------------------------------------------------------


def gift_card(shop: Shop, amount: int) -> GiftCard:
    return GiftCard(shop.office.gift_cards.issue(Money(amount, "EUR")).code)


def test_a_gift_card_gives_what_is_on_it_and_the_card_the_rest(shop: Shop) -> None:
    order = split(shop, gift_card(shop, 120), MASTERCARD)
    assert [(p.kind, p.authorised.amount) for p in order.payments] == [("gift_card", 120), ("card", 378)]
    receipt = handed_over(shop, made_ready(shop, order))
    assert [p.captured.amount for p in receipt.order.payments] == [120, 378]
    check_all(shop.hub, gateways={"card": shop.gateway})


def test_a_gift_card_that_is_enough_needs_no_other_tender(shop: Shop) -> None:
    order = split(shop, gift_card(shop, 5000), MASTERCARD)
    assert [(p.kind, p.authorised.amount) for p in order.payments] == [("gift_card", 498)]
    assert shop.gateway.payments == ()


def test_a_double_click_with_a_gift_card_holds_once(shop: Shop) -> None:
    card, promise = gift_card(shop, 120), promised(shop)
    first = shop.web.checkout.place(promise.id, pay=[card, MASTERCARD])
    assert shop.app.checkout.place(promise.id, pay=[card, MASTERCARD]) == first
    assert shop.office.gift_cards.find(card.token).held == Money(120, "EUR")


def test_a_declined_card_beside_a_gift_card_is_not_asked_again_by_a_double_click(shop: Shop) -> None:
    card, promise = gift_card(shop, 120), promised(shop)
    refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=[card, DECLINED])
    asked = len(shop.gateway.requests)
    refused(PaymentDeclined, shop.app.checkout.place, promise.id, pay=[card, DECLINED])
    assert len(shop.gateway.requests) == asked
    done = shop.app.checkout.place(promise.id, pay=[card, MASTERCARD])
    assert [p.in_sight.amount for p in done.payments] == [120, 0, 378]


def test_the_rest_of_a_gift_card_is_paid_at_the_counter(shop: Shop) -> None:
    order = split(shop, gift_card(shop, 120), PayInStore())
    receipt = handed_over(shop, made_ready(shop, order), taken=Taken(Money(378, "EUR")))
    assert receipt.order.kept == order.total
    check_all(shop.hub)


def test_one_gift_card_written_in_two_ways_is_one(shop: Shop) -> None:
    card = gift_card(shop, 120)
    other = GiftCard(card.token.lower())
    refused(InvalidInput, shop.web.checkout.place, promised(shop).id, pay=[card, other, MASTERCARD])


def test_what_a_gift_card_gave_goes_back_to_it_when_nobody_comes(shop: Shop) -> None:
    card = gift_card(shop, 120)
    made_ready(shop, split(shop, card, MASTERCARD))
    shop.advance(days=14)
    found = shop.office.gift_cards.find(card.token)
    assert (found.balance, found.held) == (Money(120, "EUR"), Money(0, "EUR"))
    check_all(shop.hub, gateways={"card": shop.gateway})


# --- time and crashes -------------------------------------------------------------------------------------


def test_the_longest_time_to_pay_of_all_tenders_counts(open_shop: OpenShop) -> None:
    day = timedelta(hours=24)
    shop = open_shop(settings=Settings(pay_within_by_kind={"in_store": day}))
    error = refused(PaymentDeclined, split, shop, Card("pm_card_declined", amount=TWO_EUROS), PayInStore())
    assert error.order.pay_by == min(error.order.placed_at + day, error.order.pickup.ends)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_reply_of_either_is_found_by_the_sweep(shop: Shop, lost: int) -> None:
    tokens = ["pm_card_visa", "pm_card_visa"]
    tokens[lost] = "pm_card_timeout_after"
    order = split(shop, Card(tokens[0], amount=TWO_EUROS), Card(tokens[1]))
    assert order.state is OrderState.PLACED
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED
    assert effects(shop) == [1, 1]
    check_all(shop.hub)


def test_goods_leave_once_an_unanswered_capture_of_one_of_two_is_found(shop: Shop) -> None:
    order = made_ready(shop, split(shop, VISA_FOR_TWO, Card("pm_card_capture_timeout_after")))
    refused(StillRunning, handed_over, shop, order)
    shop.advance(minutes=3)
    done = shop.app.orders.get(order.id)
    assert done.stage is Stage.COLLECTED
    check_all(shop.hub)
