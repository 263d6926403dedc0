"""From what was refused to the tree of its reasons: a pure function of the code and the facts.

So no place that refuses something builds a tree, an error can be pickled or sent as its facts, and the same facts
give the same tree on every adapter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from omniorder.reasons.codes import CODES
from omniorder.reasons.tree import Reason

__all__ = ["of_refusal", "with_causes"]

_OF_STORES: Final = frozenset({"stock.short", "price.missing", "service.missing"})
_YET_TO_COME: Final = frozenset({"planned", "awaiting_stock", "to_pick", "picking", "awaiting_customer"})
_GUARDS: Final = {
    "the goods are being handed over": "guard.handing_over",
    "the goods have left the store": "guard.goods_left",
    "a part was collected already": "guard.part_collected",
    "nothing was collected yet": "guard.nothing_collected",
    "the order is not funded": "guard.not_funded",
    "what leaves is not paid": "guard.not_paid",
    "its money is not settled": "guard.not_settled",
}
"""What the guards of `lifecycle.forbidden` say, as codes."""


def of_refusal(code: str, facts: Mapping[str, Any]) -> Reason:
    """The tree of a refused command. What a store lacks stands below `store.cannot`, article by article."""
    if code in _OF_STORES and "store" in facts:
        return Reason("store.cannot", {"store": facts["store"]}, tuple(_lacking(code, facts)))
    match code:
        case "promise.gone" if facts.get("promise") == "none":
            return Reason("promise.none", facts)
        case "pickup.not_ready" if "lines" in facts:
            return Reason("pickup.unpicked", facts)
        case "pickup.not_ready" if facts.get("state", "planned") not in _YET_TO_COME:
            return with_causes(Reason("pickup.over", facts))
        case _:
            return with_causes(Reason(code, facts))


def with_causes(reason: Reason) -> Reason:
    """The reason with those below it that its own facts tell of; a reason that has some already is kept as it is."""
    causes = () if reason.because else tuple(cause for cause in _causes(reason) if cause.code in CODES)
    return Reason(reason.code, reason.facts, causes) if causes else reason


def _lacking(code: str, facts: Mapping[str, Any]) -> Iterator[Reason]:
    match facts:
        case {"short": [*items]}:
            for item in cast("list[Mapping[str, Any]]", items):
                yield with_causes(Reason(code, item))
        case {"store": store, "missing": [*items]}:
            for item in cast("list[Mapping[str, Any]]", items):
                yield Reason(code if "sku" in item else "service.not_offered", {"store": store, **item})
        case {"store": store, "skus": [*skus]} if code == "price.missing":
            for sku in cast("list[str]", skus):
                yield Reason(code, {"store": store, "sku": sku})
        case _:
            yield with_causes(Reason(code, facts))


def _causes(reason: Reason) -> Iterator[Reason]:
    facts = reason.facts
    match reason.code:
        case "stock.short" if facts.get("next_at") and _enough(facts):
            yield Reason("stock.expected", _only(facts, "next_at", "next_units", "unit"))
        case "slot.unavailable":
            code = f"slot.{facts.get('reason')}"
            yield Reason(code, _only(facts, *CODES[code].facts) if code in CODES else facts)
        case "handoff.gone":
            yield Reason(f"handoff.{facts.get('reason')}")
        case "pickup.not_extended":
            yield Reason(f"extension.{facts.get('reason')}")
        case "pass.refused":
            yield Reason(f"pass.{facts.get('reason')}")
        case "gift_card.gone":
            yield Reason(f"gift_card.{facts.get('reason')}")
        case "promise.gone" if facts.get("order"):
            yield Reason("promise.used", _only(facts, "order"))
        case "promise.gone":
            yield Reason(f"promise.is_{facts.get('state')}")
        case "reservation.gone":
            yield Reason(f"reservation.is_{facts.get('state')}")
        case "refund.refused" | "return.refused" | "pick.not_wanted":
            code = f"{reason.code.partition('.')[0]}.{facts.get('reason')}"
            yield Reason(code, _only(facts, *CODES[code].facts) if code in CODES else facts)
        case "substitute.refused":
            code = f"substitute.{facts.get('reason')}"
            yield Reason(code, _only(facts, *CODES[code].facts) if code in CODES else facts)
        case "payment.declined" | "payment.missing":
            yield Reason(f"payment.{facts.get('reason')}")
        case "check.age" if facts.get("failed"):
            yield Reason("check.age_failed")
        case "check.identity" if facts.get("failed"):
            yield Reason("check.identity_failed")
        case "pickup.not_ready" | "pickup.over":
            yield Reason(f"pickup.is_{facts.get('state')}")
            if facts.get("amount"):
                yield Reason("payment.return", _only(facts, "amount"))
        case "transition.illegal" if facts.get("why") in _GUARDS:
            yield Reason(_GUARDS[facts["why"]])
        case "transition.illegal":
            yield Reason(f"{facts.get('machine')}.is_{facts.get('state')}")
        case _:
            pass


def _enough(facts: Mapping[str, Any]) -> bool:
    """Whether the next delivery would do, as far as is known: nobody is told to wait for what is too little."""
    match facts:
        case {"wanted": int(wanted), "available": int(available), "next_units": int(units)}:
            return available + units >= wanted
        case _:
            return True


def _only(facts: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: facts[name] for name in names if name in facts}
