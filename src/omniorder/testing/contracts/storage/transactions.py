"""Transactions: all or nothing, for everything at once; and those of the caller that ours can join."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
from attrs import evolve

from omniorder.domain import events as e
from omniorder.errors import AlreadyThere, BinFull, OmniorderError, OutOfStock, SlotUnavailable, StaleWrite
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.writes import (
    BinChange,
    CartWrite,
    Expect,
    JournalEntry,
    OrderWrite,
    PromiseWrite,
    ReservationWrite,
    SlotChange,
    StockChange,
    TimerWrite,
    WebhookWrite,
    Writes,
)
from omniorder.testing import samples
from omniorder.testing.contracts.storage.answers import ANSWER
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, undone
from omniorder.testing.contracts.storage.webhooks import webhook
from omniorder.testing.samples import ANNA, MILK, NOW, SOFIA

CART, PROMISE, ORDER, RESERVATION = samples.cart(), samples.promise(), samples.order(), samples.reservation()

WEBHOOK = webhook()

FULL = samples.promise(starts=samples.slot_starts(5))

EVERYTHING = Writes(
    carts=(CartWrite(None, CART),),
    promises=(PromiseWrite(None, PROMISE),),
    orders=(OrderWrite(None, ORDER),),
    reservations=(ReservationWrite(None, RESERVATION),),
    stock=(StockChange(SOFIA, MILK, on_hand=5),),
    slots=(SlotChange(SOFIA, PROMISE.slot, PROMISE.starts, 1, 5),),
    bins=(BinChange(SOFIA, "C4", 1, 1),),
    movements=(samples.movement(),),
    expected=(Expect(samples.expected()),),
    timers=(TimerWrite(SOFIA, ORDER.id, NOW),),
    journal=(JournalEntry(CART.id, CART.id, 1, samples.stamp(), (e.CartAbandoned(),)),),
    answers=(ANSWER,),
    webhooks=(WebhookWrite(None, WEBHOOK),),
    stores=samples.stores(),
    articles=samples.articles(),
    prices=samples.prices(),
)
"""A command that writes something of every kind."""


def everything(tx: Transaction) -> dict[str, Any]:
    """What can be read of `EVERYTHING`: what is missing is empty."""
    return {
        "cart": tx.cart(CART.id),
        "open cart": tx.open_cart(ANNA),
        "promise": tx.promise(PROMISE.id),
        "order": tx.order(ORDER.id),
        "orders of": tx.orders_of(ANNA, after=None, limit=9),
        "pickups": tx.pickups(SOFIA, start=None, end=None, states=["planned"], after=None, limit=9),
        "reservation": tx.reservation(RESERVATION.id),
        "stock": tx.levels([MILK]),
        "slots": sum(use.orders for use in tx.booked([SOFIA], PROMISE.starts, PROMISE.ends).values()),
        "bins": tx.in_bins(SOFIA).get("C4"),
        "movements": tx.movements(SOFIA, MILK, after=None, limit=9),
        "expected": tx.expected([MILK]),
        "timers": tx.stores_due(NOW, 9),
        "journal": tx.journal(CART.id, CART.id, after=0, limit=9),
        "answer": tx.answer(ANSWER.home, ANSWER.scope, ANSWER.key),
        "webhook": tx.webhook(WEBHOOK.id),
        "stores": tx.stores(),
        "articles": dict(tx.articles([MILK])),
        "prices": tx.prices([MILK]),
    }


def _written(storage: Storage) -> set[str]:
    return {name for name, value in read(storage, everything).items() if value}


class TransactionContract(StorageBench):
    """What a storage promises about its own transactions."""

    def test_everything_is_written_when_the_block_ends(self, storage: Storage) -> None:
        with storage.transaction() as tx:
            tx.write(EVERYTHING)
        assert _written(storage) == set(read(storage, everything))

    def test_nothing_is_written_when_the_block_raises(self, storage: Storage) -> None:
        with undone(storage) as tx:
            tx.write(EVERYTHING)
        assert _written(storage) == set()

    def test_what_was_flushed_is_undone_when_the_block_raises(self, storage: Storage) -> None:
        with undone(storage) as tx:
            tx.write(EVERYTHING)
            tx.flush()
        assert _written(storage) == set()

    def test_an_exception_leaves_the_block_as_it_was_raised(self, storage: Storage) -> None:
        mine = KeyError("mine")
        with pytest.raises(KeyError) as raised, storage.transaction():
            raise mine
        assert raised.value is mine

    def test_what_is_only_noted_is_not_seen(self, storage: Storage) -> None:
        with storage.transaction() as tx:
            before = everything(tx)
            tx.write(EVERYTHING)
            assert everything(tx) == before

    def test_several_notes_are_summed(self, storage: Storage) -> None:
        with storage.transaction() as tx:
            tx.write(Writes(stock=(StockChange(SOFIA, MILK, on_hand=5),)))
            tx.write(Writes(articles=samples.articles()))
            tx.write(Writes(stock=(StockChange(SOFIA, MILK, reserved=5, promise=True),)))
        found = read(storage, lambda tx: (tx.levels([MILK])[0].reserved, len(tx.articles([MILK]))))
        assert found == (5, 1)

    def test_several_flushes_are_one_transaction(self, storage: Storage) -> None:
        with suppress(OutOfStock), storage.transaction() as tx:
            tx.write(Writes(carts=(CartWrite(None, CART),)))
            tx.flush()
            tx.write(Writes(stock=(StockChange(SOFIA, MILK, reserved=1, promise=True),)))
            tx.flush()
        assert _written(storage) == set()

    def test_writing_nothing_is_fine(self, storage: Storage) -> None:
        with storage.transaction() as tx:
            tx.write(Writes())
        assert _written(storage) == set()

    @pytest.mark.parametrize(
        "last", ["carts", "promises", "orders", "reservations", "stock", "slots", "bins", "webhooks", "answers"]
    )
    def test_one_refusal_undoes_everything_else(self, storage: Storage, last: str) -> None:
        """Whichever kind of write it is: here everything is new but the one that is refused."""
        refused: dict[str, tuple[type[OmniorderError], Any]] = {
            "carts": (StaleWrite, CartWrite(samples.cart(9), samples.cart(9))),
            "promises": (StaleWrite, PromiseWrite(samples.promise(9), samples.promise(9))),
            "orders": (StaleWrite, OrderWrite(samples.order(9), samples.order(9))),
            "reservations": (StaleWrite, ReservationWrite(samples.reservation(9), samples.reservation(9))),
            "stock": (OutOfStock, StockChange(SOFIA, samples.BREAD, reserved=1, promise=True)),
            "slots": (SlotUnavailable, SlotChange(SOFIA, FULL.slot, FULL.starts, 1, 0)),
            "bins": (BinFull, BinChange(SOFIA, "C5", 1, 0)),
            "webhooks": (StaleWrite, WebhookWrite(webhook(9), webhook(9))),
            "answers": (AlreadyThere, ANSWER),
        }
        error, write = refused[last]
        writes = evolve(EVERYTHING, **{last: (*getattr(EVERYTHING, last), write)})
        with pytest.raises(error), storage.transaction() as tx:
            tx.write(writes)
        assert _written(storage) == set()

    def test_a_storage_works_on_after_a_refusal(self, storage: Storage) -> None:
        refuses(storage, OutOfStock, stock=(StockChange(SOFIA, MILK, reserved=1, promise=True),))
        put(storage, carts=(CartWrite(None, CART),))
        assert read(storage, lambda tx: tx.cart(CART.id)) == CART

    def test_a_refusal_that_is_caught_inside_commits_nothing(self, storage: Storage) -> None:
        with suppress(OmniorderError), storage.transaction() as tx:
            tx.write(Writes(carts=(CartWrite(None, CART),)))
            tx.flush()
            tx.write(Writes(stock=(StockChange(SOFIA, MILK, reserved=1, promise=True),)))
            with pytest.raises(OutOfStock):
                tx.flush()
        assert _written(storage) == set()

    def test_a_reading_transaction_refuses_to_write(self, storage: Storage) -> None:
        with storage.reading() as tx, pytest.raises((OmniorderError, RuntimeError)):
            tx.write(EVERYTHING)
        assert _written(storage) == set()

    def test_migrating_again_keeps_what_is_stored(self, storage: Storage) -> None:
        with storage.transaction() as tx:
            tx.write(EVERYTHING)
        before = read(storage, everything)
        storage.migrate()
        assert read(storage, everything) == before

    def test_two_storages_share_nothing(self, storage: Storage) -> None:
        with storage.transaction() as tx:
            tx.write(EVERYTHING)
        other = self.open()
        try:
            assert _written(other) == set()
        finally:
            other.close()

    def test_a_storage_of_its_own_is_not_joined(self, storage: Storage) -> None:
        assert not storage.is_joined


class JoinedContract(StorageBench):
    """What a storage promises about running inside a transaction of the caller's; skipped where `joins` is None."""

    def _outer(self, storage: Storage) -> AbstractContextManager[Any]:
        outer = self.joins(storage)
        if outer is None:
            pytest.skip("this storage joins no transaction of the caller's (joins)")
        return outer

    def test_a_joined_storage_says_so(self, storage: Storage) -> None:
        with self._outer(storage) as connection:
            assert storage.joined(connection).is_joined

    def test_what_is_written_inside_is_seen_inside_and_committed_outside(self, storage: Storage) -> None:
        with self._outer(storage) as connection:
            joined = storage.joined(connection)
            put(joined, carts=(CartWrite(None, CART),))
            assert read(joined, lambda tx: tx.cart(CART.id)) == CART
        assert read(storage, lambda tx: tx.cart(CART.id)) == CART

    def test_what_is_written_inside_is_undone_with_the_callers_transaction(self, storage: Storage) -> None:
        with suppress(ZeroDivisionError), self._outer(storage) as connection:
            with storage.joined(connection).transaction() as tx:
                tx.write(EVERYTHING)
            raise ZeroDivisionError
        assert _written(storage) == set()

    def test_a_refusal_inside_undoes_only_itself(self, storage: Storage) -> None:
        with self._outer(storage) as connection:
            joined = storage.joined(connection)
            put(joined, carts=(CartWrite(None, CART),))
            none = (StockChange(SOFIA, MILK, reserved=1, promise=True),)
            refuses(joined, OutOfStock, orders=(OrderWrite(None, ORDER),), stock=none)
            put(joined, promises=(PromiseWrite(None, PROMISE),))
        assert _written(storage) == {"cart", "open cart", "promise"}

    def test_closing_a_joined_storage_leaves_the_callers_transaction(self, storage: Storage) -> None:
        with self._outer(storage) as connection:
            joined = storage.joined(connection)
            put(joined, carts=(CartWrite(None, CART),))
            joined.close()
        assert read(storage, lambda tx: tx.cart(CART.id)) == CART
