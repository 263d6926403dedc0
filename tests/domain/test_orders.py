"""An order as one aggregate: lines that never change, values that add up, and one event per version."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import orders
from omniorder.domain.answers import Approved
from omniorder.domain.channels import Channel
from omniorder.domain.lifecycle import Funding, OrderState, PaymentState, PickupState
from omniorder.domain.money import Money, extend
from omniorder.domain.orders import Order, OrderLine, Stage, place
from omniorder.domain.quantities import Unit
from omniorder.errors import IllegalTransition, NotFound
from omniorder.testing import samples, strategies
from omniorder.testing.samples import MINUTE, NOW, cart, every_order, promise
from omniorder.testing.walks import Turn

LATER = NOW + 15 * MINUTE


def blank() -> Order:
    """Made of the sample promise, before anything happened to it."""
    basket = cart()
    return place("SOF01-7K3F9Q", basket, promise(basket=basket), at=NOW, channel=Channel.WEB, pay_by=LATER)


# --- placing ----------------------------------------------------------------------------------------------


def test_an_order_keeps_what_was_promised() -> None:
    made = promise(basket=cart())
    placed = blank()
    assert (placed.total, placed.ceiling) == (made.quote.total, made.quote.ceiling)
    assert (placed.promise_id, placed.reservation_id, placed.cart_id) == (made.id, made.reservation_id, made.cart_id)
    assert (placed.pickup.store, placed.pickup.slot, placed.pickup.starts) == (made.store, made.slot, made.starts)
    for line, quoted in zip(placed.lines, made.quote.lines, strict=True):
        assert (line.id, line.sku, line.name, line.quantity) == (quoted.line, quoted.sku, quoted.name, quoted.quantity)
        assert (line.price, line.per, line.tax, line.total) == (quoted.price, quoted.per, quoted.tax, quoted.total)


def test_notes_and_labels_come_along_from_the_cart() -> None:
    placed, basket = blank(), cart()
    assert [(line.note, line.metadata) for line in placed.lines] == [(w.note, w.metadata) for w in basket.lines]
    assert (placed.language, placed.metadata) == (basket.language, basket.metadata)


def test_an_order_begins_unpaid_with_a_planned_pick_up() -> None:
    placed = blank()
    assert (placed.state, placed.pickup.state, placed.payments) == (OrderState.PLACED, PickupState.PLANNED, ())
    assert (placed.version, placed.confirmed_at, placed.pay_by) == (0, None, LATER)


def test_the_reference_names_the_home_store() -> None:
    assert blank().store == "SOF01"
    assert blank().pickup.id == "pup_SOF01_7K3F9Q_1"


@pytest.mark.parametrize("find", [Order.line, Order.payment, Order.payment_with])
def test_what_is_not_there_is_not_found(find: object) -> None:
    assert callable(find)
    with pytest.raises(NotFound):
        find(every_order()["confirmed"], "nothing")


# --- values -----------------------------------------------------------------------------------------------

line_of = st.builds(
    lambda cents, per, quantity: OrderLine(
        "ln_1", "MILK", "Milk", Unit.GRAM, quantity, Money(cents, "EUR"), per, Decimal("0.2"),
        extend(Money(cents, "EUR"), quantity, per),
    ),
    st.integers(0, 10**4), st.sampled_from([1, 3, 100, 1000]), st.integers(1, 5000),
)  # fmt: skip


@given(line=line_of, data=st.data())
def test_the_value_of_parts_adds_up_to_the_value_of_the_line(line: OrderLine, data: st.DataObject) -> None:
    """To the cent, wherever it is cut."""
    cut = data.draw(st.integers(0, line.quantity))
    assert Money(0, "EUR") <= line.value(cut) <= line.value(line.quantity)
    rest = line.value(line.quantity) - line.value(cut)
    assert line.value(cut) + rest == line.value(line.quantity)


@given(order=strategies.orders())
def test_the_value_of_everything_is_the_total(order: Order) -> None:
    whole = sum(line.value(line.quantity).amount for line in order.lines)
    assert whole == order.total.amount == sum(line.total.amount for line in order.lines)


@given(order=strategies.orders())
def test_what_left_is_worth_no_more_than_what_is_wanted(order: Order) -> None:
    """And that no more than what was bought, or than its ceiling where some of it was weighed."""
    bound = order.ceiling if any(line.tolerance for line in order.lines) else order.total
    assert Money(0, order.total.currency) <= order.collected_value <= order.wanted_value <= bound


@given(order=strategies.orders())
def test_taxes_share_out_the_total(order: Order) -> None:
    assert sum(part.gross.amount for part in order.taxes) == order.total.amount


def test_what_is_about_to_leave_is_what_left_and_what_is_claimed() -> None:
    ready = every_order()["ready"]
    one = (e.Units(ready.lines[0].id, 1),)
    assert ready.leaving_value == ready.wanted_value == ready.total
    assert samples.handing_over(ready, one).leaving_value == ready.value_after(one)


def test_units_are_summed_per_sku() -> None:
    basket = samples.changed(cart(), e.LineAdded("ln_more", samples.MILK, 3, note="cold"))
    placed = place("SOF01-7K3F9Q", basket, promise(basket=basket), at=NOW, channel=Channel.WEB, pay_by=LATER)
    units = [e.Units(line.id, line.quantity) for line in placed.lines]
    assert placed.units_by_sku(units) == basket.demand()
    assert placed.units_by_sku(units)[samples.MILK] == 5


def test_what_is_due_at_the_counter() -> None:
    assert every_order()["due in store"].due_in_store == every_order()["placed"].total
    assert every_order()["confirmed"].due_in_store.amount == 0


# --- where it stands --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "funding", "stage"),
    [
        ("placed", Funding.SHORT, Stage.AWAITING_PAYMENT),
        ("asked", Funding.BUSY, Stage.AWAITING_PAYMENT),
        ("unanswered", Funding.BUSY, Stage.AWAITING_PAYMENT),
        ("action required", Funding.BUSY, Stage.AWAITING_PAYMENT),
        ("declined", Funding.SHORT, Stage.AWAITING_PAYMENT),
        ("confirmed", Funding.COVERED, Stage.PREPARING),
        ("due in store", Funding.COVERED, Stage.PREPARING),
        ("picking", Funding.COVERED, Stage.PREPARING),
        ("ready", Funding.COVERED, Stage.READY),
        ("handing over", Funding.BUSY, Stage.READY),
        ("partly collected", Funding.COVERED, Stage.READY),
        ("rest lapsed", Funding.BUSY, Stage.COLLECTED),
        ("completed", Funding.CLEAR, Stage.COLLECTED),
        ("cancelling", Funding.BUSY, Stage.BEING_CANCELLED),
        ("cancelled", Funding.CLEAR, Stage.CANCELLED),
        ("expiring", Funding.BUSY, Stage.BEING_CANCELLED),
    ],
)
def test_how_the_order_stands_and_what_the_customer_sees(name: str, funding: Funding, stage: Stage) -> None:
    order = every_order()[name]
    assert (order.funding, order.stage) == (funding, stage)


def test_who_did_not_come_is_told_apart_from_who_did_not_pay() -> None:
    unpaid = samples.after(every_order()["declined"], e.ExpiryStarted(NOW), at=NOW)
    missed = samples.heard(every_order()["not collected"], Approved(unpaid.total))
    assert (unpaid.state, unpaid.stage) == (OrderState.EXPIRED, Stage.EXPIRED)
    assert (missed.state, missed.stage) == (OrderState.EXPIRED, Stage.NOT_COLLECTED)


@given(order=strategies.orders())
def test_every_order_has_a_stage(order: Order) -> None:
    assert isinstance(order.stage, Stage)


# --- events -----------------------------------------------------------------------------------------------


@given(steps=strategies.lives())
def test_every_event_is_one_version(steps: tuple[Turn, ...]) -> None:
    """O1: the version is the number of events, so it is the last place in the journal too."""
    for step in steps:
        assert step.after.version == step.before.version + len(step.events)
        assert orders.told(step.before, step.events, step.at) == step.after


@given(steps=strategies.lives())
def test_what_was_bought_never_changes(steps: tuple[Turn, ...]) -> None:
    """O2: what happens to the lines is told beside them."""
    for step in steps:
        now, then = step.before, step.after
        assert (now.lines, now.total, now.ceiling) == (then.lines, then.total, then.ceiling)


def test_an_event_about_another_payment_is_not_found() -> None:
    with pytest.raises(NotFound):
        orders.apply(every_order()["confirmed"], e.PaymentWithdrawn("pay_x"), NOW)


def test_an_event_that_is_none_of_an_orders_is_refused() -> None:
    with pytest.raises(IllegalTransition):
        orders.apply(every_order()["confirmed"], e.CartAbandoned(), NOW)


def test_a_part_that_leaves_is_told_to_order_and_pick_up_at_once() -> None:
    """One event, two machines: where the order's table has no room for it, the pick-up does not move either."""
    claimed = every_order()["handing over"]
    taken = e.Captured(claimed.payments[0].id, claimed.total)
    paid = orders.apply(claimed, taken, NOW)
    part = e.PartCollected((e.Units(claimed.lines[0].id, 1),))
    after = orders.apply(paid, part, NOW)
    assert (after.state, after.pickup.state, after.version) == (
        OrderState.CONFIRMED,
        PickupState.READY,
        paid.version + 1,
    )
    with pytest.raises(IllegalTransition):
        orders.apply(orders.apply(paid, e.OrderCompleted(), NOW), part, NOW)


def test_a_refused_event_leaves_the_other_machines_alone() -> None:
    """The order's table would take it, but the pick-up's does not."""
    order = every_order()["confirmed"]
    before = repr(order)
    with pytest.raises(IllegalTransition):
        orders.apply(order, e.PartCollected((e.Units(order.lines[0].id, 1),)), NOW)
    assert repr(order) == before


def test_the_instants_of_a_life_are_kept() -> None:
    confirmed = samples.authorised(samples.order())
    assert confirmed.confirmed_at == NOW + MINUTE
    hold = NOW + timedelta(minutes=30)
    assert orders.apply(confirmed, e.CancelStarted("", hold), NOW).hold_until == hold


def test_a_tender_is_added_with_its_token() -> None:
    added = orders.apply(samples.order(), e.TenderAdded("pay_1", "card", Money(5, "EUR"), "pm_1"), NOW)
    payment = added.payment("pay_1")
    assert (payment.kind, payment.token, payment.amount, payment.state) == (
        "card",
        "pm_1",
        Money(5, "EUR"),
        PaymentState.CREATED,
    )


def test_notes_are_not_shown_in_a_log() -> None:
    basket = cart(note="ring at Ivanov's")
    placed = place("SOF01-7K3F9Q", basket, promise(basket=basket), at=NOW, channel=Channel.WEB, pay_by=LATER)
    assert "Ivanov" not in repr(placed)
