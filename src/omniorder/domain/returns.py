"""Returns: what customers may bring back, until when, and what becomes of it.

A return has two sides. The goods go to the store to which they are brought: to its shelf, to quarantine, or off its
books. The money is the order's, and goes back by the tenders that brought it. Units that were refunded before (because
they were damaged, say) are taken back without any money: no unit is credited twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, cast

from attrs import field, frozen

from omniorder.domain import crediting
from omniorder.domain import events as e
from omniorder.domain.calendars import midnight, zone_of
from omniorder.domain.events import Recorded
from omniorder.domain.instants import iso
from omniorder.domain.lifecycle import OrderState
from omniorder.domain.money import Money
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
from omniorder.domain.pickups import PickupLine
from omniorder.domain.promises import TaxPart, tax_parts
from omniorder.domain.quantities import Unit
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.receipts import ReceiptLine
from omniorder.domain.terms import Terms
from omniorder.errors import InvalidInput, ReturnRefused

__all__ = [
    "Condition",
    "ReturnPolicy",
    "ReturnSlip",
    "Returnable",
    "ReturnableLine",
    "Returned",
    "accept",
    "returnable",
    "slips",
]

_DAY: Final = timedelta(days=1)


class Condition(Enum):
    """In which state goods are that come back, and so where they go."""

    RESELLABLE = "resellable"
    """As new: to the shelf."""
    DAMAGED = "damaged"
    """Something is wrong, or may be: to quarantine, until somebody has looked."""
    UNSELLABLE = "unsellable"
    """Nobody may have it any more: off the books."""


@frozen
class Returned:
    """`quantity` units of a line (grams, where it is weighed) that the customer brings back, in this condition."""

    line: str
    quantity: int = field(converter=valid_quantity)
    condition: Condition = Condition.RESELLABLE

    def __attrs_post_init__(self) -> None:
        if not isinstance(cast("object", self.condition), Condition):
            raise InvalidInput("condition", self.condition, "must be a Condition")


@frozen(kw_only=True)
class ReturnPolicy:
    """What is taken back.

    Goods may be brought back until the end of the `days`-th day after their line was collected, in the time zone of the
    store that handed it over. `perishables`: whether perishable goods are taken back although nothing is wrong with
    them. `anywhere`: in every store, or only where they were collected. Raises `InvalidQuantity`, `InvalidInput`.
    """

    days: int = 30
    perishables: bool = False
    anywhere: bool = True

    def __attrs_post_init__(self) -> None:
        valid_quantity(self.days, "days", least=0, most=3650)
        for name in ("perishables", "anywhere"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(name, getattr(self, name), "must be True or False")


@frozen
class ReturnableLine:
    """What is left of a line to bring back: `units` of those that were collected, until `until` (UTC).

    `price` is for `per` units. `why_not` is the `reason` of `ReturnRefused` for goods in good condition, or empty.
    """

    line: str
    sku: str
    name: str
    unit: Unit
    collected: int
    returned: int
    units: int
    price: Money
    per: int
    until: datetime | None
    why_not: str = ""


@frozen
class Returnable:
    """What may be brought back of an order, for a store that need not know whose it is: `store` is its home."""

    order: str
    store: str
    lines: tuple[ReturnableLine, ...]


@frozen
class ReturnSlip:
    """One return, as the customer takes it home.

    `number` is `SOF01-7K3F9Q-R1` for the first return of that order. `lines` are the goods that came back with what was
    credited for them, `given` those that were given instead; `total` is what was credited, less the `fee`, with the
    `taxes` that it contained. `refunds` are what goes back, by kind of tender, and `taken` what the counter took.
    """

    number: str
    order: str
    store: str
    lines: tuple[ReceiptLine, ...]
    given: tuple[ReceiptLine, ...]
    total: Money
    fee: Money
    taxes: tuple[TaxPart, ...]
    refunds: tuple[tuple[str, Money], ...]
    taken: Money
    at: datetime
    by: str


def slips(order: Order, history: Sequence[Recorded]) -> tuple[ReturnSlip, ...]:
    """The returns of an order, the oldest first, as its journal tells them."""
    found: list[ReturnSlip] = []
    before: Counter[str] = Counter()
    for place, entry in enumerate(history):
        if isinstance(entry.event, e.PartReturned | e.AllReturned):
            found.append(_slip(order, history, place, entry.event, len(found) + 1, before))
        if isinstance(entry.event, e.CreditGranted):
            for part in entry.event.units:
                before[part.line] += part.quantity
    return tuple(found)


def _slip(
    order: Order, history: Sequence[Recorded], place: int, event: e.PartReturned | e.AllReturned, n: int,
    credited: Counter[str],
) -> ReturnSlip:  # fmt: skip
    """What was decided with this event: its credit and fee stand before it, and what follows of them after it."""
    nothing = Money.zero(order.total.currency)
    amount, fee, taken = nothing, nothing, nothing
    anew: Counter[str] = Counter()
    for entry in reversed(history[:place]):
        match entry.event:
            case e.CreditGranted(granted, _, units):
                amount = granted
                anew.update({part.line: part.quantity for part in units})
                break
            case e.FeeCharged(charged):
                fee = charged
            case _:
                break
    given: tuple[ReceiptLine, ...] = ()
    refunds: dict[str, Money] = {}
    for entry in history[place + 1 :]:
        match entry.event:
            case e.GoodsExchanged(new):
                given = tuple(_line(one, one.quantity, one.total) for one in new)
            case e.CounterStarted(amount=paid):
                taken = paid
            case e.RefundRequested(payment, _, share):
                kind = order.payment(payment).kind
                refunds[kind] = refunds.get(kind, nothing) + share
            case e.TenderAdded() | e.LeftForStore() | e.Waived():
                pass
            case _:
                break
    lines, left = list[ReceiptLine](), amount
    for part in event.units:
        bought, was = order.line(part.line), credited[part.line] - anew[part.line]
        value = min(left, bought.value(was + anew[part.line]) - bought.value(was))
        lines.append(_line(bought, part.quantity, value))
        left -= value
    taxes = tax_parts((order.line(line.line).tax, line.total) for line in lines)
    stamp = history[place].stamp
    return ReturnSlip(
        f"{order.id}-R{n}", order.id, event.store, tuple(lines), given, amount - fee, fee, taxes,
        tuple(sorted(refunds.items())), taken, stamp.at, stamp.actor,
    )  # fmt: skip


def _line(line: OrderLine, quantity: int, total: Money) -> ReceiptLine:
    return ReceiptLine(line.id, line.sku, line.name, quantity, total, line.unit, line.price, line.per, line.tax)


def returnable(order: Order, policy: ReturnPolicy, at: datetime, store: str) -> Returnable:
    """What may be brought back to `store`, line by line; lines of which nothing was collected are left out."""
    lines: list[ReturnableLine] = []
    for line in order.pickup.lines:
        if not line.collected:
            continue
        bought, left = order.line(line.line), line.collected - line.returned
        why_not = _why_not(order, line, policy, at, store, Condition.RESELLABLE) if left else "more_than_there_is"
        lines.append(
            ReturnableLine(
                line.line, bought.sku, bought.name, bought.unit, line.collected, line.returned, left, bought.price,
                bought.per, _until(order, line, policy), why_not,
            )
        )  # fmt: skip
    return Returnable(order.id, order.store, tuple(lines))


def accept(
    order: Order,
    back: Iterable[Returned],
    policy: ReturnPolicy,
    terms: Terms,
    *,
    store: str,
    at: datetime,
    reason: str,
    fee: Money | None = None,
    late: bool = False,
    exchanged: bool = False,
) -> tuple[e.Event, ...]:
    """The events of taking these units back at `store`: what the customer need not pay any more, and what came back.

    `late` takes back what the policy would not for its date; `exchanged`: others are given for them. Raises
    `ReturnRefused`, `NotFound` for a line, and what `crediting.refund` raises.
    """
    goods = tuple(back)
    sums: dict[str, int] = {}
    for part in goods:
        line = order.pickup.line(part.line)
        sums[part.line] = sums.get(part.line, 0) + part.quantity
        left = line.collected - line.returned
        if sums[part.line] > left:
            _refuse(order, line, "more_than_there_is", policy, left)
        why_not = _why_not(order, line, policy, at, store, part.condition, late=late)
        if why_not:
            _refuse(order, line, why_not, policy, 0)
    units = tuple(e.Units(line, count) for line, count in sums.items())
    credited = crediting.brought_back(order, units, at=at, terms=terms, reason=reason, fee=fee, exchanged=exchanged)
    everything = (
        order.state is OrderState.COMPLETED
        and not exchanged
        and all(line.collected == line.returned + sums.get(line.line, 0) for line in order.pickup.lines)
    )
    event = e.AllReturned if everything else e.PartReturned
    damaged, unsellable = (_sorted_out(goods, one) for one in (Condition.DAMAGED, Condition.UNSELLABLE))
    return (*credited, event(units, store, damaged, unsellable))


def _sorted_out(back: Iterable[Returned], condition: Condition) -> tuple[e.Units, ...]:
    sums: dict[str, int] = {}
    for part in back:
        if part.condition is condition:
            sums[part.line] = sums.get(part.line, 0) + part.quantity
    return tuple(e.Units(line, count) for line, count in sums.items())


def _why_not(
    order: Order, line: PickupLine, policy: ReturnPolicy, at: datetime, store: str, condition: Condition,
    *, late: bool = False,
) -> str:  # fmt: skip
    if not policy.anywhere and store != order.pickup.store:
        return "other_store"
    fine = condition is Condition.RESELLABLE
    if fine and order.line(line.line).handling.perishable and not policy.perishables:
        return "perishable"
    until = _until(order, line, policy)
    return "too_late" if until is not None and at >= until and not late else ""


def _until(order: Order, line: PickupLine, policy: ReturnPolicy) -> datetime | None:
    """None for goods of which only the journal knows when they were collected: those wait for nobody's clock."""
    if line.collected_at is None:
        return None
    zone = zone_of(order.pickup.zone)
    return midnight(line.collected_at.astimezone(zone).date() + (policy.days + 1) * _DAY, zone)


def _refuse(order: Order, line: PickupLine, reason: str, policy: ReturnPolicy, units: int) -> None:
    until = _until(order, line, policy)
    facts = {"until": iso(until)} if until else {}
    raise ReturnRefused(order=order.id, line=line.line, reason=reason, units=units, **facts)
