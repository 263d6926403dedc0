"""Picking: what a store has to pick and by when, and the walk on which an associate picks what they claimed.

A walk has no state of its own. It is made of the orders that an associate holds and of what was picked of them, so a
handheld that crashed asks for it again and goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, cast

from attrs import field, frozen

from omniorder.domain.articles import Article
from omniorder.domain.barcodes import Scanned
from omniorder.domain.handling import Temperature
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.orders import Order
from omniorder.domain.quantities import Unit
from omniorder.domain.stores import Store
from omniorder.errors import InvalidInput

__all__ = ["Pace", "Risk", "Step", "Task", "Walk", "matches", "task", "walk", "weight"]

PICKABLE: Final = (PickupState.TO_PICK, PickupState.PICKING)
_PARTS: Final = re.compile(r"([0-9]+)")
_COLDEST_LAST: Final = {Temperature.AMBIENT: 0, Temperature.CHILLED: 1, Temperature.FROZEN: 2}


class Risk(Enum):
    """Whether an order will be ready when its customer may come."""

    ON_TIME = "on_time"
    """There is time to spare."""
    AT_RISK = "at_risk"
    """Only if somebody begins about now."""
    LATE = "late"
    """Not even then, at the usual pace."""


@frozen
class Pace:
    """How long picking takes: for each order, and for each line of it that is still to be picked.

    What would be ready less than `spare` before the customer's window begins is at risk. Raises InvalidInput.
    """

    order: timedelta = timedelta(minutes=2)
    line: timedelta = timedelta(seconds=45)
    spare: timedelta = timedelta(minutes=30)

    def __attrs_post_init__(self) -> None:
        for name in ("order", "line", "spare"):
            value = cast("object", getattr(self, name))
            if not isinstance(value, timedelta) or value < timedelta():
                raise InvalidInput(name, value, "must be a timedelta that is not negative")


@frozen
class Task:
    """An order on the store's work list. Instants are in the store's zone.

    It is to be ready by `ready_by`, when its customer's window begins. `lines` are those that are still to be picked,
    `temperatures` where they are kept. `age_check`: its customer is to be seen to be old enough. `pickers` have claimed
    it (their journal names), on the walk `wave`; nobody has where that is empty.
    """

    order: str
    state: PickupState
    ready_by: datetime
    ends: datetime
    lines: int
    risk: Risk
    age_check: bool
    temperatures: tuple[Temperature, ...]
    pickers: tuple[str, ...]
    wave: str


@frozen
class Step:
    """One article to take off the shelf for one order, into the `tote` of that number (0: the order is picked alone).

    `least` and `most` are units still to be picked, which differ only of what is weighed. `note` is the customer's.
    """

    order: str
    tote: int
    line: str
    sku: str
    name: str
    unit: Unit
    least: int
    most: int
    aisle: str
    temperature: Temperature
    note: str = field(default="", repr=False)


@frozen
class Walk:
    """What one associate has to pick, in the order in which they come by it: what must stay cold comes last."""

    orders: tuple[str, ...]
    steps: tuple[Step, ...]


def task(order: Order, at: datetime, pace: Pace) -> Task:
    """The order as the work list shows it at `at`."""
    starts, ends = order.pickup.window
    left = [order.line(line.line) for line in order.pickup.lines if line.to_pick[0]]
    cold = {line.handling.temperature for line in left}
    return Task(
        order.id,
        order.pickup.state,
        starts,
        ends,
        len(left),
        risk(order, at, pace),
        any(order.line(line.line).handling.age_restricted for line in order.pickup.lines if line.open),
        tuple(one for one in Temperature if one in cold),
        order.pickup.pickers,
        order.pickup.wave,
    )


def risk(order: Order, at: datetime, pace: Pace) -> Risk:
    """Whether it will be ready in time if somebody goes on with it now."""
    lines = sum(line.to_pick[0] > 0 for line in order.pickup.lines)
    ready = at + pace.order + lines * pace.line
    if ready > order.pickup.starts:
        return Risk.LATE
    return Risk.ON_TIME if ready + pace.spare <= order.pickup.starts else Risk.AT_RISK


def walk(orders: Iterable[Order], articles: Mapping[str, Article], store: Store) -> Walk:
    """The walk through `store` for these orders.

    By temperature, aisle and article, so that several orders that want the same get it at once. Aisles come as the
    store has them (`Store.walk`), then the others by name, numbers in them as numbers.
    """
    mine = sorted(orders, key=lambda order: (order.pickup.tote, order.pickup.starts, order.id))
    steps = [step for order in mine for step in _steps(order, articles)]
    known = {aisle: place for place, aisle in enumerate(store.walk)}

    def place(step: Step) -> tuple[object, ...]:
        after = known.get(step.aisle, len(known) if step.aisle else len(known) + 1)
        return (_COLDEST_LAST[step.temperature], after, _natural(step.aisle), step.sku, step.tote, step.order)

    return Walk(tuple(order.id for order in mine), tuple(sorted(steps, key=place)))


def _steps(order: Order, articles: Mapping[str, Article]) -> Iterable[Step]:
    for line in order.pickup.lines:
        least, most = line.to_pick
        if not least:
            continue
        bought = order.line(line.line)
        article = articles.get(bought.sku)
        yield Step(
            order.id, order.pickup.tote, line.line, bought.sku, bought.name, bought.unit, least, most,
            "" if article is None else article.aisle, bought.handling.temperature, bought.note,
        )  # fmt: skip


def _natural(aisle: str) -> tuple[tuple[int, int, str], ...]:
    """A2 before A10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in _PARTS.split(aisle) if part)


def matches(scanned: Scanned, order: Order, articles: Mapping[str, Article]) -> Sequence[str]:
    """The lines of the order that are of the article that was scanned, in the order's own order."""
    found: list[str] = []
    for line in order.every_line:
        article = articles.get(line.sku)
        if article is None:
            continue
        by_gtin = scanned.gtin and scanned.gtin in article.gtins
        by_scale = scanned.scale_item and scanned.scale_item == article.scale_item
        if by_gtin or by_scale:
            found.append(line.id)
    return found


def weight(scanned: Scanned, order: Order, line_id: str) -> int | None:
    """The grams that the label says, or that its price comes to at the line's own price (rounded to the nearest); None
    where it says neither, and for what is sold by the piece, which is one piece whatever it weighs."""
    line = order.line(line_id)
    if line.unit is Unit.PIECE:
        return None
    if scanned.price is None:
        return scanned.grams
    if not line.price.amount:
        return None
    return max(1, round(scanned.price * line.per / line.price.amount))
