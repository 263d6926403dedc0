"""However goods are split, refused, weighed and paid: in the end the shop holds the price of what left, and no more."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder import Card, GiftCard, Money, Order, PayInStore, Pick, PickupState, Rest, Taken, Tender, Unwanted
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import code, placed

BASKET = {Shop.MILK: 3, Shop.BREAD: 2, Shop.APPLES: 333, Shop.CHEESE: 500}
VISITS = 6


@st.composite
def tenders(draw: st.DrawFn, shop: Shop) -> list[Tender]:
    """A card, or a gift card first; what is missing by card or at the counter."""
    first: list[Tender] = []
    if amount := draw(st.sampled_from([0, 500, 5000])):
        first = [GiftCard(shop.office.gift_cards.issue(Money(amount, "EUR")).code)]
    last: Tender = draw(st.sampled_from([Card("pm_card_visa"), Card("pm_card_instant"), PayInStore()]))
    return [*first, last] if amount < 5000 else first


@st.composite
def split(draw: st.DrawFn, order: Order) -> tuple[list[Pick] | None, list[Unwanted]]:
    """What is taken (None: the rest), and what is refused."""
    taken: list[Pick] = []
    refused: list[Unwanted] = []
    for line in order.pickup.lines:
        no = draw(st.integers(0, line.open))
        yes = draw(st.integers(0, line.open - no))
        refused += [Unwanted(line.line, no, draw(st.sampled_from(["unwanted", "damaged"])))] if no else []
        taken += [Pick(line.line, yes)] if yes else []
    return taken or None, refused


@settings(max_examples=25)
@given(st.data())
def test_what_the_shop_holds_in_the_end_is_the_price_of_what_left(data: st.DataObject) -> None:
    clock = FakeClock()
    partly, several = data.draw(st.booleans(), "captures a part"), data.draw(st.booleans(), "captures several times")
    gateway = FakeGateway(clock=clock, several_captures=several, partial_capture=partly)
    with Shop.example(clock=clock, gateway=gateway) as shop:
        order = placed(shop, BASKET, pay=data.draw(tenders(shop)))
        *exact, cheese = order.lines
        shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in exact])
        shop.store.pickups.pick(order.id, cheese.id, data.draw(st.integers(450, 550), "grams"))
        order = shop.store.pickups.ready(order.id)
        said, numbers = code(shop, order), list[str]()
        for _ in range(VISITS):
            lines, no = data.draw(split(order))
            rest = data.draw(st.sampled_from(Rest))
            due = shop.store.pickups.bill(order.id, lines=lines, refused=no, rest=rest).due
            taken = Taken(due) if due.amount else None
            receipt = shop.store.pickups.hand_over(order.id, code=said, lines=lines, refused=no, rest=rest, taken=taken)
            order = receipt.order
            numbers.append(receipt.number)
            assert receipt.balance.amount >= 0
            if order.pickup.state is not PickupState.READY:
                break
        if order.pickup.state is PickupState.READY:
            order = shop.store.orders.cancel(order.id)
        order = shop.office.orders.get(order.id)
        assert all(p.state.value in ("captured", "voided", "declined") for p in order.payments)
        refusing = order.to_pay_out  # cash that its customer is still to be given
        assert order.kept - refusing == order.collected_value + order.fees
        printed = [shop.store.pickups.receipt(order.id, number) for number in numbers]
        assert sum(one.total.amount for one in printed) == order.collected_value.amount
        check_all(shop.hub)
