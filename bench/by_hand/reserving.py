"""A reservation by hand on PostgreSQL: its row, its lines and the guarded change of the levels, in one commit.

Of one article it is the guarded UPDATE of a single row, as everybody writes it; of several the rows are locked in the
order of their keys first, since without that two baskets that share two articles deadlock.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import psycopg

from bench.by_hand.papers import LASTS

Manner = Literal["pipelined", "statement by statement"]

_RESERVATION: Final = b"""
    INSERT INTO omniorder_reservation (store_id, id, state, until, moved) VALUES (%s, %s, 'held', %s, 0)"""
_LINES: Final = b"""
    INSERT INTO omniorder_reservation_line (
        store_id, reservation_id, sku, position, quantity, consumed, released, expired
    ) SELECT %s, %s, sku, place - 1, 1, 0, 0, 0 FROM unnest(%s::text[]) WITH ORDINALITY AS line (sku, place)"""
_ONE_LEVEL: Final = b"""
    WITH held AS (
        UPDATE omniorder_stock SET reserved = reserved + 1
        WHERE store_id = %s AND sku = %s AND on_hand - reserved - safety >= 1 RETURNING 1
    ) SELECT 1 / count(*) FROM held"""
_LEVELS: Final = b"""
    WITH locked AS (
        SELECT sku, on_hand, reserved, safety FROM omniorder_stock
        WHERE store_id = %s AND sku = ANY (%s) ORDER BY sku FOR NO KEY UPDATE
    ), held AS (
        UPDATE omniorder_stock AS stock SET reserved = locked.reserved + 1 FROM locked
        WHERE stock.store_id = %s AND stock.sku = locked.sku AND locked.on_hand - locked.reserved - locked.safety >= 1
        RETURNING 1
    ) SELECT 1 / (count(*) = %s)::int FROM held"""


class Reserving:
    """One connection that reserves a unit of each of some articles."""

    def __init__(self, dsn: str, manner: Manner = "pipelined") -> None:
        self._connection: Final = psycopg.connect(dsn, autocommit=True)
        self._cursor: Final = self._connection.cursor()
        self._manner: Final = manner

    def reserve(self, store: str, skus: Sequence[str]) -> None:
        """Reserve, or raise `DivisionByZero` where a unit is lacking."""
        reservation, until = f"rsv_{store}_{secrets.token_hex(13)}", datetime.now(UTC) + LASTS
        wanted = sorted(skus)
        taken: tuple[bytes, Sequence[Any]] = (_LEVELS, (store, wanted, store, len(wanted)))
        if len(wanted) == 1:
            taken = _ONE_LEVEL, (store, *wanted)
        steps = (
            (_RESERVATION, (store, reservation, until)),
            (_LINES, (store, reservation, wanted)),
            taken,
        )
        try:
            if self._manner == "pipelined":
                with self._connection.pipeline():
                    self._run(steps)
            else:
                self._run((taken, *steps[:2]))  # who looks at each answer asks for what may be refused first
        except psycopg.Error:
            self._connection.rollback()
            raise

    def _run(self, steps: Sequence[tuple[bytes, Sequence[Any]]]) -> None:
        execute = self._cursor.execute
        execute("BEGIN")
        for statement, params in steps:
            execute(statement, params, prepare=True)
        execute("COMMIT")

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
