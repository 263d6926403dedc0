"""Who comes for an order, as its pick-up has it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniorder.domain import arrivals, orders
from omniorder.domain import events as e
from omniorder.domain.arrivals import Arrival, Proxy
from omniorder.domain.orders import Order
from omniorder.errors import IllegalTransition
from omniorder.testing import samples
from omniorder.testing.samples import HOUR, MINUTE, NOW, VARNA

CONFIRMED, READY = (samples.every_order()[name] for name in ("confirmed", "ready"))
IVAN = e.ProxyNamed("prx_1", "Ivan Petrov")


def after(order: Order, *events: e.Event) -> Order:
    return orders.told(order, events, NOW)


def test_a_proxy_named_while_goods_are_picked_again_kills_the_code_that_was_shown() -> None:
    again = after(READY, e.Unreadied("dented"), IVAN).pickup
    assert again.generation == READY.pickup.generation + 1
    assert after(READY, IVAN, e.ProxyWithdrawn()).pickup.generation == READY.pickup.generation + 2


def test_a_rerouted_order_keeps_its_proxy_and_nobody_waits_for_it_elsewhere() -> None:
    routed = e.OrderRerouted("pup_2", VARNA, "slt_VAR01_20261123T1000Z", NOW, NOW + HOUR, "UTC", "rsv_2")
    there = after(CONFIRMED, IVAN, e.CustomerArrived("P3"), e.PickRerouted(), routed).pickup
    assert (there.proxy, there.arrival) == (Proxy("prx_1", "Ivan Petrov"), None)


@pytest.mark.parametrize("name", ["placed", "handing over", "completed", "cancelled", "not collected"])
def test_nobody_arrives_for_what_is_not_paid_on_its_way_out_or_over(name: str) -> None:
    with pytest.raises(IllegalTransition):
        after(samples.every_order()[name], e.CustomerArrived())


def test_who_is_there_keeps_their_place_whatever_they_say() -> None:
    first = arrivals.apply(None, e.CustomerArrived("P3", "blue Skoda"), NOW)
    moved = arrivals.apply(first, e.CustomerArrived("P7", "blue Skoda"), NOW + HOUR)
    assert moved == Arrival(None, NOW, "P7", "blue Skoda")
    assert arrivals.on_the_way(first, NOW + HOUR) == ()


def test_an_estimate_that_moved_by_less_than_a_minute_is_nothing_new() -> None:
    coming = Arrival(NOW + HOUR)
    assert arrivals.on_the_way(coming, NOW + HOUR - timedelta(seconds=59)) == ()
    assert arrivals.on_the_way(coming, NOW + HOUR + MINUTE) == (e.CustomerOnTheWay(NOW + HOUR + MINUTE),)


def test_names_and_vehicles_are_not_shown_by_accident() -> None:
    assert "Petrov" not in repr(Proxy("prx_1", "Ivan Petrov"))
    assert "Skoda" not in repr(Arrival(vehicle="blue Skoda"))
    assert "Petrov" not in repr(IVAN)
