"""The strategies reach what they are made to reach: every state, by legal steps, and no other objects."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum

import pytest
from hypothesis import Phase, given, seed, settings

from omniorder.domain import orders
from omniorder.domain.carts import Cart
from omniorder.domain.lifecycle import CartState, OrderState, PaymentState, PickupState, PromiseState, ReservationState
from omniorder.domain.money import total
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise, Quote
from omniorder.domain.stock import Reservation
from omniorder.testing import strategies
from omniorder.testing.walks import Turn

BRIEFLY = settings(max_examples=50, phases=[Phase.generate], database=None, deadline=None)

UNREACHED = {PickupState.REROUTED, PaymentState.CREATED}
"""No decision leads to a re-routing yet, and a payment is never left in the state in which it begins."""

MACHINES: list[type[Enum]] = [OrderState, PickupState, PaymentState, CartState, PromiseState, ReservationState]


@given(strategies.lives())
def test_a_life_is_a_chain_of_events(steps: tuple[Turn, ...]) -> None:
    order = steps[0].before
    for step in steps:
        assert step.before == order
        order = orders.told(order, step.events, step.at)
        assert step.after == order


@given(strategies.orders())
def test_a_version_counts_the_events(order: Order) -> None:
    assert order.version >= 1
    assert {line.line for line in order.pickup.lines} == {line.id for line in order.every_line}


@given(strategies.quotes())
def test_a_quote_adds_up(quote: Quote) -> None:
    assert quote.total == total([line.total for line in quote.lines], quote.total.currency)


@pytest.fixture(scope="module")
def reached() -> set[Enum]:
    """The states in which orders, pick-ups, payments, carts, promises and reservations were met.

    Each look goes on until everything was met, and not longer: how soon that is changes with every strategy.
    """
    found: set[Enum] = set()

    def look_at_orders(one: tuple[Turn, ...], other: tuple[Turn, ...]) -> None:
        for step in (*one, *other):
            found.update({step.after.state, step.after.pickup.state, *step.after.joint.payments})

    def look_at_the_rest(cart: Cart, promise: Promise, reservation: Reservation) -> None:
        found.update({cart.state, promise.state, reservation.state})

    lives = BRIEFLY(given(strategies.lives(), strategies.lives(by_card=True))(look_at_orders))
    rest = BRIEFLY(given(strategies.carts(), strategies.promises(), strategies.reservations())(look_at_the_rest))
    for look, machines in ((lives, MACHINES[:3]), (rest, MACHINES[3:])):
        for chance in range(20):
            if all(set(machine) <= found | UNREACHED for machine in machines):
                break
            seed(chance)(look)()
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_is_reached(machine: type[Enum], reached: set[Enum]) -> None:
    assert set(machine) - reached - UNREACHED == set()


def test_an_application_needs_neither_pytest_nor_hypothesis() -> None:
    """Fakes and samples are for applications too, which have not installed what adapters' authors have."""
    program = """
import sys
sys.modules["pytest"] = sys.modules["hypothesis"] = None
import omniorder.testing
omniorder.testing.FakeGateway(), omniorder.testing.FakeClock(), omniorder.testing.SeededEntropy()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
