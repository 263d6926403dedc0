"""The state machine beside a bare dictionary look-up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from omniorder.domain.events import Authorised, AuthoriseRequested, Captured, CaptureRequested, Event
from omniorder.domain.lifecycle import MACHINES, PaymentState, advance
from omniorder.domain.money import Money

AMOUNT: Final = Money(1494, "EUR")
PAYMENT: Final = "pay_SOF01_7K3F9Q_1"
LIFE: Final[Sequence[Event]] = (
    AuthoriseRequested(PAYMENT, "att_SOF01_7K3F9Q_1_1", AMOUNT),
    Authorised(PAYMENT, AMOUNT, "pi_1"),
    CaptureRequested(PAYMENT, "att_SOF01_7K3F9Q_1_2", AMOUNT),
    Captured(PAYMENT, AMOUNT),
)


def measure(*, lives: int, rounds: int = 15) -> dict[str, Any]:
    """Transitions per second of a payment from CREATED to CAPTURED, again and again."""
    table = MACHINES["payment"]

    def by_machine() -> Enum:
        state: PaymentState = PaymentState.CREATED
        for _ in range(lives):
            state = PaymentState.CREATED
            for event in LIFE:
                state = advance(state, event)
        return state

    def by_look_up() -> Enum:
        state: Enum = PaymentState.CREATED
        for _ in range(lives):
            state = PaymentState.CREATED
            for event in LIFE:
                state = table[state][type(event)]
        return state

    found: dict[str, list[float]] = {"advance": [], "look_up": []}
    for _ in range(rounds):
        for name, walk in (("advance", by_machine), ("look_up", by_look_up)):
            found[name].append(_seconds(walk))
    count = lives * len(LIFE)
    return {
        "advance_per_second": round(count / statistics.median(found["advance"])),
        "look_up_per_second": round(count / statistics.median(found["look_up"])),
        "ratio": round(statistics.median(a / b for a, b in zip(found["advance"], found["look_up"], strict=True)), 2),
    }


def _seconds(walk: Callable[[], Enum]) -> float:
    begun = time.perf_counter()
    if walk() is not PaymentState.CAPTURED:
        raise RuntimeError("the payment did not reach its end")
    return time.perf_counter() - begun
