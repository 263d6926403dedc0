"""Whatever is given, proposed, accepted or declined: nothing costs more than its customer agreed to, to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder.domain import carts, coupling, ids, orders, promises, substitutes
from omniorder.domain import events as e
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import CartLine
from omniorder.domain.channels import Channel
from omniorder.domain.consents import Consent, ConsentMode
from omniorder.domain.money import Money, extend
from omniorder.domain.orders import Order
from omniorder.domain.pickups import PickupLine
from omniorder.domain.proposals import Proposal
from omniorder.domain.quantities import Unit, weight_bounds
from omniorder.domain.substitutes import Offered, ordered_line
from omniorder.errors import InvalidMoney, InvalidQuantity, SubstituteRefused
from omniorder.testing import samples

LINE = "ln_0000000000001"


def being_picked(consent: Consent, quantity: int = 3, price: int = 249, per: int = 1, tolerance: str = "0") -> Order:
    """An order of one line, to be paid at the counter, that is being picked."""
    unit = Unit.PIECE if tolerance == "0" else Unit.GRAM
    basket = samples.changed(samples.empty_cart(), carts.added(CartLine(LINE, "X", quantity, consent=consent)))
    article = Article("X", "x", unit, tolerance=tolerance)
    quote = promises.quote(basket, {"X": article}, {"X": Price("X", Money(price, "EUR"), tax="0.20", per=per)})
    promise = evolve(samples.promise(), quote=quote, cart_id=basket.id, owner=basket.owner)
    reference, at = ids.order_id("SOF01", bytes(16)), samples.NOW
    placed = orders.place(reference, basket, promise, at=at, channel=Channel.WEB, pay_by=at + timedelta(minutes=15))
    told = e.OrderPlaced(basket.id, promise.id, basket.owner, quote.total, quote.ceiling, placed.pay_by)
    return samples.after(samples.pay_in_store(orders.apply(placed, told, at)), e.PickStarted())


def offer(order: Order, price: int, per: int = 1, tolerance: str = "0", less: Money | None = None) -> Offered:
    """Something else, under an id that nothing has yet."""
    unit = order.lines[0].unit
    line = ids.line_id((len(order.added) + len(order.pickup.proposals) + 2).to_bytes(8))
    article = Article("Y" * (1 + order.version), "y", unit, tolerance=tolerance if unit is Unit.GRAM else "0")
    return Offered(line, article, Price(article.sku, Money(price, "EUR"), tax="0.20", per=per), less)


def replaced(order: Order, line: str, quantity: int, offered: Offered) -> Order:
    """The order with this instead of so many units of the line: at once, or proposed."""
    coming = substitutes.coming(order, line, quantity, offered)
    if ordered_line(order, line).consent.mode is ConsentMode.ASK:
        proposal = Proposal(line, quantity, coming, f"rsv_SOF01_{coming.id}", samples.NOW, "not_found")
        return samples.after(order, e.SubstituteProposed(proposal))
    came = e.LinesAppended((coming,), f"rsv_SOF01_{coming.id}")
    return samples.after(order, came, e.UnitsSubstituted(line, quantity, coming.id))


def most(order: Order, line: PickupLine) -> int:
    """The most that this line may cost."""
    return order.line(line.line).value(line.bounds[1]).amount


def within_consent(order: Order) -> None:
    """What must hold after each step."""
    ordered = order.lines[0]
    _, heaviest = weight_bounds(ordered.quantity, ordered.tolerance)
    assert sum(most(order, line) for line in order.pickup.lines) <= ordered.at_most(heaviest).amount
    assert ordered.at_most(heaviest) == order.ceiling
    assert order.most <= order.ceiling
    for line in order.added:
        assert line.total <= extend(ordered.cap, line.quantity, ordered.per)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 10), st.integers(1, 400), st.integers(0, 600), st.sampled_from([1, 3, 7, 100, 1000]),
        st.sampled_from(["0", "0.1", "0.5"]), st.sampled_from(["accept", "decline", "withdraw", "leave"]),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=150)
@given(
    st.integers(1, 400), st.integers(0, 500), st.sampled_from([1, 3, 7, 100, 1000]),
    st.sampled_from(["0", "0.1", "0.37"]),
    st.booleans(), st.none() | st.integers(0, 700), STEPS,
)  # fmt: skip
def test_nothing_is_ever_charged_beyond_what_was_agreed_to(
    quantity: int, price: int, per: int, tolerance: str, asks: bool, cap: int | None,
    steps: list[tuple[int, int, int, int, str, str]],
) -> None:  # fmt: skip
    make = Consent.ask if asks else Consent.similar
    order = being_picked(make(cap=None if cap is None else Money(cap, "EUR")), quantity, price, per, tolerance)
    within_consent(order)
    for which, units, asked, its_per, its_tolerance, then in steps:
        line = order.pickup.lines[which % len(order.pickup.lines)]
        if not line.missing:
            continue
        some = 1 + units % line.missing
        try:
            order = replaced(order, line.line, some, offer(order, asked, its_per, its_tolerance))
        except SubstituteRefused as above:
            at = Money.of(str(above.facts["most"]).split()[0], "EUR")
            order = replaced(order, line.line, some, offer(order, asked, its_per, its_tolerance, less=at))
        within_consent(order)
        for proposal in order.pickup.proposals:
            if then == "withdraw":
                order = samples.after(order, e.SubstituteWithdrawn(proposal.id))
            elif then != "leave":
                answer = substitutes.answered(order, proposal, accepted=then == "accept")
                order = samples.after(order, *answer)
            within_consent(order)


def test_parts_that_are_rounded_up_one_by_one_are_a_little_cheaper() -> None:
    order = being_picked(Consent.similar(), quantity=2, price=25, per=10)  # 5 cents; one of them 2.5, so 3
    order = replaced(order, LINE, 1, offer(order, 25, 10))
    order = replaced(order, LINE, 1, offer(order, 25, 10))
    assert [line.total.amount for line in order.added] == [2, 3]
    assert order.wanted_value == order.ceiling == Money(5, "EUR")


def test_of_a_substitute_no_more_may_weigh_than_of_what_it_came_for() -> None:
    order = being_picked(Consent.similar(), 1000, tolerance="0.1", per=1000)
    assert replaced(order, LINE, 400, offer(order, 249, 1000, "0.5")).added[0].tolerance == Decimal("0.1")


def test_the_store_gives_it_for_less_and_never_for_more() -> None:
    order = being_picked(Consent.similar())
    assert replaced(order, LINE, 1, offer(order, 400, less=Money(200, "EUR"))).added[0].price == Money(200, "EUR")
    with pytest.raises(InvalidMoney):
        replaced(order, LINE, 1, offer(order, 100, less=Money(101, "EUR")))


def test_units_in_the_bag_are_not_replaced() -> None:
    order = samples.after(being_picked(Consent.similar()), e.LinePicked(LINE, 2))
    with pytest.raises(InvalidQuantity):
        replaced(order, LINE, 2, offer(order, 249))


def test_silence_is_decided_one_proposal_at_a_time_when_its_time_is_over() -> None:
    order = being_picked(Consent.ask(silence_takes=True))
    for _ in range(2):
        order = replaced(order, LINE, 1, offer(order, 200))
    order = evolve(order, pickup=evolve(order.pickup, proposals=tuple(
        evolve(one, silence_takes=bool(place)) for place, one in enumerate(order.pickup.proposals))))  # fmt: skip
    before = samples.NOW - timedelta(seconds=1)
    assert coupling.overdue(order, before, before) == ()
    assert coupling.due(order) == samples.NOW
    declined = samples.after(order, *coupling.overdue(order, samples.NOW, samples.NOW))
    assert (declined.pickup.short, len(declined.pickup.proposals)) == ((e.Units(LINE, 1),), 1)
    taken = samples.after(declined, *coupling.overdue(declined, samples.NOW, samples.NOW))
    assert (len(taken.added), taken.pickup.proposals) == (1, ())
