"""By which of an order's tenders money goes back, when there are several.

The rule is declared once (`Settings.refund_rule`) and decides alone: nobody at a till chooses. What a provider can't
do bends it. One that gives back all that it took or nothing is asked only where the others have no room, and for
everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations

from attrs import frozen

from omniorder.domain.payments import Payment
from omniorder.domain.terms import RefundRule, Terms


@frozen
class Room:
    """How much of one tender can go back, in minor units; `whole`: that much or nothing."""

    amount: int
    whole: bool = False


def split(amount: int, rooms: Sequence[Room], rule: RefundRule) -> tuple[int, ...]:
    """What each room takes of `amount`, in minor units: together exactly that, or as much of it as there is room for.

    Rooms are in the order in which the tenders were used. Those that are `whole` come in only when the others are too
    small, as few of them as it takes; where no choice of them fits exactly, none takes anything.
    """
    wholes = [place for place, room in enumerate(rooms) if room.whole and room.amount]
    partial = sum(room.amount for room in rooms if not room.whole)
    chosen: tuple[int, ...] = ()
    for some in chain.from_iterable(combinations(wholes, count) for count in range(len(wholes) + 1)):
        left = amount - sum(rooms[place].amount for place in some)
        if 0 <= left <= partial:
            chosen = some
            break
    left = amount - sum(rooms[place].amount for place in chosen)
    shares = _by_rule(left, [0 if room.whole else room.amount for room in rooms], rule)
    return tuple(rooms[place].amount if place in chosen else share for place, share in enumerate(shares))


def _by_rule(amount: int, rooms: list[int], rule: RefundRule) -> list[int]:
    match rule:
        case RefundRule.FIRST_IN_FIRST_OUT:
            return _in_turn(amount, rooms)
        case RefundRule.LAST_IN_FIRST_OUT:
            return _in_turn(amount, rooms[::-1])[::-1]
        case RefundRule.PROPORTIONAL:
            return _in_proportion(amount, rooms)


def _in_turn(amount: int, rooms: list[int]) -> list[int]:
    shares: list[int] = []
    for room in rooms:
        shares.append(min(amount, room))
        amount -= shares[-1]
    return shares


def _in_proportion(amount: int, rooms: list[int]) -> list[int]:
    total = sum(rooms)
    if amount >= total:
        return rooms
    shares = [amount * room // total for room in rooms]
    largest = sorted(range(len(rooms)), key=lambda place: (-(amount * rooms[place] % total), place))
    for place in largest[: amount - sum(shares)]:
        shares[place] += 1
    return shares


def shares(amount: int, payments: Sequence[Payment], terms: Terms) -> tuple[int, ...]:
    """What each of these payments gives back of `amount`, in minor units: first the one that was named, as far as it
    goes, then by the rule. May be less than `amount`: see `split`.

    What the counter took in cash gives back only what the others can't: its customer has to come for it.
    """
    rooms = [Room(p.returnable.amount, not terms.of(p).partial_refund) for p in payments]
    given = [0] * len(rooms)
    for place, payment in enumerate(payments):
        room = rooms[place]
        if payment.id == terms.to and (amount >= room.amount or not room.whole):
            given[place] = min(amount, room.amount)
            rooms[place] = Room(room.amount - given[place])
    for by_hand in (False, True):
        some = [room if by_hand is not bool(p.gateway) else Room(0) for p, room in zip(payments, rooms, strict=True)]
        more = split(amount - sum(given), some, terms.rule)
        given = [now + later for now, later in zip(given, more, strict=True)]
    return tuple(given)


def room_to_capture(payment: Payment, terms: Terms) -> int:
    """How much of what is set aside can be kept, if only a part of it is to be: nothing, where a provider can neither
    take a part nor give one back."""
    can = terms.of(payment)
    return (payment.authorised - payment.captured).amount if can.partial_capture or can.partial_refund else 0
