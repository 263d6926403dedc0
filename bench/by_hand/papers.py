"""What both databases are told alike: ids, sums and JSON documents."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen

from bench.shop import PRICE, QUANTITY, TAX, Basket
from omniorder import Money
from omniorder.ports.payments import Approved, Authorise
from omniorder.testing import FakeGateway

TOKEN: Final = "pm_card_visa"
LASTS: Final = timedelta(minutes=15)
LOOK_AGAIN: Final = timedelta(seconds=30)
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"


@frozen
class Promised:
    """A basket that is held, and until when."""

    basket: Basket
    id: str
    reservation: str
    expires: datetime


@frozen
class Numbers:
    """The ids of an order and of what belongs to it."""

    order: str
    payment: str
    attempt: str
    pickup: str


def promised(basket: Basket, now: datetime) -> Promised:
    """The ids and the time limit of a new promise."""
    draw = _base32(int(now.timestamp() * 1000) << 80 | int.from_bytes(os.urandom(10)), 26)
    return Promised(basket, f"prm_{basket.window.store}_{draw}", f"rsv_{basket.window.store}_{draw}", now + LASTS)


def numbers(store: str) -> Numbers:
    """The number of a new order, drawn: the database says if there is one like it."""
    drawn = _base32(int.from_bytes(os.urandom(4)), 6).upper()
    tail = f"{store}_{drawn}_1"
    return Numbers(f"{store}-{drawn}", f"pay_{tail}", f"att_{tail}_1", f"pup_{tail}")


def authorised(gateway: FakeGateway, numbers: Numbers, total: int) -> str:
    """The provider's id of the payment, after the same call that the library makes."""
    answer = gateway.authorise(Authorise(numbers.payment, numbers.attempt, numbers.order, TOKEN, Money(total, "EUR")))
    if not isinstance(answer, Approved):
        raise RuntimeError(f"the card of the bench was refused: {answer}")
    return answer.provider_id


def iso(at: datetime) -> str:
    """An instant in JSON, and on SQLite: UTC, with microseconds."""
    return f"{at.isoformat(timespec='microseconds')[:26]}Z"


# --- documents --------------------------------------------------------------------------------------------


def quote(basket: Basket) -> str:
    """What the basket costs, line by line, and the tax in it."""
    per_line = QUANTITY * PRICE
    total = basket.total
    return _dump(
        {
            "lines": [
                {
                    "line": line.id, "sku": line.sku, "name": line.name, "unit": "piece", "quantity": QUANTITY,
                    "price": _money(PRICE), "per": 1, "tax": TAX, "total": _money(per_line), "tolerance": "0",
                    "handling": {"temperature": "ambient", "perishable": False, "age_restricted": False},
                    "cap": None,
                }
                for line in basket.lines
            ],
            "total": _money(total),
            "ceiling": _money(total),
            "taxes": [{"rate": TAX, "gross": _money(total), "tax": _money(round(total / 6))}],
        }
    )  # fmt: skip


def promise_made(promised: Promised) -> str:
    basket = promised.basket
    total = _money(basket.total)
    return _dump(
        {
            "promise": promised.id, "store": basket.window.store, "slot": basket.window.slot,
            "total": total, "ceiling": total, "expires_at": iso(promised.expires),
        }
    )  # fmt: skip


def placing(promised: Promised, numbers: Numbers) -> tuple[str, str, str, str, str]:
    """OrderPlaced, TenderAdded and AuthoriseRequested; then the cart's PromiseAccepted and CartOrdered."""
    basket = promised.basket
    total = _money(basket.total)
    return (
        _dump(
            {
                "cart": basket.cart, "promise": promised.id, "owner": basket.owner, "total": total,
                "ceiling": total, "pay_by": iso(promised.expires),
            }
        ),
        _dump(
            {
                "payment": numbers.payment, "kind": "card", "amount": total, "method": "", "now": False,
                "replaces": "",
            }
        ),
        _dump({"payment": numbers.payment, "attempt": numbers.attempt, "amount": total}),
        _dump({"promise": promised.id, "order": numbers.order}),
        _dump({"order": numbers.order}),
    )  # fmt: skip


def confirming(basket: Basket, numbers: Numbers, provider_id: str) -> tuple[str, str, str, str]:
    """AttemptSucceeded, Authorised, OrderConfirmed, PickReleased."""
    payment = numbers.payment
    return (
        _dump({"payment": payment, "attempt": numbers.attempt, "provider_id": provider_id}),
        _dump({"payment": payment, "amount": _money(basket.total), "provider_id": provider_id, "until": None}),
        "{}",
        "{}",
    )


def _money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _dump(document: Any) -> str:
    return _ENCODER.encode(document)


def _base32(number: int, length: int) -> str:
    return "".join([_ALPHABET[number >> 5 * place & 31] for place in range(length - 1, -1, -1)])
