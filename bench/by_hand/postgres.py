"""PostgreSQL by hand: psycopg, prepared statements, and one pipeline per transaction with its BEGIN and COMMIT.

A pipeline is sent before the first answer comes back, so a guard can't be looked at before the COMMIT: it divides
by zero instead when it doesn't hold, which ends the transaction on the spot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal

import psycopg
from psycopg.errors import UniqueViolation

from bench.by_hand import papers
from bench.by_hand.papers import LOOK_AGAIN, TOKEN, Numbers, Promised
from bench.shop import CAPACITY, LINES, PRICE, QUANTITY, TAX, ZONE, Basket
from omniorder.testing import FakeGateway

Manner = Literal["pipelined", "reading first", "statement by statement"]
Step = tuple[bytes, Sequence[Any]]

_CART_PROMISED: Final = b"""
    WITH found AS (
        UPDATE omniorder_cart SET version = version + 1, changed_at = %s, promise_id = %s
        WHERE id = %s AND version = %s RETURNING 1
    ) SELECT 1 / count(*) FROM found"""
_PROMISE: Final = f"""
    INSERT INTO omniorder_promise (
        store_id, id, cart_id, owner, lines_version, state, slot, starts_at, ends_at, zone, currency, total, ceiling,
        quote, reservation_id, made_at, expires_at
    ) VALUES (%s, %s, %s, %s, %s, 'held', %s, %s, %s, '{ZONE}', 'EUR', %s, %s, %s, %s, %s, %s)""".encode()
_RESERVATION: Final = b"""
    INSERT INTO omniorder_reservation (store_id, id, state, until, moved) VALUES (%s, %s, 'held', %s, 0)"""
_RESERVED: Final = f"""
    INSERT INTO omniorder_reservation_line (
        store_id, reservation_id, sku, position, quantity, consumed, released, expired
    ) SELECT %s, %s, sku, place - 1, {QUANTITY}, 0, 0, 0
    FROM unnest(%s::text[]) WITH ORDINALITY AS line (sku, place)""".encode()
_STOCK: Final = f"""
    WITH locked AS (
        SELECT sku, on_hand, reserved, safety FROM omniorder_stock
        WHERE store_id = %s AND sku = ANY (%s) ORDER BY sku FOR NO KEY UPDATE
    ), held AS (
        UPDATE omniorder_stock AS stock SET reserved = locked.reserved + {QUANTITY} FROM locked
        WHERE stock.store_id = %s AND stock.sku = locked.sku
            AND locked.on_hand - locked.reserved - locked.safety >= {QUANTITY}
        RETURNING 1
    ) SELECT 1 / (count(*) = %s)::int FROM held""".encode()
_SLOT: Final = f"""
    WITH taken AS (
        INSERT INTO omniorder_slot AS slot (store_id, slot, starts_at, booked, lines) VALUES (%s, %s, %s, 1, {LINES})
        ON CONFLICT (store_id, slot) DO UPDATE SET booked = slot.booked + 1, lines = slot.lines + {LINES}
            WHERE slot.booked < {CAPACITY}
        RETURNING 1
    ) SELECT 1 / count(*) FROM taken""".encode()
_TIMER: Final = b"INSERT INTO omniorder_timer (store_id, subject, due_at) VALUES (%s, %s, %s)"
_NO_TIMER: Final = b"DELETE FROM omniorder_timer WHERE store_id = %s AND subject = %s"

_CART_ORDERED: Final = b"""
    WITH found AS (
        UPDATE omniorder_cart SET state = 'ordered', version = version + 2, changed_at = %s, order_id = %s
        WHERE id = %s AND version = %s RETURNING 1
    ) SELECT 1 / count(*) FROM found"""
_ORDER: Final = b"""
    INSERT INTO omniorder_order (
        store_id, id, version, state, owner, cart_id, promise_id, reservation_id, channel, currency, total, ceiling,
        placed_at, pay_by, language, metadata, pickup_store, pickup_id
    ) VALUES (%s, %s, 3, 'placed', %s, %s, %s, %s, 'web', 'EUR', %s, %s, %s, %s, '', '{}', %s, %s)"""
_ORDERED: Final = f"""
    INSERT INTO omniorder_order_line (
        store_id, order_id, id, position, sku, name, unit, quantity, price, per, tax, total, metadata
    ) SELECT %s, %s, id, place - 1, sku, name, 'piece', {QUANTITY}, {PRICE}, 1, '{TAX}', {QUANTITY * PRICE}, '{{}}'
    FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS line (id, sku, name, place)""".encode()
_LISTED: Final = b"""
    INSERT INTO omniorder_customer_order (owner, placed_at, order_id, store_id) VALUES (%s, %s, %s, %s)"""
_PAYMENT: Final = f"""
    INSERT INTO omniorder_payment (
        store_id, id, order_id, position, kind, token, state, currency, amount, authorised, captured, refunded,
        refund_pending, created_at, provider_id, reason
    ) VALUES (%s, %s, %s, 0, 'card', '{TOKEN}', 'authorising', 'EUR', %s, 0, 0, 0, 0, %s, '', '')""".encode()
_ATTEMPT: Final = b"""
    INSERT INTO omniorder_attempt (
        store_id, id, order_id, payment_id, position, operation, state, amount, asked_at, look_at, provider_id, reason
    ) VALUES (%s, %s, %s, %s, 0, 'authorise', 'planned', %s, %s, %s, '', '')"""
_PICKUP: Final = f"""
    INSERT INTO omniorder_pickup (
        store_id, id, home, order_id, state, slot, starts_at, ends_at, zone, staged_at, generation, key_id, claim
    ) VALUES (%s, %s, %s, %s, 'planned', %s, %s, %s, '{ZONE}', '', 1, '', '[]')""".encode()
_TO_PICK: Final = f"""
    INSERT INTO omniorder_pickup_line (
        store_id, pickup_id, line_id, position, quantity, picked, collected, dropped
    ) SELECT %s, %s, id, place - 1, {QUANTITY}, 0, 0, 0
    FROM unnest(%s::text[]) WITH ORDINALITY AS line (id, place)""".encode()
_ACCEPTED: Final = b"""
    WITH found AS (
        UPDATE omniorder_promise SET state = 'accepted', order_id = %s
        WHERE store_id = %s AND id = %s AND state = 'held' RETURNING 1
    ) SELECT 1 / count(*) FROM found"""

_CONFIRMED: Final = b"""
    WITH found AS (
        UPDATE omniorder_order SET state = 'confirmed', version = 7, confirmed_at = %s
        WHERE store_id = %s AND id = %s AND version = 3 RETURNING 1
    ) SELECT 1 / count(*) FROM found"""
_AUTHORISED: Final = b"""
    UPDATE omniorder_payment SET state = 'authorised', authorised = amount, provider_id = %s
    WHERE store_id = %s AND id = %s"""
_SUCCEEDED: Final = b"""
    UPDATE omniorder_attempt SET state = 'succeeded', provider_id = %s WHERE store_id = %s AND id = %s"""
_RELEASED: Final = b"UPDATE omniorder_pickup SET state = 'to_pick' WHERE store_id = %s AND id = %s"
_FIRM: Final = b"""
    WITH found AS (
        UPDATE omniorder_reservation SET state = 'firm', until = NULL
        WHERE store_id = %s AND id = %s AND state = 'held' AND moved = 0 RETURNING 1
    ) SELECT 1 / count(*) FROM found"""

_SEE_CART: Final = b"SELECT * FROM omniorder_cart WHERE id = %s"
_SEE_CART_LINES: Final = b"SELECT * FROM omniorder_cart_line WHERE cart_id = %s ORDER BY position"
_SEE_STORE: Final = b"SELECT * FROM omniorder_store WHERE store_id = %s"
_SEE_PRICES: Final = b"""
    SELECT * FROM omniorder_cart_line AS line JOIN omniorder_article USING (sku) JOIN omniorder_price USING (sku)
    WHERE line.cart_id = %s"""
_SEE_PROMISE: Final = b"SELECT * FROM omniorder_promise WHERE store_id = %s AND id = %s"
_SEE_ORDER: Final = b"""
    SELECT * FROM omniorder_order AS bought
    JOIN omniorder_payment AS paid ON paid.store_id = bought.store_id AND paid.order_id = bought.id
    JOIN omniorder_attempt AS tried ON tried.store_id = paid.store_id AND tried.payment_id = paid.id
    JOIN omniorder_pickup AS pickup ON pickup.store_id = bought.pickup_store AND pickup.id = bought.pickup_id
    JOIN omniorder_reservation AS held ON held.store_id = bought.store_id AND held.id = bought.reservation_id
    WHERE bought.store_id = %s AND bought.id = %s"""
_SEE_ORDER_LINES: Final = b"SELECT * FROM omniorder_order_line WHERE store_id = %s AND order_id = %s ORDER BY position"


@cache
def _append(count: int) -> bytes:
    rows = ", ".join(["(%s, %s, %s, %s, %s, 'web', %s, '', %s)"] * count)
    into = "INSERT INTO omniorder_event (home, stream, seq, name, at, channel, actor, via, payload)"
    return f"{into} VALUES {rows}".encode()


class ByHand:
    """One connection that turns baskets into confirmed orders."""

    def __init__(self, dsn: str, gateway: FakeGateway, manner: Manner = "pipelined") -> None:
        self._connection: Final = psycopg.connect(dsn, autocommit=True)
        self._cursor: Final = self._connection.cursor()
        self._gateway: Final = gateway
        self._manner: Final = manner

    def promise(self, basket: Basket) -> Promised:
        """Hold the units, the place and the price: the first commit."""
        if self._manner == "reading first":
            self._read(
                (_SEE_CART, (basket.cart,)),
                (_SEE_CART_LINES, (basket.cart,)),
                (_SEE_STORE, (basket.window.store,)),
                (_SEE_PRICES, (basket.cart,)),
            )
        now = datetime.now(UTC)
        new = papers.promised(basket, now)
        window = basket.window
        store, seq = window.store, basket.version + 1
        skus = sorted(line.sku for line in basket.lines)
        self._commit(
            (_CART_PROMISED, (now, new.id, basket.cart, basket.version)),
            (
                _PROMISE,
                (
                    store, new.id, basket.cart, basket.owner, basket.lines_version, window.slot, window.starts,
                    window.ends, basket.total, basket.total, papers.quote(basket), new.reservation, now, new.expires,
                ),
            ),
            (_RESERVATION, (store, new.reservation, new.expires)),
            (_RESERVED, (store, new.reservation, skus)),
            (_STOCK, (store, skus, store, len(skus))),
            (_SLOT, (store, window.slot, window.starts)),
            (_TIMER, (store, new.id, new.expires)),
            (
                _append(1),
                (basket.cart, basket.cart, seq, "PromiseMade", now, basket.owner, papers.promise_made(new)),
            ),
        )  # fmt: skip
        return new

    def place(self, promised: Promised) -> str:
        """Commit the order with the intent to pay, ask the provider, commit its answer."""
        if self._manner == "reading first":
            basket = promised.basket
            self._read((_SEE_PROMISE, (basket.window.store, promised.id)), (_SEE_CART, (basket.cart,)))
        while True:
            numbers = papers.numbers(promised.basket.window.store)
            now = datetime.now(UTC)
            try:
                self._place(promised, numbers, now)
                break
            except UniqueViolation:
                continue
        provider_id = papers.authorised(self._gateway, numbers, promised.basket.total)
        if self._manner == "reading first":
            at = (promised.basket.window.store, numbers.order)
            self._read((_SEE_ORDER, at), (_SEE_ORDER_LINES, at))
        self._confirm(promised, numbers, now, provider_id)
        return numbers.order

    def _place(self, promised: Promised, numbers: Numbers, now: datetime) -> None:
        basket, window = promised.basket, promised.basket.window
        store, order, owner, cart, total = window.store, numbers.order, basket.owner, basket.cart, basket.total
        ids = [line.id for line in basket.lines]
        skus = [line.sku for line in basket.lines]
        names = [line.name for line in basket.lines]
        seq = basket.version + 2
        placed, tendered, requested, accepted, ordered = papers.placing(promised, numbers)
        self._commit(
            (_CART_ORDERED, (now, order, cart, basket.version + 1)),
            (
                _ORDER,
                (
                    store, order, owner, cart, promised.id, promised.reservation, total, total, now,
                    promised.expires, store, numbers.pickup,
                ),
            ),
            (_ORDERED, (store, order, ids, skus, names)),
            (_LISTED, (owner, now, order, store)),
            (_PAYMENT, (store, numbers.payment, order, total, now)),
            (_ATTEMPT, (store, numbers.attempt, order, numbers.payment, total, now, now + LOOK_AGAIN)),
            (_PICKUP, (store, numbers.pickup, store, order, window.slot, window.starts, window.ends)),
            (_TO_PICK, (store, numbers.pickup, ids)),
            (_ACCEPTED, (order, store, promised.id)),
            (_NO_TIMER, (store, promised.id)),
            (_TIMER, (store, order, now + LOOK_AGAIN)),
            (
                _append(5),
                (
                    store, order, 1, "OrderPlaced", now, owner, placed,
                    store, order, 2, "TenderAdded", now, owner, tendered,
                    store, order, 3, "AuthoriseRequested", now, owner, requested,
                    cart, cart, seq, "PromiseAccepted", now, owner, accepted,
                    cart, cart, seq + 1, "CartOrdered", now, owner, ordered,
                ),
            ),
        )  # fmt: skip

    def _confirm(self, promised: Promised, numbers: Numbers, now: datetime, provider_id: str) -> None:
        basket = promised.basket
        store, order, owner = basket.window.store, numbers.order, basket.owner
        succeeded, authorised, confirmed, released = papers.confirming(basket, numbers, provider_id)
        self._commit(
            (_CONFIRMED, (now, store, order)),
            (_AUTHORISED, (provider_id, store, numbers.payment)),
            (_SUCCEEDED, (provider_id, store, numbers.attempt)),
            (_RELEASED, (store, numbers.pickup)),
            (_FIRM, (store, promised.reservation)),
            (_NO_TIMER, (store, order)),
            (
                _append(4),
                (
                    store, order, 4, "AttemptSucceeded", now, owner, succeeded,
                    store, order, 5, "Authorised", now, owner, authorised,
                    store, order, 6, "OrderConfirmed", now, owner, confirmed,
                    store, order, 7, "PickReleased", now, owner, released,
                ),
            ),
        )  # fmt: skip

    def _commit(self, *steps: Step) -> None:
        try:
            if self._manner == "statement by statement":
                self._run(steps)
            else:
                with self._connection.pipeline():
                    self._run(steps)
        except psycopg.Error:
            self._connection.rollback()
            raise

    def _run(self, steps: Sequence[Step]) -> None:
        execute = self._cursor.execute
        execute("BEGIN")
        for statement, params in steps:
            execute(statement, params, prepare=True)
        execute("COMMIT")

    def _read(self, *steps: Step) -> None:
        cursors = [self._connection.cursor() for _ in steps]
        with self._connection.pipeline():
            for cursor, (statement, params) in zip(cursors, steps, strict=True):
                cursor.execute(statement, params, prepare=True)
        for cursor in cursors:
            cursor.fetchall()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
