"""Webhooks by hand on PostgreSQL: an INSERT, and for one about a payment of ours what has to follow from it.

That is the same as the library does and no more: put it down with a timer, ask the provider, put down that it was
followed. It is told apart by the provider's id; the provider's code verifies it, as on the other side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from bench.by_hand.papers import LOOK_AGAIN
from omniorder.domain.payments import Operation
from omniorder.ports.payments import LookUp
from omniorder.testing import FakeGateway

_WEBHOOK: Final = b"""
    INSERT INTO omniorder_webhook (
        store_id, id, gateway, event, kind, payment_id, received_at, state, tries, disputed, currency
    ) VALUES (%s, %s, 'card', %s, %s, %s, %s, %s, 0, NULL, NULL)"""
_TIMER: Final = b"INSERT INTO omniorder_timer (store_id, subject, due_at) VALUES (%s, %s, %s)"
_ATTEMPT: Final = b"""
    SELECT attempt.id, payment.provider_id FROM omniorder_payment AS payment
    JOIN omniorder_attempt AS attempt ON attempt.store_id = payment.store_id AND attempt.payment_id = payment.id
    WHERE payment.store_id = %s AND payment.id = %s AND payment.state = 'authorised'"""
_FOLLOWED: Final = b"""
    UPDATE omniorder_webhook SET state = 'followed' WHERE store_id = %s AND id = %s AND state = 'parked'"""
_NO_TIMER: Final = b"DELETE FROM omniorder_timer WHERE store_id = %s AND subject = %s"

Step = tuple[bytes, Sequence[Any]]


class Intake:
    """One connection that takes webhooks."""

    def __init__(self, dsn: str, gateway: FakeGateway) -> None:
        self._connection: Final = psycopg.connect(dsn, autocommit=True)
        self._cursor: Final = self._connection.cursor()
        self._gateway: Final = gateway

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take one, or raise `UniqueViolation` for one that came before."""
        notice, now = self._gateway.read_webhook(headers, body), datetime.now(UTC)
        ours = notice.payment.startswith("pay_")
        store = notice.payment.split("_")[1] if ours else ""
        webhook = f"whk_{notice.id}"
        payment, state = (notice.payment, "parked") if ours else ("", "ignored")
        kept: Step = _WEBHOOK, (store, webhook, notice.id, notice.kind, payment, now, state)
        if not ours:
            self._cursor.execute(*kept, prepare=True)
            return
        self._commit(kept, (_TIMER, (store, webhook, now + LOOK_AGAIN)))
        for attempt, provider_id in self._cursor.execute(_ATTEMPT, (store, payment), prepare=True).fetchall():
            self._gateway.look_up(LookUp(payment, attempt, Operation.AUTHORISE, provider_id))
        self._commit((_FOLLOWED, (store, webhook)), (_NO_TIMER, (store, webhook)))

    def _commit(self, *steps: Step) -> None:
        with self._connection.pipeline():
            self._cursor.execute("BEGIN")
            for statement, params in steps:
                self._cursor.execute(statement, params, prepare=True)
            self._cursor.execute("COMMIT")

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
