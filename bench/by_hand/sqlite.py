"""SQLite by hand: the standard library's driver, three times BEGIN IMMEDIATE to COMMIT, `executemany` for lines.

Nothing is far away here, so a guard is looked at when its statement has run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.by_hand import papers
from bench.by_hand.papers import LOOK_AGAIN, TOKEN, Numbers, Promised, iso
from bench.shop import CAPACITY, LINES, PRICE, QUANTITY, TAX, ZONE, Basket
from omniorder.testing import FakeGateway

_CART_PROMISED: Final = """
    UPDATE omniorder_cart SET version = version + 1, changed_at = ?, promise_id = ? WHERE id = ? AND version = ?"""
_PROMISE: Final = f"""
    INSERT INTO omniorder_promise (
        store_id, id, cart_id, owner, lines_version, state, slot, starts_at, ends_at, zone, currency, total, ceiling,
        quote, reservation_id, made_at, expires_at
    ) VALUES (?, ?, ?, ?, ?, 'held', ?, ?, ?, '{ZONE}', 'EUR', ?, ?, ?, ?, ?, ?)"""
_RESERVATION: Final = """
    INSERT INTO omniorder_reservation (store_id, id, state, until, moved) VALUES (?, ?, 'held', ?, 0)"""
_RESERVED: Final = f"""
    INSERT INTO omniorder_reservation_line (
        store_id, reservation_id, sku, position, quantity, consumed, released, expired
    ) VALUES (?, ?, ?, ?, {QUANTITY}, 0, 0, 0)"""
_STOCK: Final = f"""
    UPDATE omniorder_stock SET reserved = reserved + {QUANTITY}
    WHERE store_id = ? AND sku = ? AND on_hand - reserved - safety >= {QUANTITY}"""
_SLOT: Final = f"""
    INSERT INTO omniorder_slot (store_id, slot, starts_at, booked, lines) VALUES (?, ?, ?, 1, {LINES})
    ON CONFLICT (store_id, slot) DO UPDATE SET booked = booked + 1, lines = lines + {LINES} WHERE booked < {CAPACITY}"""
_TIMER: Final = "INSERT INTO omniorder_timer (store_id, subject, due_at) VALUES (?, ?, ?)"
_NO_TIMER: Final = "DELETE FROM omniorder_timer WHERE store_id = ? AND subject = ?"
_APPEND: Final = """
    INSERT INTO omniorder_event (home, stream, seq, name, at, channel, actor, via, payload)
    VALUES (?, ?, ?, ?, ?, 'web', ?, '', ?)"""

_CART_ORDERED: Final = """
    UPDATE omniorder_cart SET state = 'ordered', version = version + 2, changed_at = ?, order_id = ?
    WHERE id = ? AND version = ?"""
_ORDER: Final = """
    INSERT INTO omniorder_order (
        store_id, id, version, state, owner, cart_id, promise_id, reservation_id, channel, currency, total, ceiling,
        placed_at, pay_by, language, metadata, pickup_store, pickup_id
    ) VALUES (?, ?, 3, 'placed', ?, ?, ?, ?, 'web', 'EUR', ?, ?, ?, ?, '', '{}', ?, ?)"""
_ORDERED: Final = f"""
    INSERT INTO omniorder_order_line (
        store_id, order_id, id, position, sku, name, unit, quantity, price, per, tax, total, metadata
    ) VALUES (?, ?, ?, ?, ?, ?, 'piece', {QUANTITY}, {PRICE}, 1, '{TAX}', {QUANTITY * PRICE}, '{{}}')"""
_LISTED: Final = "INSERT INTO omniorder_customer_order (owner, placed_at, order_id, store_id) VALUES (?, ?, ?, ?)"
_PAYMENT: Final = f"""
    INSERT INTO omniorder_payment (
        store_id, id, order_id, position, kind, token, state, currency, amount, authorised, captured, refunded,
        refund_pending, created_at, provider_id, reason
    ) VALUES (?, ?, ?, 0, 'card', '{TOKEN}', 'authorising', 'EUR', ?, 0, 0, 0, 0, ?, '', '')"""
_ATTEMPT: Final = """
    INSERT INTO omniorder_attempt (
        store_id, id, order_id, payment_id, position, operation, state, amount, asked_at, look_at, provider_id, reason
    ) VALUES (?, ?, ?, ?, 0, 'authorise', 'planned', ?, ?, ?, '', '')"""
_PICKUP: Final = f"""
    INSERT INTO omniorder_pickup (
        store_id, id, home, order_id, state, slot, starts_at, ends_at, zone, staged_at, generation, key_id, claim
    ) VALUES (?, ?, ?, ?, 'planned', ?, ?, ?, '{ZONE}', '', 1, '', '[]')"""
_TO_PICK: Final = f"""
    INSERT INTO omniorder_pickup_line (
        store_id, pickup_id, line_id, position, quantity, picked, collected, dropped
    ) VALUES (?, ?, ?, ?, {QUANTITY}, 0, 0, 0)"""
_ACCEPTED: Final = """
    UPDATE omniorder_promise SET state = 'accepted', order_id = ? WHERE store_id = ? AND id = ? AND state = 'held'"""

_CONFIRMED: Final = """
    UPDATE omniorder_order SET state = 'confirmed', version = 7, confirmed_at = ?
    WHERE store_id = ? AND id = ? AND version = 3"""
_AUTHORISED: Final = """
    UPDATE omniorder_payment SET state = 'authorised', authorised = amount, provider_id = ?
    WHERE store_id = ? AND id = ?"""
_SUCCEEDED: Final = """
    UPDATE omniorder_attempt SET state = 'succeeded', provider_id = ? WHERE store_id = ? AND id = ?"""
_RELEASED: Final = "UPDATE omniorder_pickup SET state = 'to_pick' WHERE store_id = ? AND id = ?"
_FIRM: Final = """
    UPDATE omniorder_reservation SET state = 'firm', until = NULL
    WHERE store_id = ? AND id = ? AND state = 'held' AND moved = 0"""


class Refused(Exception):
    """A guard did not hold."""


class ByHand:
    """One connection that turns baskets into confirmed orders."""

    def __init__(self, file: Path, gateway: FakeGateway, synchronous: str = "FULL") -> None:
        self._connection: Final = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._gateway: Final = gateway

    def promise(self, basket: Basket) -> Promised:
        """Hold the units, the place and the price: the first commit."""
        at = datetime.now(UTC)
        new = papers.promised(basket, at)
        now, until, starts = iso(at), iso(new.expires), iso(basket.window.starts)
        store, total = basket.window.store, basket.total
        skus = sorted(line.sku for line in basket.lines)
        with self._transaction() as run:
            self._guarded(_CART_PROMISED, (now, new.id, basket.cart, basket.version))
            run.execute(
                _PROMISE,
                (
                    store, new.id, basket.cart, basket.owner, basket.lines_version, basket.window.slot, starts,
                    iso(basket.window.ends), total, total, papers.quote(basket), new.reservation, now, until,
                ),
            )  # fmt: skip
            run.execute(_RESERVATION, (store, new.reservation, until))
            run.executemany(_RESERVED, [(store, new.reservation, sku, place) for place, sku in enumerate(skus)])
            if run.executemany(_STOCK, [(store, sku) for sku in skus]).rowcount != len(skus):
                raise Refused(skus)
            self._guarded(_SLOT, (store, basket.window.slot, starts))
            run.execute(_TIMER, (store, new.id, until))
            run.execute(
                _APPEND,
                (
                    basket.cart, basket.cart, basket.version + 1, "PromiseMade", now, basket.owner,
                    papers.promise_made(new),
                ),
            )  # fmt: skip
        return new

    def place(self, promised: Promised) -> str:
        """Commit the order with the intent to pay, ask the provider, commit its answer."""
        at = datetime.now(UTC)
        while True:
            numbers = papers.numbers(promised.basket.window.store)
            try:
                self._place(promised, numbers, at)
                break
            except sqlite3.IntegrityError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
                    raise
        provider_id = papers.authorised(self._gateway, numbers, promised.basket.total)
        self._confirm(promised, numbers, iso(at), provider_id)
        return numbers.order

    def _place(self, promised: Promised, numbers: Numbers, at: datetime) -> None:
        basket = promised.basket
        store, order, owner, cart, total = basket.window.store, numbers.order, basket.owner, basket.cart, basket.total
        now, pay_by, look_at = iso(at), iso(promised.expires), iso(at + LOOK_AGAIN)
        lines = [(place, line) for place, line in enumerate(basket.lines)]
        seq = basket.version + 2
        placed, tendered, requested, accepted, ordered = papers.placing(promised, numbers)
        with self._transaction() as run:
            self._guarded(_CART_ORDERED, (now, order, cart, basket.version + 1))
            run.execute(
                _ORDER,
                (
                    store, order, owner, cart, promised.id, promised.reservation, total, total, now, pay_by, store,
                    numbers.pickup,
                ),
            )  # fmt: skip
            run.executemany(_ORDERED, [(store, order, line.id, place, line.sku, line.name) for place, line in lines])
            run.execute(_LISTED, (owner, now, order, store))
            run.execute(_PAYMENT, (store, numbers.payment, order, total, now))
            run.execute(_ATTEMPT, (store, numbers.attempt, order, numbers.payment, total, now, look_at))
            starts, ends = iso(basket.window.starts), iso(basket.window.ends)
            run.execute(_PICKUP, (store, numbers.pickup, store, order, basket.window.slot, starts, ends))
            run.executemany(_TO_PICK, [(store, numbers.pickup, line.id, place) for place, line in lines])
            self._guarded(_ACCEPTED, (order, store, promised.id))
            run.execute(_NO_TIMER, (store, promised.id))
            run.execute(_TIMER, (store, order, look_at))
            run.executemany(
                _APPEND,
                (
                    (store, order, 1, "OrderPlaced", now, owner, placed),
                    (store, order, 2, "TenderAdded", now, owner, tendered),
                    (store, order, 3, "AuthoriseRequested", now, owner, requested),
                    (cart, cart, seq, "PromiseAccepted", now, owner, accepted),
                    (cart, cart, seq + 1, "CartOrdered", now, owner, ordered),
                ),
            )

    def _confirm(self, promised: Promised, numbers: Numbers, now: str, provider_id: str) -> None:
        basket = promised.basket
        store, order, owner = basket.window.store, numbers.order, basket.owner
        succeeded, authorised, confirmed, released = papers.confirming(basket, numbers, provider_id)
        with self._transaction() as run:
            self._guarded(_CONFIRMED, (now, store, order))
            run.execute(_AUTHORISED, (provider_id, store, numbers.payment))
            run.execute(_SUCCEEDED, (provider_id, store, numbers.attempt))
            run.execute(_RELEASED, (store, numbers.pickup))
            self._guarded(_FIRM, (store, promised.reservation))
            run.execute(_NO_TIMER, (store, order))
            run.executemany(
                _APPEND,
                (
                    (store, order, 4, "AttemptSucceeded", now, owner, succeeded),
                    (store, order, 5, "Authorised", now, owner, authorised),
                    (store, order, 6, "OrderConfirmed", now, owner, confirmed),
                    (store, order, 7, "PickReleased", now, owner, released),
                ),
            )

    def _guarded(self, statement: str, params: Sequence[Any]) -> None:
        if self._connection.execute(statement, params).rowcount != 1:
            raise Refused(statement)

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
