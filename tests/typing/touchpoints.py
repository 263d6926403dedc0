"""Read by mypy, run by nobody: see `test_touchpoints.py`."""

from typing import assert_type

from omniorder import (
    Agent,
    Associate,
    Cart,
    Channel,
    Claimed,
    Customer,
    Guest,
    Handoff,
    HandoffTicket,
    Order,
    OrderHub,
    PickupPass,
    Price,
    Scope,
    System,
)

hub = OrderHub.open("memory://")
app = hub.at(Channel.APP, Customer("anna"))
kiosk = hub.at(Channel.KIOSK, Guest("a-token-of-22-characters-or-more"))
phone = hub.at(Channel.PHONE, Agent("mila", customer="anna"))
store = hub.at(Channel.STORE, Associate("ivan", store="SOF01"))
office = hub.at(Channel.SYSTEM, System("import"))

cart = assert_type(app.carts.start(), Cart)
order = assert_type(kiosk.orders.get("SOF01-7K3F9Q"), Order)
assert_type(app.orders.pickup_pass(order.id), PickupPass)
assert_type(store.pickups.ready(order.id), Order)

ticket = assert_type(app.handoffs.offer(cart.id, Scope.EDIT), HandoffTicket)
assert_type(phone.handoffs.accept(ticket.code), Handoff)
assert_type(kiosk.carts.claim(Guest("a-token-of-22-characters-or-more")), Claimed)

app.pickups.hand_over(order.id, code="1234567")  # error
phone.orders.pickup_pass(order.id)  # error
store.orders.pickup_pass(order.id)  # error
store.carts.start()  # error
store.handoffs.accept(ticket.token)  # error
office.handoffs.offer(cart.id, Scope.VIEW)  # error
phone.carts.claim(Guest("a-token-of-22-characters-or-more"))  # error
app.handoffs.offer(cart.id, "edit")  # error
office.checkout.place("prm")  # error
app.stock.receive("SOF01", "MILK", 1)  # error
hub.at("app", Customer("anna"))  # error
hub.at(Channel.APP, "anna")  # error
app.carts.add(cart.id, "MILK", "2")  # error
Price("MILK", 249, tax="0.20")  # error
cart.version = 2  # error
