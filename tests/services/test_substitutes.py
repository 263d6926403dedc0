"""Substitutes: the consent of the basket decides what is given, proposed and charged, and nothing goes beyond it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from omniorder import (
    Alternative,
    Article,
    Consent,
    Message,
    Money,
    Order,
    OrderState,
    PayInStore,
    Pick,
    Price,
    Rerouting,
    Service,
    Settings,
    Stage,
    Taken,
    Tender,
    Unit,
)
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.proposals import Proposal
from omniorder.errors import (
    IllegalTransition,
    InvalidQuantity,
    KeyReused,
    Misconfigured,
    NotFound,
    NotReady,
    OutOfStock,
    SubstituteRefused,
)
from omniorder.testing import FakeClock, FakeGateway, FakeInventory
from omniorder.testing.invariants import check_all, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import INSTANT, VISA, charged, handed_over, level, names, refused


@pytest.fixture
def shop_in_memory() -> Iterator[Shop]:
    with Shop.example() as shop:
        yield shop


MILK = Shop.MILK
"""2.49 EUR"""
OTHER, DEARER = "OAT-MILK-OTHER", "OAT-MILK-BIO"
"""2.29 EUR and 2.99 EUR, ten of each."""
UP_TO_3 = Money(300, "EUR")
_LESS = Alternative.LESS


def with_substitutes(shop: Shop) -> None:
    """Two other kinds of oat milk."""
    shop.office.articles.put(
        Article(OTHER, "Another oat milk 1 l", brand="Other", allergens=["gluten"]),
        Article(DEARER, "Organic oat milk 1 l", brand="Bio"),
    )
    shop.office.prices.put(Price(OTHER, Money(229, "EUR"), tax="0.20"), Price(DEARER, Money(299, "EUR"), tax="0.20"))
    for sku in (OTHER, DEARER):
        shop.office.stock.receive(shop.SOFIA, sku, 10)


def ordered(shop: Shop, consent: Consent, quantity: int = 2, *, sku: str = MILK, pay: Tender = VISA) -> Order:
    """An order of Anna's with this consent, being prepared by a store that has other kinds of oat milk too."""
    with_substitutes(shop)
    cart = shop.app.carts.start()
    cart = shop.app.carts.add(cart.id, sku, quantity, substitutes=consent)
    slot = next(offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == shop.SOFIA).slots[0].id
    return shop.app.checkout.place(shop.app.checkout.promise(cart.id, slot=slot).id, pay=pay)


def given(shop: Shop, order: Order, sku: str = OTHER, quantity: int = 1, **more: Any) -> Order:
    return shop.store.pickups.substitute(order.id, order.lines[0].id, quantity, sku, **more)


def proposed(shop: Shop, quantity: int = 1, **consent: Any) -> tuple[Order, Proposal]:
    """An order of which the store proposes another milk for so many of two."""
    order = given(shop, ordered(shop, Consent.ask(**consent)), quantity=quantity)
    return order, order.pickup.proposals[0]


def finished(shop: Shop, order: Order) -> Order:
    """The rest picked, made ready and handed over."""
    picks = [Pick(line.line, line.to_pick[1]) for line in order.pickup.lines if line.to_pick[1]]
    if picks:
        shop.store.pickups.pick(order.id, picks)
    ready = shop.store.pickups.ready(order.id)
    handed_over(shop, ready)
    return shop.app.orders.get(order.id)


# --- by consent, at once ----------------------------------------------------------------------------------


def test_what_is_similar_comes_at_once_and_is_paid_instead(shop: Shop) -> None:
    order = given(shop, ordered(shop, Consent.similar()))
    (came,) = order.added
    assert (came.sku, came.quantity, came.instead_of) == (OTHER, 1, order.lines[0].id)
    line = order.pickup.line(order.lines[0].id)
    assert (line.dropped, line.replaced, order.pickup.line(came.id).open) == (1, 1, 1)
    assert level(shop) == (39, 1)  # the missing carton is off the books, and nobody's any more
    assert level(shop, OTHER) == (10, 1)
    check_all(shop.hub)
    order = finished(shop, order)
    assert (order.state, charged(shop)) == (OrderState.COMPLETED, 249 + 229)
    assert level(shop, OTHER) == (9, 0)
    check_all(shop.hub)


def test_what_is_on_the_shelf_but_not_to_be_had_stays_on_the_books(shop: Shop) -> None:
    given(shop, ordered(shop, Consent.similar()), on_shelf=True)
    assert level(shop) == (40, 1)


def test_a_cap_lets_it_be_dearer_and_the_money_is_set_aside_beforehand(shop: Shop) -> None:
    order = ordered(shop, Consent.similar(cap=UP_TO_3))
    assert (order.total.amount, order.ceiling.amount) == (498, 600)
    assert order.payments[0].authorised.amount == 600
    finished(shop, given(shop, order, DEARER, 2))
    assert charged(shop) == 598
    check_all(shop.hub)


def test_what_was_paid_at_once_goes_back_as_far_as_the_substitute_is_cheaper(shop: Shop) -> None:
    order = ordered(shop, Consent.similar(), pay=INSTANT)
    given(shop, order, OTHER, 2)
    assert charged(shop) == 458
    check_all(shop.hub)


def test_the_store_may_give_it_for_less(shop: Shop) -> None:
    order = ordered(shop, Consent.similar())
    assert refused(SubstituteRefused, lambda: given(shop, order, DEARER)).facts["most"] == "2.49 EUR"
    finished(shop, given(shop, order, DEARER, price=Money(249, "EUR")))
    assert charged(shop) == 498


def test_it_is_paid_at_the_counter_where_the_rest_is(shop: Shop) -> None:
    order = given(shop, ordered(shop, Consent.similar(cap=UP_TO_3), pay=PayInStore()), DEARER, 2)
    assert order.due_in_store.amount == 598
    shop.store.pickups.pick(order.id, order.added[0].id, 2)
    shop.store.pickups.ready(order.id)
    receipt = handed_over(shop, order, taken=Taken(Money(598, "EUR"), "cash", "till 4/17"))
    assert [line.sku for line in receipt.lines] == [DEARER]
    check_all(shop.hub)


def test_what_is_set_aside_is_raised_for_a_dearer_substitute_where_that_is_how_the_shop_does_it(
    open_shop: OpenShop,
) -> None:
    clock = FakeClock()
    gateway = FakeGateway(clock=clock, incremental=True)
    shop = open_shop(clock=clock, gateway=gateway, settings=Settings(raises_authorisations=True), migrate=True)
    order = ordered(shop, Consent.similar(cap=UP_TO_3))
    assert order.payments[0].authorised.amount == 498
    order = finished(shop, given(shop, order, DEARER, 2))
    assert (charged(shop), len(order.payments)) == (598, 1)
    check_all(shop.hub, gateways={"card": gateway})


def test_it_is_told_what_came_and_instead_of_what(shop: Shop) -> None:
    order = given(shop, ordered(shop, Consent.named(OTHER)))
    assert names(shop, order)[-3:] == ["PickStarted", "LinesAppended", "UnitsSubstituted"]


def test_a_substitute_that_is_missing_too_is_replaced_within_the_same_bounds(shop: Shop) -> None:
    order = given(shop, ordered(shop, Consent.similar(cap=UP_TO_3)), OTHER, 2)
    order = shop.store.pickups.substitute(order.id, order.added[0].id, 1, DEARER)
    assert [line.replaced for line in order.pickup.lines] == [2, 1, 0]
    check_all(shop.hub)
    finished(shop, order)
    assert charged(shop) == 229 + 299
    check_all(shop.hub)


def test_a_substitute_that_is_missing_too_can_be_called_off(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(rerouting=Rerouting(alternatives=[_LESS], ask=[])))
    order = given(shop, ordered(shop, Consent.similar()))
    order = shop.store.pickups.reject(order.id, [Pick(order.added[0].id, 1)], reason="not_found")
    assert order.pickup.line(order.added[0].id).dropped == 1
    finished(shop, order)
    assert charged(shop) == 249
    check_all(shop.hub)


# --- asked ------------------------------------------------------------------------------------------------


def test_who_wants_to_be_asked_is_asked_while_the_rest_is_picked(shop: Shop) -> None:
    order, proposal = proposed(shop)
    assert (order.stage, order.pickup.state) == (Stage.QUESTION, PickupState.PICKING)
    assert (proposal.coming.sku, proposal.quantity) == (OTHER, 1)
    assert proposal.until == shop.clock.now() + timedelta(minutes=15)
    assert (level(shop, OTHER), order.added) == ((10, 1), ())
    order = shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    assert refused(NotReady, lambda: shop.store.pickups.ready(order.id)).facts["lines"] == 1
    check_all(shop.hub)


@pytest.mark.parametrize("desk", ["app", "web", "phone"])
def test_the_customer_accepts_on_any_channel(shop_in_memory: Shop, desk: str) -> None:
    order, proposal = proposed(shop_in_memory)
    accept = getattr(shop_in_memory, desk).orders.accept
    order = accept(order.id, proposal.id)
    assert (order.added[0].id, order.pickup.proposals) == (proposal.id, ())
    assert accept(order.id, proposal.id) == order  # twice is once


def test_what_is_accepted_is_picked_handed_over_and_paid(shop: Shop) -> None:
    order, proposal = proposed(shop)
    order = shop.web.orders.accept(order.id, proposal.id)
    check_all(shop.hub)
    finished(shop, order)
    assert charged(shop) == 249 + 229
    assert (level(shop), level(shop, OTHER)) == ((38, 0), (9, 0))
    check_all(shop.hub)


def test_what_is_declined_is_missing_and_goes_the_usual_way(shop: Shop) -> None:
    order, proposal = proposed(shop)
    order = shop.app.orders.decline(order.id, proposal.id)
    assert order.pickup.state is PickupState.AWAITING_CUSTOMER
    assert level(shop, OTHER) == (10, 0)
    check_all(shop.hub)
    shop.app.orders.answer(order.id, "less")
    finished(shop, shop.app.orders.get(order.id))
    assert charged(shop) == 249
    check_all(shop.hub)


@pytest.mark.parametrize(("takes", "cents"), [(True, 249 + 229), (False, 249)])
def test_silence_is_what_the_consent_says(open_shop: OpenShop, takes: bool, cents: int) -> None:
    shop = open_shop(settings=Settings(rerouting=Rerouting(alternatives=[_LESS], ask=[])))
    order, _ = proposed(shop, silence_takes=takes)
    shop.advance(minutes=14)
    assert shop.app.orders.get(order.id).pickup.proposals
    shop.advance(minutes=2)
    order = shop.app.orders.get(order.id)
    assert (bool(order.added), order.pickup.proposals) == (takes, ())
    nothing_is_overdue(shop.hub)
    check_all(shop.hub)
    finished(shop, order)
    assert charged(shop) == cents


def test_the_store_may_take_its_proposal_back(shop: Shop) -> None:
    order, proposal = proposed(shop, 2)
    order = shop.store.pickups.withdraw_substitute(order.id, proposal.id)
    assert (order.pickup.proposals, order.pickup.lines[0].to_pick) == ((), (2, 2))
    assert level(shop, OTHER) == (10, 0)
    with pytest.raises(NotFound):
        shop.app.orders.accept(order.id, proposal.id)
    check_all(shop.hub)


def test_two_may_be_proposed_for_one_line_and_answered_apart(shop: Shop) -> None:
    order, first = proposed(shop, cap=UP_TO_3)
    order = given(shop, order, DEARER)
    second = order.pickup.proposals[1]
    order = shop.app.orders.accept(order.id, second.id)
    order = shop.app.orders.accept(order.id, first.id)
    assert [line.sku for line in order.added] == [DEARER, OTHER]
    check_all(shop.hub)


def test_units_that_something_is_proposed_for_are_not_picked_meanwhile(shop_in_memory: Shop) -> None:
    order, _ = proposed(shop_in_memory)
    facts = refused_quantity(lambda: shop_in_memory.store.pickups.pick(order.id, order.lines[0].id, 2))
    assert facts["rule"] == "1 are still to be picked"


def test_proposals_end_with_an_order_that_is_called_off(shop: Shop) -> None:
    order, proposal = proposed(shop)
    order = shop.app.orders.cancel(order.id)
    assert (order.pickup.proposals, level(shop, OTHER), level(shop)) == ((), (10, 0), (39, 0))
    with pytest.raises(NotFound):
        shop.app.orders.accept(order.id, proposal.id)
    check_all(shop.hub)


def test_proposals_end_when_the_store_gives_the_whole_order_up(shop: Shop) -> None:
    order, _ = proposed(shop)
    order = shop.store.pickups.reject(order.id, reason="flooded")
    assert (order.pickup.proposals, level(shop, OTHER)) == ((), (10, 0))
    assert level(shop)[0] == 38
    check_all(shop.hub)


def test_another_question_leaves_the_proposal_open(shop: Shop) -> None:
    order, proposal = proposed(shop)
    order = shop.store.pickups.reject(order.id, [Pick(order.lines[0].id, 1)], reason="not_found")
    assert order.pickup.state is PickupState.AWAITING_CUSTOMER
    order = shop.app.orders.accept(order.id, proposal.id)
    check_all(shop.hub)
    order = shop.app.orders.answer(order.id, "less")
    assert (order.pickup.state, order.pickup.rest()[0].line) == (PickupState.TO_PICK, proposal.id)
    check_all(shop.hub)


def test_proposals_end_with_a_pick_up_that_goes_to_another_store(shop: Shop) -> None:
    order, _ = proposed(shop)
    shop.office.stock.receive(shop.MARKET, MILK, 5)
    shop.office.stock.adjust(shop.SOFIA, MILK, -level(shop)[0], reason="sold")
    order = shop.store.pickups.reject(order.id, [Pick(order.lines[0].id, 1)], reason="not_found")
    question = order.pickup.question
    assert question is not None
    elsewhere = next(option for option in question.options if option.alternative.value == "other_store")
    order = shop.app.orders.answer(order.id, elsewhere.id)
    assert (order.pickup.store, order.pickup.proposals, level(shop, OTHER)) == (shop.MARKET, (), (10, 0))
    check_all(shop.hub)


def test_customers_are_told_once_of_each_proposal_and_each_substitute(open_shop: OpenShop) -> None:
    told: list[Message] = []

    class Notes:
        def notify(self, message: Message) -> None:
            told.append(message)

    shop = open_shop(notifier=Notes(), migrate=True)
    order, proposal = proposed(shop)
    shop.app.orders.accept(order.id, proposal.id)
    shop.hub.sweep()
    shop.hub.sweep()
    occasions = [message.occasion.value for message in told]
    assert occasions == ["confirmed", "substitute_proposed", "substituted"]


# --- refused ----------------------------------------------------------------------------------------------


def refused_quantity(call: Callable[[], object]) -> Any:
    return refused(InvalidQuantity, call).facts


def test_what_the_consent_refuses_is_refused_with_its_reason(shop: Shop) -> None:
    nuts, brand = Consent.similar(without_allergens=["gluten"]), Consent.similar(without_brands=["OTHER"])
    for consent, reason in (
        (Consent.refuse(), "no_consent"),
        (Consent.named(DEARER), "other_article"),
        (nuts, "allergen"),
        (brand, "brand"),
        (Consent.similar(cap=Money(228, "EUR")), "above_cap"),
    ):
        order = ordered(shop, consent)
        assert refused(SubstituteRefused, given, shop, order).facts["reason"] == reason
    check_all(shop.hub)


def test_an_age_check_that_the_line_did_not_need_is_refused(shop_in_memory: Shop) -> None:
    order = ordered(shop_in_memory, Consent.similar())
    shop_in_memory.office.articles.put(Article(OTHER, "Oat liqueur", needs=[Service.AGE_RESTRICTED]))
    assert refused(SubstituteRefused, lambda: given(shop_in_memory, order)).facts["reason"] == "needs_more"


def test_grams_are_not_given_for_pieces(shop_in_memory: Shop) -> None:
    order = ordered(shop_in_memory, Consent.similar())
    assert refused(SubstituteRefused, given, shop_in_memory, order, Shop.APPLES).facts["reason"] == "other_unit"


def test_grams_are_given_for_grams_and_weigh_no_more_than_was_agreed(shop: Shop) -> None:
    order = ordered(shop, Consent.similar(), 500, sku=Shop.CHEESE)
    shop.office.articles.put(Article("EDAM", "Edam", Unit.GRAM, tolerance="0.2"))
    shop.office.prices.put(Price("EDAM", Money(129, "EUR"), tax="0.20", per=100))
    shop.office.stock.receive(shop.SOFIA, "EDAM", 600)
    shop.store.pickups.pick(order.id, order.lines[0].id, 300)
    order = given(shop, order, "EDAM", 200)
    assert level(shop, "EDAM") == (600, 220)  # by the tolerance of what it came for
    check_all(shop.hub)
    finished(shop, order)
    assert charged(shop) == 426 + 284  # 330 g and 220 g, at their heaviest
    check_all(shop.hub)


def test_what_the_shelf_has_not_got_is_no_substitute_and_nothing_has_changed(shop: Shop) -> None:
    order = ordered(shop, Consent.ask())
    shop.office.stock.adjust(shop.SOFIA, OTHER, -10, reason="sold")
    before = names(shop, order)
    assert refused(OutOfStock, lambda: given(shop, order)).facts["short"][0]["sku"] == OTHER
    assert (names(shop, order), level(shop)) == (before, (40, 2))


def test_only_what_is_being_picked_gets_a_substitute(shop_in_memory: Shop) -> None:
    order = ordered(shop_in_memory, Consent.similar())
    shop_in_memory.store.pickups.pick(order.id, order.lines[0].id, 1)
    refused_quantity(lambda: given(shop_in_memory, order, quantity=2))
    shop_in_memory.store.pickups.reject(order.id, [Pick(order.lines[0].id, 1)], reason="not_found")
    with pytest.raises(IllegalTransition):
        given(shop_in_memory, order)


def test_strangers_answer_nothing(shop_in_memory: Shop) -> None:
    order, proposal = proposed(shop_in_memory)
    with pytest.raises(NotFound):
        shop_in_memory.stranger.orders.accept(order.id, proposal.id)
    with pytest.raises(NotFound):
        shop_in_memory.elsewhere.pickups.substitute(order.id, order.lines[0].id, 1, OTHER)


def test_a_key_gives_the_same_answer_and_is_of_one_request(shop: Shop) -> None:
    order = ordered(shop, Consent.similar())
    first = given(shop, order, key="once")
    assert given(shop, order, key="once") == first
    with pytest.raises(KeyReused):
        given(shop, order, DEARER, key="once")
    order, proposal = proposed(shop)
    declined = shop.app.orders.decline(order.id, proposal.id, key="no")
    assert shop.app.orders.decline(order.id, proposal.id, key="no") == declined


def test_stock_outside_can_not_be_held_and_is_not_substituted() -> None:
    clock = FakeClock()
    shop = Shop.example(clock=clock, outside=FakeInventory(clock=clock))
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, MILK, 2, substitutes=Consent.similar())
    slot = shop.app.checkout.offers(cart.id)[0].slots[0].id
    order = shop.app.checkout.place(shop.app.checkout.promise(cart.id, slot=slot).id, pay=VISA)
    with pytest.raises(Misconfigured):
        given(shop, order, Shop.BREAD)
