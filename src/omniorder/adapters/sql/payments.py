"""Payments and their attempts: rows of an order, guarded by the order's version."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import moment
from omniorder.adapters.sql.documents import by_position
from omniorder.adapters.sql.rows import Rows, Values
from omniorder.adapters.sql.schema import ATTEMPT, PAYMENT
from omniorder.domain.lifecycle import AttemptState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import Attempt, Operation, Payment

_PAYMENTS: Final = Rows(PAYMENT, fixed=("order_id", "position", "created_at"))
_ATTEMPTS: Final = Rows(ATTEMPT, fixed=("order_id", "payment_id", "position"))


def write(batch: Batch, before: Order | None, order: Order) -> None:
    """Write what changed in the order's payments and attempts."""
    was = () if before is None else before.payments
    if was == order.payments:
        return
    earlier = [] if before is None else _payment_rows(before)
    _PAYMENTS.sync(batch, earlier, _payment_rows(order), "payment", order.id)
    earlier = [] if before is None else _attempt_rows(before)
    _ATTEMPTS.sync(batch, earlier, _attempt_rows(order), "attempt", order.id)


def _payment_rows(order: Order) -> list[Values]:
    return [
        {
            "store_id": order.store,
            "id": payment.id,
            "order_id": order.id,
            "position": place,
            "kind": payment.kind,
            "token": payment.token,
            "state": payment.state.value,
            "currency": payment.amount.currency,
            "amount": payment.amount.amount,
            "authorised": payment.authorised.amount,
            "captured": payment.captured.amount,
            "refunded": payment.refunded.amount,
            "refund_pending": payment.refund_pending.amount,
            "disputed": payment.disputed.amount,
            "created_at": payment.created_at,
            "provider_id": payment.provider_id,
            "reason": payment.reason,
            "method": payment.method,
            "now": int(payment.now),
            "until": payment.until,
            "replaces": payment.replaces,
            "means": payment.means,
        }
        for place, payment in enumerate(order.payments)
    ]


def _attempt_rows(order: Order) -> list[Values]:
    return [
        {
            "store_id": order.store,
            "id": attempt.id,
            "order_id": order.id,
            "payment_id": payment.id,
            "position": place,
            "operation": attempt.operation.value,
            "state": attempt.state.value,
            "amount": attempt.amount.amount,
            "asked_at": attempt.asked_at,
            "look_at": attempt.look_at,
            "provider_id": attempt.provider_id,
            "reason": attempt.reason,
        }
        for payment in order.payments
        for place, attempt in enumerate(payment.attempts)
    ]


def payments_from(payments: list[dict[str, Any]] | None, attempts: list[dict[str, Any]] | None) -> tuple[Payment, ...]:
    """The payments of an order's document, each with its attempts."""
    of_payment: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for attempt in by_position(attempts):
        of_payment[attempt["payment_id"]].append(attempt)
    return tuple(_payment(found, of_payment[found["id"]]) for found in by_position(payments))


def _payment(found: dict[str, Any], attempts: list[dict[str, Any]]) -> Payment:
    currency = found["currency"]
    return Payment(
        id=found["id"],
        kind=found["kind"],
        token=found["token"],
        amount=Money(found["amount"], currency),
        state=PaymentState(found["state"]),
        authorised=Money(found["authorised"], currency),
        captured=Money(found["captured"], currency),
        refunded=Money(found["refunded"], currency),
        refund_pending=Money(found["refund_pending"], currency),
        disputed=Money(found["disputed"], currency),
        attempts=tuple(_attempt(attempt, currency) for attempt in attempts),
        created_at=moment(found["created_at"]),
        provider_id=found["provider_id"],
        reason=found["reason"],
        method=found["method"],
        now=bool(found["now"]),
        until=moment(found["until"]) if found["until"] else None,
        replaces=found["replaces"],
        means=found["means"],
    )


def _attempt(found: dict[str, Any], currency: str) -> Attempt:
    return Attempt(
        id=found["id"],
        operation=Operation(found["operation"]),
        amount=Money(found["amount"], currency),
        state=AttemptState(found["state"]),
        asked_at=moment(found["asked_at"]),
        look_at=moment(found["look_at"]),
        provider_id=found["provider_id"],
        reason=found["reason"],
    )
