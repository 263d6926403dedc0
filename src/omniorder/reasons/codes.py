"""Every code of a reason, and of what would change the answer, with the facts that belong to it.

These two tables are the vocabulary of "why not". A code never changes its meaning; the facts beside it are JSON
values whose names mean the same under every code:

- quantities (`wanted`, `available`, `orderable`, `next_units`, `units`) count in the article's unit, and `unit` says
  which one, `piece` or `gram`, where that is known; weights (`ordered`, `weighed`, `least`, `most`) are grams;
- amounts (`total`, `expected`, `due`, `amount`, `left`, `missing`, `of`, and `most` of a refund or fee) are text, such
  as `4.98 EUR`;
- instants (`until`, `earliest`, `by`, `starts`, `next_at`, `arrives`) are text of ISO 8601 with an offset, the
  store's own where it is known;
- `senders` are the stores that would send what is missing, and `earliest` is then from when it can be collected;
- `reason` and `rule` are a program's or an associate's own words.

What is weighed is `wanted` with its tolerance on top; `orderable` is the most that can be ordered of what is
`available`, and a line is reduced to that.

A remedy takes its facts from the reason that it belongs to. It is offered when all that it needs is there and is not
nothing: a line can be reduced to the 2 units that are available, but not to 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

__all__ = ["CODES", "REMEDIES", "Told", "is_something", "step"]


@frozen
class Told:
    """What is told under a code: `needs` are facts that are always there, `may` those that are there when known.

    `remedies` are the codes of what would change the answer.
    """

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        """All facts that may stand beside this code."""
        return self.needs + self.may


def is_something(value: Any) -> bool:
    """Whether a fact says anything: not None, empty, zero or below."""
    return value > 0 if isinstance(value, (int, float)) else bool(value)


def step(event: str) -> str:
    """The code of "let this event happen", as a remedy."""
    return f"transition.{event}"


def _told(needs: str = "", *, may: str = "", remedies: str = "") -> Told:
    return Told(tuple(needs.split()), tuple(may.split()), tuple(remedies.split()))


_STORES: Final = {
    "store.cannot": _told("store", may="earliest senders", remedies="line.ship store.other"),
    "stock.short": _told(
        "sku wanted available", may="unit orderable store next_at next_units", remedies="line.reduce line.remove"
    ),
    "stock.expected": _told("next_at", may="next_units unit", remedies="stock.wait"),
    "price.missing": _told("store sku", remedies="line.remove"),
    "service.missing": _told("store sku service", remedies="line.remove"),
    "service.not_offered": _told("store service", remedies="collect.other"),
}

_SLOTS: Final = {
    "slot.unavailable": _told(may="slot store reason earliest of wanted free"),
    **{
        f"slot.{reason}": _told(may="slot store earliest", remedies="slot.other")
        for reason in ("past", "too_soon", "cut_off", "beyond_horizon", "closed", "closure", "before_arrival")
    },
    "slot.full": _told(may="slot store earliest of wanted free", remedies="slot.other"),
    "slot.too_late": _told("by", may="slot store earliest", remedies="slot.other"),
    "slot.none_free": _told(may="store"),
    "slot.no_pickup": _told(may="slot store"),
}

_CARTS: Final = {
    "cart.empty": _told("cart", remedies="cart.fill"),
    "cart.changed": _told("cart promise", remedies="promise.again"),
    "quote.changed": _told("expected total", remedies="quote.accept"),
    "promise.gone": _told("promise state", may="order", remedies="promise.again"),
    "promise.none": _told("promise state", remedies="promise.again"),
    "promise.used": _told("order"),
    "reservation.gone": _told("reservation state", remedies="promise.again"),
    "handoff.invalid": _told(may="tries_left", remedies="handoff.again"),
    "handoff.gone": _told("handoff reason", remedies="handoff.again"),
    "handoff.used": _told(),
    "handoff.expired": _told(),
    "handoff.withdrawn": _told(),
    "handoff.locked": _told(),
}

_PAYING: Final = {
    "payment.in_flight": _told("order", remedies="order.finish"),
    "payment.declined": _told("order reason until", remedies="tender.other"),
    "payment.insufficient_funds": _told(),
    "payment.authentication_failed": _told(),
    "payment.authorisation_expired": _told(),
    "payment.expired_card": _told(),
    "gift_card.invalid": _told(remedies="code.check"),
    "gift_card.gone": _told("card reason", remedies="tender.other"),
    "gift_card.closed": _told(),
    "gift_card.expired": _told(),
    "balance.too_low": _told("account amount left"),
    "payment.missing": _told("order due", may="reason", remedies="payment.pay"),
    "payment.return": _told("amount"),
    "tender.unsupported": _told("tender", may="reason", remedies="tender.other"),
    "tender.too_little": _told("missing of", remedies="tender.other"),
    "tender.plan_impossible": _told("tender reason", may="method until needed", remedies="tender.other"),
    "pick.claimed": _told("order pickers who"),
    "pick.not_wanted": _told("reason", may="order sku"),
    "pick.not_ordered": _told(),
    "pick.all_picked": _told(may="order sku"),
    "pick.no_orders": _told(),
    "bin.full": _told("store bin holds"),
    "return.refused": _told("order line reason", may="units until"),
    "return.more_than_there_is": _told(),
    "return.too_late": _told("until"),
    "return.perishable": _told(),
    "return.other_store": _told(),
    "refund.refused": _told("order reason most", may="line"),
    "refund.above_rest": _told("most"),
    "refund.nothing_left": _told(),
    "refund.units": _told(may="line"),
    "refund.fee_too_high": _told("most"),
    "refund.named_tender": _told("most"),
    "refund.all_or_nothing": _told(),
}

_SUBSTITUTES: Final = {
    "substitute.refused": _told("order line sku reason", may="most price"),
    "substitute.above_cap": _told("most price"),
    **{
        f"substitute.{reason}": _told(may="sku")
        for reason in ("no_consent", "other_article", "allergen", "brand", "other_unit", "needs_more")
    },
}

_COLLECTING: Final = {
    "pickup.not_ready": _told("order reason", may="state", remedies="ready.wait"),
    "pickup.unpicked": _told("order reason lines", remedies="pick.finish"),
    "pickup.over": _told("order reason state", may="amount"),
    "pickup.not_extended": _told("order reason until"),
    **{f"extension.{reason}": _told() for reason in ("used", "never", "perishable", "closed", "not_later", "too_long")},
    "code.wrong": _told("order tries_left", remedies="code.again code.reissue"),
    "arrival.attended": _told("order by who"),
    "code.locked": _told("order", remedies="code.reissue"),
    "check.age": _told("order skus", may="failed", remedies="age.show line.leave"),
    "check.age_failed": _told(),
    "check.identity": _told("order", may="failed", remedies="identity.show"),
    "check.identity_failed": _told(),
    "pass.refused": _told("reason", may="order", remedies="pass.again"),
    "pass.malformed": _told(),
    "pass.forged": _told(),
    "pass.unknown_key": _told(),
    "pass.retired_key": _told(),
    "pass.other_store": _told(),
    "pass.other_order": _told(),
    "pass.not_yet_valid": _told(),
    "pass.expired": _told(),
    "pass.used": _told(),
    "pass.replaced": _told(),
    "line.rejected": _told(may="sku units reason unit store order"),
    "weight.out_of_tolerance": _told("line ordered weighed least most", remedies="weight.again"),
    "transfer.late": _told(may="transfer order sku units unit arrives store"),
    "transfer.short": _told(may="transfer order sku units wanted available unit store"),
    "question.open": _told(may="order until options"),
    "silence.less": _told(),
    "silence.nothing": _told(),
}

_REQUESTS: Final = {
    "refused": _told(),
    "version.conflict": _told("kind id expected current", remedies="version.reload"),
    "key.reused": _told("command key", remedies="key.fresh"),
    "transition.illegal": _told("machine state event legal why"),
    **{
        f"{code}.invalid": _told("field value rule", may="least most")
        for code in ("input", "quantity", "money", "text", "instant", "id", "store", "key", "file", "row", "barcode")
    },
    "money.currency_mismatch": _told("field value rule"),
    "text.card_number": _told("field value rule"),
    "row.duplicate": _told("field value rule", may="first"),
    "import.changed": _told("id reason"),
    "input.too_many": _told("field value rule", may="most"),
}

_STATES: Final = {
    "cart": "open ordered merged abandoned",
    "handoff": "offered accepted withdrawn",
    "promise": "held accepted replaced withdrawn lapsed",
    "reservation": "held firm settled released expired",
    "attempt": "planned unknown absent succeeded refused",
    "payment": "created authorising action_required authorised capturing voiding due_in_store collecting captured "
    "declined voided lapsed",
    "order": "placed confirmed cancelling expiring completed cancelled expired returned",
    "pickup": "planned awaiting_stock to_pick picking awaiting_customer ready handing_over collected rerouted lapsed "
    "cancelled",
    "transfer": "requested picked shipped received short cancelled",
}
_OUT_OF_STATES: Final = {"cart.is_ordered": "cart.start", "cart.is_merged": "cart.start"}

_GUARDS: Final = (
    *("handing_over", "part_collected", "nothing_collected", "goods_left"),
    *("not_funded", "not_paid", "not_settled"),
)


def _states() -> Iterable[tuple[str, Told]]:
    for machine, states in _STATES.items():
        for state in states.split():
            code = f"{machine}.is_{state}"
            yield code, _told(remedies=_OUT_OF_STATES.get(code, ""))


CODES: Final[Mapping[str, Told]] = MappingProxyType(
    _STORES
    | _SLOTS
    | _CARTS
    | _PAYING
    | _SUBSTITUTES
    | _COLLECTING
    | _REQUESTS
    | dict(_states())
    | {f"guard.{name}": _told() for name in _GUARDS}
)
"""What is told under each code of a reason."""

_STEPS: Final = (
    *("LineAdded", "PromiseMade", "TenderAdded", "CancelStarted"),
    *("PickStarted", "LinePicked", "PickReset", "MadeReady", "Unreadied", "CodeReissued", "HandOverStarted"),
    *("QuestionAnswered", "TransferPicked", "TransferShipped", "TransferReceived", "TransferCancelled"),
)
"""The events that somebody can bring about with a command; what happens by itself is no remedy."""

REMEDIES: Final[Mapping[str, Told]] = MappingProxyType(
    {
        "store.other": _told(),
        "line.ship": _told("earliest", may="senders"),
        "line.reduce": _told("sku available", may="unit"),
        "line.remove": _told("sku"),
        "stock.wait": _told("next_at"),
        "collect.other": _told(),
        "slot.other": _told(may="earliest"),
        "cart.fill": _told(),
        "cart.start": _told(),
        "promise.again": _told(),
        "quote.accept": _told("total"),
        "order.finish": _told("order"),
        "tender.other": _told(may="until"),
        "payment.pay": _told("due"),
        "ready.wait": _told(),
        "pick.finish": _told(),
        "code.again": _told("tries_left"),
        "code.check": _told(),
        "code.reissue": _told(),
        "age.show": _told(),
        "identity.show": _told(),
        "line.leave": _told("skus"),
        "pass.again": _told(),
        "handoff.again": _told(),
        "version.reload": _told(),
        "key.fresh": _told(),
        "weight.again": _told("least most"),
        "option.later": _told("option", may="store slot starts"),
        "option.sent": _told("option", may="store slot starts"),
        "option.other_store": _told("option store", may="slot starts"),
        "option.less": _told("option"),
        "option.nothing": _told("option"),
        **{step(event): _told() for event in _STEPS},
    }
)
"""What is told under each code of a remedy."""
