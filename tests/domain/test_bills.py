"""A bill is what the hand-over then takes: by the same rules, for whatever is wished."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder import Money, Order, OrderState, PickupState
from omniorder.domain import answers, capturing, counter, coupling
from omniorder.domain import events as e
from omniorder.domain.bills import bill
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.capturing import Taken
from omniorder.domain.counter import Rest, Unwanted, Wish
from omniorder.domain.proofs import Check, CheckKind, Proof, Shown
from omniorder.errors import OmniorderError
from omniorder.testing import samples
from omniorder.testing.samples import NOW

CAN = st.builds(
    Capabilities, partial_capture=st.booleans(), several_captures=st.booleans(), partial_refund=st.booleans()
)
LATER = NOW + samples.HOUR
SAID = Shown(Proof.CODE)
OLD_ENOUGH = Check(CheckKind.AGE, passed=True)


@st.composite
def waiting(draw: st.DrawFn) -> Order:
    """An order that is ready, paid by card, at the counter, or a part of it each; some of it may have left before."""
    order = samples.order()
    total = order.ceiling.amount
    by_card = Money(draw(st.sampled_from([0, total // 3, total])), "EUR")
    if by_card.amount:
        order = samples.paying(order, by_card)
        order = samples.heard(order, answers.Approved(by_card, "pi_1"))
    if by_card < order.ceiling:
        new, rest = order.next_payment_id(), order.ceiling - by_card
        order = samples.after(order, e.TenderAdded(new, "in_store", rest), e.LeftForStore(new, rest))
    order = samples.ready(order)
    if draw(st.booleans()) and by_card == order.ceiling:
        first = (e.Units(order.lines[0].id, 1),)
        order = samples.handing_over(order, first)
        order = samples.heard(order, answers.Approved(order.payments[0].attempts[-1].amount, "ch", open=True))
    assert (order.state, order.pickup.state) == (OrderState.CONFIRMED, PickupState.READY)
    return order


@st.composite
def wishes(draw: st.DrawFn, order: Order) -> Wish:
    """Some of it refused, of the others some taken."""
    taken: list[e.Units] = []
    refused: list[Unwanted] = []
    for part in order.pickup.rest():
        no = draw(st.integers(0, part.quantity))
        yes = draw(st.integers(0, part.quantity - no))
        refused += [Unwanted(part.line, no)] if no else []
        taken += [e.Units(part.line, yes)] if yes else []
    named = draw(st.booleans()) and bool(taken)
    units = tuple(taken) if named else None
    return Wish(units, tuple(refused), draw(st.sampled_from(Rest)), (OLD_ENOUGH,))


@given(st.data())
def test_the_bill_is_exactly_what_the_hand_over_takes(data: st.DataObject) -> None:
    order = data.draw(waiting())
    wish, can = data.draw(wishes(order)), {"card": data.draw(CAN)}
    found = bill(order, wish, can, NOW)
    taken = Taken(found.due) if found.due.amount else None
    events, leaving = counter.hand_over(
        order, wish, SAID, capabilities=can, taken=taken, at=NOW, look_at=LATER, hold_until=LATER
    )
    captures = {one.payment: one.amount for one in events if isinstance(one, e.CaptureRequested)}
    counted = [one.amount for one in events if isinstance(one, e.CounterStarted)]
    assert captures == {one.payment: one.amount for one in found.shares}
    assert counted == ([found.due] if found.due.amount else [])
    assert [(line.line, line.quantity) for line in found.lines] == [(part.line, part.quantity) for part in leaving]
    pays = found.before + found.due + Money(sum(one.amount.amount for one in found.shares), "EUR")
    assert pays >= found.total if leaving else not captures
    if wish.rest is Rest.CANCELLED and can["card"].partial_capture:
        assert pays == found.total or found.before > found.total or not leaving


@given(st.data())
def test_no_other_amount_will_do(data: st.DataObject) -> None:
    order = data.draw(waiting())
    wish = data.draw(wishes(order))
    due = bill(order, wish, {}, NOW).due
    if not due.amount:
        return
    for wrong in (None, Taken(due + Money(1, "EUR")), Taken(due - Money(1, "EUR"))):
        with pytest.raises(OmniorderError):
            counter.hand_over(order, wish, SAID, capabilities={}, taken=wrong, at=NOW, look_at=LATER, hold_until=LATER)


def test_a_card_that_refused_its_capture_leaves_all_of_it_to_the_counter() -> None:
    order = samples.ready(samples.authorised(samples.order()))
    claimed = samples.after(
        order, *capturing.hand_over(order, order.pickup.rest(), capabilities={}, taken=None, look_at=LATER)
    )
    back = samples.heard(claimed, answers.Denied("card_declined"))
    assert back.pickup.state is PickupState.READY
    found = bill(back, Wish(), {}, NOW)
    assert (found.due, found.shares) == (order.total, ())


def test_who_wants_nothing_has_nothing_to_pay() -> None:
    order = samples.ready(samples.pay_in_store(samples.order()))
    refused = tuple(Unwanted(part.line, part.quantity) for part in order.pickup.rest())
    found = bill(order, Wish(refused=refused), {}, NOW)
    assert (found.lines, found.total.amount, found.due.amount) == ((), 0, 0)


def test_all_that_is_refused_is_dropped_once_however_it_is_named() -> None:
    """The same line may be refused for two reasons, and twice for one."""
    order = samples.ready(samples.authorised(samples.order()))
    milk, _, apples = order.lines
    some = (Unwanted(apples.id, 100), Unwanted(apples.id, 50), Unwanted(apples.id, 10, "damaged"), Unwanted(milk.id, 1))
    parts = counter.split(order, Wish(refused=some), NOW)
    assert parts.dropped == (
        e.UnitsRefused((e.Units(apples.id, 150), e.Units(milk.id, 1)), "unwanted"),
        e.UnitsRefused((e.Units(apples.id, 10),), "damaged"),
    )
    assert parts.after.pickup.line(apples.id).open == 750 - 160


def test_of_what_was_weighed_refused_grams_take_nothing_from_what_is_kept_for_the_others() -> None:
    """541 g were cut where 500 g were ordered: 441 g are left when 100 g are refused, more than 400 g and a tenth."""
    order = samples.weighed(samples.authorised(samples.order(wishes=samples.A_PIECE_OF_CHEESE)), 541)
    cheese = order.lines[1].id
    parts = counter.split(order, Wish(refused=(Unwanted(cheese, 100),)), NOW)
    assert parts.after.pickup.line(cheese).held >= parts.after.pickup.line(cheese).open == 441
    events = capturing.hand_over(parts.after, parts.leaving, capabilities={}, taken=None, look_at=LATER)
    done = samples.after(parts.after, *events)
    paid = samples.heard(done, answers.Approved(done.payments[0].attempts[-1].amount, "ch"))
    assert (paid.state, paid.kept, coupling.surplus(paid)) == (OrderState.COMPLETED, paid.collected_value, 0)


def test_what_was_refused_before_the_goods_were_made_ready_again_is_no_longer_meant() -> None:
    first, again = e.UnitsRefused((e.Units("ln_1", 2),), "unwanted"), e.UnitsRefused((e.Units("ln_1", 1),), "unwanted")
    called_off = e.UnitsRefused((e.Units("ln_2", 9),), counter.CALLED_OFF)
    told = [first, e.MadeReady("C4", LATER, "1"), again, called_off, e.HandOverFailed("declined")]
    entries = [e.Recorded("SOF01", "SOF01-1", seq, samples.stamp(), event) for seq, event in enumerate(told, 1)]
    already = counter.refused_so_far(reversed(entries))
    assert already == {"ln_1": 1}
    wish = (Unwanted("ln_1", 3), Unwanted("ln_2", 1))
    assert counter.still_refused(wish, already) == (evolve(wish[0], quantity=2), wish[1])
