"""Consumers come while events are being recorded: none is missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any

import pytest

from omniorder import Channel, Customer
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.postgres import PostgresPlan
from omniorder.testing.invariants import check_all, inspecting
from omniorder.testing.shop import Shop
from tests.concurrency.threads import at_once

WRITERS = 8
CONSUMERS = 4


def all_events(shop: Shop) -> set[str]:
    with inspecting(shop.hub.journal.parts.storage) as rows:
        return {entry.id for entry in rows.journal()}


def pulled(shop: Shop, consumer: str) -> set[str]:
    """Everything that is put down for this consumer, taken in small portions."""
    seen: list[str] = []
    while entries := shop.hub.journal.pull(consumer, limit=7):
        seen += [entry.id for entry in entries]
        shop.hub.journal.acknowledge(consumer, entries)
    assert len(seen) == len(set(seen)), "delivered again after it was acknowledged"
    return set(seen)


def test_whoever_subscribes_while_others_write_misses_nothing(shop: Shop) -> None:
    def write(n: int) -> None:
        touch = shop.hub.at(Channel.WEB, Customer(f"customer-{n}"))
        for _ in range(4):
            cart = touch.carts.start()
            touch.carts.add(cart.id, Shop.MILK, 1)

    def subscribe(n: int) -> None:
        shop.hub.journal.subscribe(f"consumer-{n}")

    works = [*(partial(write, n) for n in range(WRITERS)), *(partial(subscribe, n) for n in range(CONSUMERS))]
    assert at_once(works) == [None] * len(works)
    everything = all_events(shop)
    assert all(pulled(shop, f"consumer-{n}") == everything for n in range(CONSUMERS))
    check_all(shop.hub)


def subscribe_during_a_commit(shop: Shop, patch: pytest.MonkeyPatch) -> set[str]:
    """Somebody subscribes when a command has recorded its event and not committed it yet; what they miss."""
    recorded, subscribed = Event(), Event()
    deliver = PostgresPlan.deliver

    def slowly(plan: PostgresPlan, batch: Batch, events: Sequence[Mapping[str, Any]]) -> None:
        deliver(plan, batch, events)
        batch.send()
        recorded.set()
        subscribed.wait(0.5)

    patch.setattr(PostgresPlan, "deliver", slowly)

    def subscribe() -> None:
        recorded.wait(5)
        shop.hub.journal.subscribe("newcomer")
        subscribed.set()

    at_once([lambda: shop.app.carts.start() and None, subscribe])
    return all_events(shop) - pulled(shop, "newcomer")


def test_whoever_subscribes_during_a_commit_waits_for_it(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite nobody can: there is one writer at a time."""
    assert subscribe_during_a_commit(shop_on_postgres, monkeypatch) == set()


def test_without_the_guard_a_newcomer_misses_an_event(shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PostgresPlan, "hold_journal", lambda *_: None)
    assert len(subscribe_during_a_commit(shop_on_postgres, monkeypatch)) == 1
