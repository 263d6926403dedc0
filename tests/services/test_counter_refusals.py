"""What the customer doesn't want at the counter leaves the order, and exactly what is left of it is paid."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from omniorder import (
    Article,
    Associate,
    Card,
    Channel,
    Check,
    CheckKind,
    GiftCard,
    Money,
    Order,
    OrderState,
    PayInStore,
    Pick,
    PickupState,
    Price,
    Proof,
    Rest,
    Service,
    Settings,
    Stage,
    Taken,
    Unwanted,
    events,
)
from omniorder.domain.counter import age_restricted
from omniorder.errors import (
    AgeCheckNeeded,
    IdentityCheckNeeded,
    InvalidInput,
    InvalidQuantity,
    NotPaid,
    NotReady,
)
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import INSTANT, charged, code, handed_over, level, names, part, ready, refused

BASKET = {Shop.MILK: 3, Shop.BREAD: 1}
"""7.47 + 3.10 = 10.57 EUR."""
WINE = "RIOJA"
OLD_ENOUGH, TOO_YOUNG = Check(CheckKind.AGE, passed=True), Check(CheckKind.AGE, passed=False)
KNOWN, UNKNOWN = Check(CheckKind.IDENTITY, passed=True), Check(CheckKind.IDENTITY, passed=False)


def unwanted(order: Order, *counts: int, reason: str = "unwanted") -> list[Unwanted]:
    """So many units of the order's first lines, refused."""
    return [Unwanted(line.id, count, reason) for line, count in zip(order.lines, counts, strict=False) if count]


# --- refused ----------------------------------------------------------------------------------------------


def test_what_is_refused_is_not_paid_and_is_on_sale_again(shop: Shop) -> None:
    order = ready(shop, BASKET)
    receipt = handed_over(shop, order, refused=unwanted(order, 1, 1))
    assert (receipt.total.amount, charged(shop)) == (498, 498)
    assert [(one.name, one.quantity, one.reason) for one in receipt.refused] == [
        ("Oat milk 1 l", 1, "unwanted"),
        ("Rye bread", 1, "unwanted"),
    ]
    assert (receipt.order.stage, receipt.later) == (Stage.COLLECTED, ())
    assert (level(shop), level(shop, Shop.BREAD)) == ((38, 0), (5, 0))
    check_all(shop.hub)


def test_what_was_charged_at_once_for_refused_units_goes_back(shop: Shop) -> None:
    order = ready(shop, BASKET, pay=INSTANT)
    receipt = handed_over(shop, order, refused=unwanted(order, 0, 1))
    assert (receipt.total.amount, receipt.before.amount, receipt.balance.amount) == (747, 1057, 310)
    assert (charged(shop), receipt.order.kept.amount) == (747, 747)
    check_all(shop.hub)


def test_what_is_refused_and_what_waits_for_another_day_are_different_things(shop: Shop) -> None:
    order = ready(shop, BASKET)
    first = handed_over(shop, order, lines=part(order, 1), refused=unwanted(order, 1))
    assert (first.total.amount, charged(shop)) == (249, 808)  # this provider captures once: with what is to come
    assert [(one.name, one.quantity) for one in first.later] == [("Oat milk 1 l", 1), ("Rye bread", 1)]
    second = handed_over(shop, order)
    assert (second.total.amount, charged(shop), second.order.stage) == (559, 808, Stage.COLLECTED)
    check_all(shop.hub)


def test_of_what_is_weighed_a_part_is_refused_by_the_gram(shop: Shop) -> None:
    order = ready(shop, {Shop.CHEESE: 500, Shop.MILK: 1})
    receipt = handed_over(shop, order, refused=unwanted(order, 120))
    assert [line.quantity for line in receipt.lines] == [380, 1]
    assert charged(shop) == receipt.total.amount == 490 + 249
    assert level(shop, Shop.CHEESE) == (4620, 0)
    check_all(shop.hub)


@pytest.mark.parametrize(("sku", "ordered", "picked"), [(Shop.MILK, 3, 3), (Shop.CHEESE, 250, 275)])
def test_what_waits_after_a_refusal_can_be_picked_anew(shop: Shop, sku: str, ordered: int, picked: int) -> None:
    """Neither what was refused nor what left is among the units that are picked and still there."""
    order = shop.app.checkout.place(shop.promise(ordered, sku=sku).id, pay=Card("pm_card_visa"))
    (line,) = order.lines
    shop.store.pickups.pick(order.id, line.id, picked)
    shop.store.pickups.ready(order.id)
    handed_over(shop, order, lines=part(order, 1), refused=unwanted(order, 1))
    waits = shop.store.pickups.get(order.id).pickup.line(line.id)
    assert (waits.picked - waits.collected, waits.open) == (picked - 2, picked - 2)
    check_all(shop.hub)


def test_damaged_units_are_written_off(shop: Shop) -> None:
    order = ready(shop, BASKET)
    handed_over(shop, order, refused=unwanted(order, 1, reason="damaged"))
    assert level(shop) == (37, 0)
    moves = {move.kind.value: move for move in shop.store.stock.movements(Shop.SOFIA, Shop.MILK).items}
    lost = moves["write_off"]
    assert (lost.quantity, lost.reason, lost.reference) == (-1, "damaged", order.id)
    check_all(shop.hub)


def test_perishable_units_are_looked_at_before_they_are_sold_again(shop: Shop) -> None:
    shop.office.articles.put(Article(Shop.BREAD, "Rye bread", perishable=True))
    order = ready(shop, BASKET)
    handed_over(shop, order, refused=unwanted(order, 0, 1))
    found = shop.office.stock.level(Shop.SOFIA, Shop.BREAD)
    assert (found.on_hand, found.reserved, found.quarantined) == (4, 0, 1)
    check_all(shop.hub)


@pytest.mark.parametrize("pay", [Card("pm_card_visa"), INSTANT, PayInStore()], ids=["aside", "paid", "in store"])
def test_who_refuses_everything_has_called_the_order_off_and_pays_nothing(shop: Shop, pay: Card | PayInStore) -> None:
    order = ready(shop, BASKET, pay=pay)
    receipt = handed_over(shop, order, refused=unwanted(order, 3, 1))
    assert (receipt.lines, receipt.total.amount, receipt.proof) == ((), 0, None)
    assert (receipt.order.state, receipt.order.fees.amount, charged(shop)) == (OrderState.CANCELLED, 0, 0)
    assert "UnitsRefused" in names(shop, order)
    assert (level(shop), level(shop, Shop.BREAD)) == ((40, 0), (5, 0))
    assert [p.open.amount for p in shop.gateway.payments] in ([0], [])
    check_all(shop.hub)


def test_who_refuses_all_of_the_rest_keeps_and_pays_what_was_collected_before(shop: Shop) -> None:
    order = ready(shop, BASKET)
    handed_over(shop, order, lines=part(order, 1))
    receipt = handed_over(shop, order, refused=unwanted(order, 2, 1))
    assert (receipt.number, receipt.lines) == (f"{order.id}-2", ())
    assert (receipt.order.stage, charged(shop)) == (Stage.COLLECTED, 249)
    assert (level(shop), level(shop, Shop.BREAD)) == ((39, 0), (5, 0))
    check_all(shop.hub)


def test_the_rest_may_be_called_off_in_the_same_breath(shop: Shop) -> None:
    order = ready(shop, BASKET)
    receipt = handed_over(shop, order, lines=part(order, 2), rest=Rest.CANCELLED)
    assert (receipt.total.amount, charged(shop), receipt.order.stage) == (498, 498, Stage.COLLECTED)
    assert (level(shop), level(shop, Shop.BREAD)) == ((38, 0), (5, 0))
    check_all(shop.hub)


def test_no_more_is_refused_than_is_there_nor_handed_over_besides(shop: Shop) -> None:
    order = ready(shop, BASKET)
    refused(InvalidQuantity, handed_over, shop, order, refused=unwanted(order, 4))
    refused(InvalidQuantity, handed_over, shop, order, lines=part(order, 3), refused=unwanted(order, 1))
    assert shop.app.orders.get(order.id) == order


# --- again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("counts", [(1, 1), (3, 1)], ids=["some", "all"])
def test_the_same_call_again_gives_the_same_receipt_and_refuses_nothing_more(
    shop: Shop, key: str | None, counts: tuple[int, int]
) -> None:
    order = ready(shop, BASKET)
    said, no = code(shop, order), unwanted(order, *counts)
    first = shop.store.pickups.hand_over(order.id, code=said, refused=no, key=key)
    assert shop.store.pickups.hand_over(order.id, code=said, refused=no, key=key) == first
    colleague = shop.hub.at(Channel.STORE, Associate("maria", store=Shop.SOFIA))
    refused(NotReady, colleague.pickups.hand_over, order.id, code=said, refused=no)
    check_all(shop.hub)


def test_after_a_capture_that_was_refused_the_same_units_stay_refused_and_no_others(shop: Shop) -> None:
    order = ready(shop, BASKET, pay=Card("pm_card_capture_declined"))
    no = unwanted(order, 1)
    for _ in range(2):
        refused(NotPaid, handed_over, shop, order, refused=no)
    bill = shop.store.pickups.bill(order.id, refused=no)
    assert bill.due == Money(808, "EUR")
    receipt = handed_over(shop, order, refused=no, taken=Taken(bill.due))
    assert (receipt.total.amount, receipt.order.kept.amount) == (808, 808)
    assert [(one.quantity, one.reason) for one in receipt.refused] == [(1, "unwanted")]
    check_all(shop.hub)


# --- checks -----------------------------------------------------------------------------------------------


def with_wine(shop: Shop) -> Order:
    """An order of milk, bread and two bottles of wine at 9.90 EUR."""
    sofia = shop.office.stores.get(Shop.SOFIA)
    shop.office.stores.put(evolve(sofia, services={*sofia.services, Service.AGE_RESTRICTED}))
    shop.office.articles.put(Article(WINE, "Rioja", needs=[Service.AGE_RESTRICTED]))
    shop.office.prices.put(Price(WINE, Money(990, "EUR"), tax="0.20"))
    shop.office.stock.receive(Shop.SOFIA, WINE, 6)
    return ready(shop, {**BASKET, WINE: 2})


def test_what_is_age_restricted_leaves_only_with_an_age_check_that_passed(shop: Shop) -> None:
    order = with_wine(shop)
    error = refused(AgeCheckNeeded, handed_over, shop, order)
    assert (error.facts["skus"], charged(shop)) == ([WINE], 0)
    assert error.why.because == ()
    assert refused(AgeCheckNeeded, handed_over, shop, order, checks=[KNOWN]).facts["failed"] is False
    receipt = handed_over(shop, order, checks=[OLD_ENOUGH])
    assert (receipt.total.amount, "PersonChecked" in names(shop, order)) == (1057 + 1980, True)
    check_all(shop.hub)


def test_who_is_too_young_may_have_the_rest(shop: Shop) -> None:
    order = with_wine(shop)
    error = refused(AgeCheckNeeded, handed_over, shop, order, checks=[TOO_YOUNG])
    assert [cause.code for cause in error.why.because] == ["check.age_failed"]
    no = [Unwanted(part.line, part.quantity, "age_check_failed") for part in age_restricted(order)]
    receipt = handed_over(shop, order, checks=[TOO_YOUNG], refused=no)
    assert (receipt.total.amount, charged(shop), level(shop, WINE)) == (1057, 1057, (6, 0))
    check_all(shop.hub)


def test_or_leave_what_is_restricted_for_somebody_older(shop: Shop) -> None:
    order = with_wine(shop)
    handed_over(shop, order, lines=part(order, 3, 1))
    refused(AgeCheckNeeded, handed_over, shop, order)
    assert handed_over(shop, order, checks=[OLD_ENOUGH]).total.amount == 1980


def test_of_a_check_only_the_outcome_is_told(shop: Shop) -> None:
    order = ready(shop)
    handed_over(shop, order, checks=[KNOWN, OLD_ENOUGH])
    told = [one.event for one in shop.office.orders.timeline(order.id).items if one.name == "PersonChecked"]
    assert told == [events.PersonChecked(CheckKind.IDENTITY, True), events.PersonChecked(CheckKind.AGE, True)]


def test_who_collects_for_somebody_else_is_identified_where_the_shop_wants_it(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(identify_proxy=True))
    order = ready(shop)
    assert refused(IdentityCheckNeeded, handed_over, shop, order, by_proxy=True).facts["failed"] is False
    assert refused(IdentityCheckNeeded, handed_over, shop, order, by_proxy=True, checks=[UNKNOWN]).facts["failed"]
    assert handed_over(shop, order, by_proxy=True, checks=[KNOWN]).order.stage is Stage.COLLECTED


# --- proof ------------------------------------------------------------------------------------------------


def test_a_hand_over_says_on_what_proof_it_was_made(shop: Shop) -> None:
    for shown, proof in (("code", Proof.CODE), ("token", Proof.TOKEN), ("qr", Proof.TOKEN)):
        order = ready(shop)
        said = getattr(shop.app.orders.pickup_pass(order.id), shown)
        receipt = shop.store.pickups.hand_over(order.id, code=said, signature="sig/2026/17")
        assert (receipt.proof, receipt.signature) == (proof, "sig/2026/17")
    check_all(shop.hub)


def test_a_signature_stands_in_for_the_code_where_the_shop_wants_it(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(accept_signature=True))
    order = ready(shop)
    for lacking in ({}, {"signature": "sig/1"}, {"checks": [KNOWN]}, {"signature": "sig/1", "checks": [UNKNOWN]}):
        refused(InvalidInput, shop.store.pickups.hand_over, order.id, **lacking)
    receipt = shop.store.pickups.hand_over(order.id, signature="sig/1", checks=[KNOWN])
    assert (receipt.proof, receipt.order.stage) == (Proof.SIGNATURE, Stage.COLLECTED)
    check_all(shop.hub)


def test_and_nowhere_else(shop: Shop) -> None:
    order = ready(shop)
    refused(InvalidInput, shop.store.pickups.hand_over, order.id, signature="sig/1", checks=[KNOWN])
    assert shop.app.orders.get(order.id).pickup.state is PickupState.READY


# --- the bill ---------------------------------------------------------------------------------------------


def test_the_till_knows_what_is_due_before_the_customer_pays(shop: Shop) -> None:
    card = shop.office.gift_cards.issue(Money(500, "EUR")).code
    order = ready(shop, BASKET, pay=[GiftCard(card), PayInStore()])
    wanted: dict[str, Any] = {
        "lines": [Pick(order.lines[0].id, 2), Pick(order.lines[1].id, 1)],
        "refused": unwanted(order, 1),
    }
    bill = shop.store.pickups.bill(order.id, **wanted)
    assert [(line.name, line.quantity, line.total.amount) for line in bill.lines] == [
        ("Oat milk 1 l", 2, 498),
        ("Rye bread", 1, 310),
    ]
    assert (bill.total.amount, [(one.kind, one.amount.amount) for one in bill.shares]) == (808, [("gift_card", 500)])
    assert bill.due.amount == 308
    assert shop.app.orders.get(order.id) == order
    assert handed_over(shop, order, taken=Taken(bill.due), **wanted).order.kept.amount == 808


def test_there_is_no_bill_of_what_is_not_ready(shop: Shop) -> None:
    order = ready(shop)
    handed_over(shop, order)
    assert refused(NotReady, shop.store.pickups.bill, order.id).facts["state"] == "collected"
