"""Webhooks taken per second on PostgreSQL, by the library and by hand, each verified, put down and followed.

Of nobody's payment: one row and one commit, the whole of it. Of ours: two commits around the provider's answer.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any, Final

from bench.by_hand.webhooks import Intake
from bench.databases import Database
from bench.orders import OURS, YARDSTICK
from bench.scene import Scene, opened

Sent = tuple[Mapping[str, str], bytes]
Takes = Callable[[Mapping[str, str], bytes], object]

STRANGE: Final = "pi_of_somebody_else"


def measure(database: Database, *, webhooks: int, block: int) -> dict[str, Any]:
    """Per second by side, and how many times as long ours take, for both kinds."""
    with ExitStack() as stack:
        scene = stack.enter_context(opened(database))
        script = stack.enter_context(closing(Intake(database.dsn, scene.gateway)))
        sides: Mapping[str, Takes] = {OURS: by_library(scene), YARDSTICK: script.take}
        kinds = {"about nobody's payment": STRANGE, "about one of ours": payment_of(scene)}
        found = {kind: _measured(scene, sides, payment, webhooks, block) for kind, payment in kinds.items()}
    return {"webhooks": webhooks, "kinds": found}


def by_library(scene: Scene) -> Takes:
    """The library's way."""

    def take(headers: Mapping[str, str], body: bytes) -> None:
        reply = scene.hub.webhook("card", headers=headers, body=body)
        if reply.status != 200:
            raise RuntimeError(f"the webhook of the bench was refused: {reply}")

    return take


def payment_of(scene: Scene) -> str:
    """A payment of the shop's that is authorised."""
    return scene.gateway.payments[-1].payment


def signed(scene: Scene, payment: str, count: int) -> list[Sent]:
    """So many different webhooks about this payment."""
    return [scene.gateway.signed_webhook(payment, "payment.updated") for _ in range(count)]


def _measured(scene: Scene, sides: Mapping[str, Takes], payment: str, count: int, block: int) -> dict[str, Any]:
    blocks: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for turn in range(max(1, count // block) + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            took = _timed(sides[name], signed(scene, payment, block))
            if turn:  # the first turn warms up
                blocks[name].append(took / block)
    ratios = [ours / theirs for ours, theirs in zip(blocks[OURS], blocks[YARDSTICK], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {
        "per_second": {name: round(1 / statistics.median(all_)) for name, all_ in blocks.items()},
        "ratio": {"median": round(middle, 2), "quartiles": [round(low, 2), round(high, 2)]},
    }


def _timed(take: Takes, webhooks: Sequence[Sent]) -> float:
    begun = time.perf_counter()
    for headers, body in webhooks:
        take(headers, body)
    return time.perf_counter() - begun
