"""The journal: every change, in order, without gaps; and consumers that never miss one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from omniorder import OrderHub, Recorded, events
from omniorder.errors import InvalidKey, NotFound, OutOfStock
from omniorder.testing.shop import Shop
from tests.services.contents import Rows
from tests.services.steps import (
    VISA,
    filled,
    free_slot,
    handed_over,
    names,
    placed,
    promised,
    ready,
    refused,
)


def gapless(entries: Iterable[Recorded]) -> bool:
    """Whether each stream counts 1, 2, 3 in the order of arrival."""
    last: dict[str, int] = {}
    for entry in entries:
        if entry.seq != last.get(entry.stream, 0) + 1:
            return False
        last[entry.stream] = entry.seq
    return True


def everything(hub: OrderHub, consumer: str = "audit") -> tuple[Recorded, ...]:
    """All events so far."""
    hub.journal.subscribe(consumer, from_start=True)
    return hub.journal.pull(consumer, limit=1000)


# --- the timeline -----------------------------------------------------------------------------------------


def test_an_orders_timeline_tells_its_life_in_order(shop: Shop) -> None:
    order = handed_over(shop, ready(shop)).order
    assert names(shop, order) == [
        "OrderPlaced",
        "TenderAdded",
        "AuthoriseRequested",
        "AttemptSucceeded",
        "Authorised",
        "OrderConfirmed",
        "PickReleased",
        "PickStarted",
        "LinePicked",
        "MadeReady",
        "HandOverStarted",
        "CaptureRequested",
        "AttemptSucceeded",
        "Captured",
        "Collected",
        "OrderCompleted",
    ]


def test_every_step_says_who_when_and_through_which_channel(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.advance(minutes=2)
    order = shop.web.checkout.place(promise.id, pay=VISA)
    first = shop.app.orders.timeline(order.id).items[0]
    assert (first.stamp.actor, first.stamp.channel.value, first.stamp.at) == (
        "customer:anna",
        "web",
        shop.clock.now(),
    )


def test_the_clients_version_is_kept_with_each_step(shop: Shop) -> None:
    order = placed(shop)
    assert {entry.stamp.via for entry in shop.app.orders.timeline(order.id).items} == {"ios/5.2"}


def test_a_timeline_comes_in_pages_that_lose_and_repeat_nothing(shop: Shop) -> None:
    order = placed(shop)
    seen: list[int] = []
    after = None
    while True:
        page = shop.app.orders.timeline(order.id, limit=3, after=after)
        seen += [entry.seq for entry in page.items]
        if page.next is None:
            break
        after = page.next
    assert seen == list(range(1, order.version + 1))


def test_nobody_reads_somebody_elses_timeline(shop: Shop) -> None:
    order = placed(shop)
    refused(NotFound, shop.stranger.orders.timeline, order.id)


# --- the feed ---------------------------------------------------------------------------------------------


def test_the_feed_has_every_stream_without_gaps(shop: Shop) -> None:
    handed_over(shop, ready(shop))
    promised(shop, touch=shop.stranger)
    shop.advance(minutes=16)
    entries = everything(shop.hub)
    assert gapless(entries)
    assert {entry.stream[:4] for entry in entries} == {"crt_", "SOF0"}


def test_an_aggregates_version_is_the_number_of_its_last_event(shop: Shop) -> None:
    order = placed(shop)
    last: dict[str, int] = {}
    for entry in everything(shop.hub):
        last[entry.stream] = entry.seq
    cart = shop.app.carts.get(order.cart_id)
    assert last == {order.id: order.version, cart.id: cart.version}


def test_a_refused_command_leaves_no_event(shop: Shop, stored: Callable[[], Rows]) -> None:
    cart = filled(shop, {Shop.BREAD: 6})
    slot, before = free_slot(shop, cart), len(everything(shop.hub))
    refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=slot)
    assert len(shop.hub.journal.pull("audit", limit=1000)) == before


def test_events_are_the_same_until_they_are_acknowledged(shop: Shop) -> None:
    placed(shop)
    first = everything(shop.hub)
    assert shop.hub.journal.pull("audit", limit=1000) == first
    shop.hub.journal.acknowledge("audit", first)
    assert shop.hub.journal.pull("audit") == ()


def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(shop: Shop) -> None:
    placed(shop)
    first = everything(shop.hub)
    shop.hub.journal.acknowledge("audit", first[::2])
    assert shop.hub.journal.pull("audit", limit=1000) == first[1::2]


def test_a_new_consumer_may_begin_with_now(shop: Shop) -> None:
    filled(shop)
    shop.hub.journal.subscribe("late", from_start=False)
    assert shop.hub.journal.pull("late") == ()
    cart = shop.app.carts.start()
    assert [entry.stream for entry in shop.hub.journal.pull("late")] == [cart.id]


def test_consumers_do_not_disturb_each_other(shop: Shop) -> None:
    one, other = everything(shop.hub, "one"), everything(shop.hub, "other")
    filled(shop)
    shop.hub.journal.acknowledge("one", shop.hub.journal.pull("one"))
    assert len(shop.hub.journal.pull("other")) == len(other) + 2 == len(one) + 2


def test_subscribing_twice_brings_nothing_back(shop: Shop) -> None:
    filled(shop)
    shop.hub.journal.acknowledge("audit", everything(shop.hub))
    shop.hub.journal.subscribe("audit", from_start=True)
    assert shop.hub.journal.pull("audit") == ()


def test_a_consumer_that_takes_little_at_a_time_gets_everything_in_order(shop: Shop) -> None:
    placed(shop)
    shop.hub.journal.subscribe("slow", from_start=True)
    got: list[Recorded] = []
    while batch := shop.hub.journal.pull("slow", limit=3):
        shop.hub.journal.acknowledge("slow", batch)
        got += batch
    assert gapless(got)
    assert tuple(got) == everything(shop.hub)


def test_nobody_subscribed_gets_nothing(shop: Shop) -> None:
    filled(shop)
    assert shop.hub.journal.pull("nobody") == ()


def test_a_consumers_name_is_plain_text(shop: Shop) -> None:
    for name in ("", "a\nb", "x" * 256):
        refused(InvalidKey, shop.hub.journal.subscribe, name)


def test_an_events_id_is_the_same_each_time_and_unique(shop: Shop) -> None:
    order = placed(shop)
    ids = [entry.id for entry in everything(shop.hub)]
    assert len(set(ids)) == len(ids)
    assert f"{order.id}/1" in ids


def test_notes_tokens_and_codes_are_in_no_event(shop: Shop) -> None:
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.MILK, 1, note="ring at Ivanova's")
    line = shop.app.carts.get(cart.id).lines[0]
    shop.app.carts.note(cart.id, line.id, "the door is green")
    promise = shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))
    order = shop.app.checkout.place(promise.id, pay=VISA)
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    shop.store.pickups.ready(order.id)
    ticket = shop.app.orders.pickup_pass(order.id)
    text = repr([attrs.asdict(entry.event) for entry in everything(shop.hub)])
    for secret in ("Ivanova", "green", "pm_card_visa", ticket.code, ticket.token):
        assert secret not in text


def test_a_handler_and_a_consumer_see_the_same_event(shop: Shop) -> None:
    seen: list[Recorded] = []
    shop.hub.on(events.OrderPlaced, lambda recorded, tx: seen.append(recorded))
    placed(shop)
    told = [entry for entry in everything(shop.hub) if entry.name == "OrderPlaced"]
    assert [(entry.id, entry.event) for entry in seen] == [(entry.id, entry.event) for entry in told]
