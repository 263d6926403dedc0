"""Merging carts: what two devices wanted, in one basket, with a reason for every line.

One rule. Lines are the same wish when SKU, note and metadata are equal. A wish that stands in one cart only is kept as
it is; one that stands in both is wanted as often as the cart that wants it more often. Taking the larger quantity,
rather than the sum, makes merging harmless to repeat (a basket that was synchronised twice doesn't double) and
independent of the order in which carts meet; and nothing that anybody put in is ever lost.

Consents to substitutes are the other way round: where carts that want the same agree on less, what both agree to holds
(`consents.stricter`), so that nobody gets what they refused on one of their devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import reduce

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain.carts import Cart, CartLine, added, apply, consented
from omniorder.domain.consents import stricter
from omniorder.domain.lifecycle import advance
from omniorder.domain.quantities import MAX_QUANTITY
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.text import Metadata
from omniorder.errors import TooMany

Wish = tuple[str, str, Metadata]
"""SKU, note and metadata: lines that agree in these are one wish."""


class MergeRule(Enum):
    """What the merge did about a line."""

    KEPT = "kept"
    """Only this cart wanted it."""
    ADDED = "added"
    """Only another cart wanted it, and it came over."""
    RAISED = "raised"
    """Both wanted it, the other more of it: this cart now wants as many."""
    COVERED = "covered"
    """Both wanted it, this cart at least as many: nothing had to change."""


@frozen
class MergedLine:
    """A line of the merged cart and why it is as it is.

    `here` is how many units of the same wish the cart had itself, `there` the most that one of the others had, in the
    article's unit; `sources` are the ids of the carts that wanted it. `stricter`: less may be given instead than
    before, as another cart allows less.
    """

    line: CartLine
    rule: MergeRule
    here: int
    there: int
    sources: tuple[str, ...]
    stricter: bool = False


@frozen
class Merged:
    """The cart that has everything now, and where each of its lines came from."""

    cart: Cart
    lines: tuple[MergedLine, ...]


@frozen
class Claimed:
    """What became a customer's when they said who they were.

    `cart` is their open cart with everything merged into it (None where neither had one), `lines` says where each of
    its lines came from. `orders` are the ids of the orders that moved along, and `apart` those of carts that are the
    customer's too, but would have made one cart larger than a cart may be.
    """

    cart: Cart | None
    lines: tuple[MergedLine, ...] = ()
    orders: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


def merge(
    into: Cart, others: Sequence[Cart], *, at: datetime, most: int, most_units: int = MAX_QUANTITY
) -> tuple[Merged, tuple[e.Event, ...]]:
    """`into` with the lines of `others`, each line explained, and the events that bring it about.

    `most` is the number of lines that a cart may have, `most_units` the units of one SKU, all lines summed: raises
    `TooMany` and `InvalidQuantity`; and `IllegalTransition` when `into` can't be edited, or one of the others was
    ordered or merged already.
    """
    told: list[e.Event] = []
    after = into
    for other in others:
        advance(other.state, e.CartMerged(into.id))
        coming: list[e.Event] = [e.CartAbsorbed(other.id)]
        for wish, lines in _wishes(other).items():
            coming += _meet(_wishes(after).get(wish, []), lines)
        for event in coming:
            after = apply(after, event, at)
        told += coming
    if len(after.lines) > most:
        raise TooMany("lines", len(after.lines), f"a cart has at most {most} lines")
    for sku, units in after.demand().items():
        valid_quantity(units, f"units of {sku}", most=most_units)
    return Merged(after, explain(into, others, after)), tuple(told)


def explain(before: Cart, others: Sequence[Cart], after: Cart) -> tuple[MergedLine, ...]:
    """Each line of `after`, which `before` became when it met `others`. (`before` itself: they met earlier.)"""
    mine, now = _wishes(before), _wishes(after)
    theirs = [(other.id, _wishes(other)) for other in others]
    stood = {line.id: line.consent for line in before.lines}
    explained: dict[str, MergedLine] = {}
    for wish, lines in now.items():
        here = _units(mine.get(wish, []))
        there = max((_units(wishes.get(wish, [])) for _, wishes in theirs), default=0)
        sources = [before.id] if here else []
        sources += [id for id, wishes in theirs if wish in wishes]
        rule = _rule(here, there, _units(lines))
        for line in lines:
            consented = stood.get(line.id, line.consent) != line.consent
            explained[line.id] = MergedLine(line, rule, here, there, tuple(sources), consented)
    return tuple(explained[line.id] for line in after.lines)


def _wishes(cart: Cart) -> dict[Wish, list[CartLine]]:
    """The lines by what they wish for: as a rule one each, but an edited note can make two lines alike."""
    found: dict[Wish, list[CartLine]] = {}
    for line in cart.lines:
        found.setdefault((line.sku, line.note, line.metadata), []).append(line)
    return found


def _units(lines: Sequence[CartLine]) -> int:
    return sum(line.quantity for line in lines)


def _meet(ours: Sequence[CartLine], theirs: Sequence[CartLine]) -> list[e.Event]:
    """What brings a wish of another cart into ours: its lines, or as many more units of our own."""
    if not ours:
        return [added(line) for line in theirs]
    more = _units(theirs) - _units(ours)
    raised = [e.LineChanged(ours[0].id, valid_quantity(ours[0].quantity + more))] if more > 0 else []
    return [*raised, *_agree(ours, theirs)]


def _agree(ours: Sequence[CartLine], theirs: Sequence[CartLine]) -> list[e.Event]:
    """What both agree may be given instead, where they do not allow the same."""
    consents = [{line.consent for line in lines} for lines in (ours, theirs)]
    if consents[0] == consents[1]:
        return []
    agreed = reduce(stricter, (line.consent for line in (*ours, *theirs)))
    return [consented(line.id, agreed) for line in ours if line.consent != agreed]


def _rule(here: int, there: int, now: int) -> MergeRule:
    if not there:
        return MergeRule.KEPT
    if not here:
        return MergeRule.ADDED
    return MergeRule.RAISED if now > here else MergeRule.COVERED
