"""Pick-ups: rows of the store that does the work, guarded by the version of their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, update

from omniorder import wire
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import exactly, maybe_moment, moment, share
from omniorder.adapters.sql.documents import by_position
from omniorder.adapters.sql.orderlines import PROXY, VEHICLE
from omniorder.adapters.sql.rows import Rows, Values
from omniorder.adapters.sql.schema import PICKUP, PICKUP_LINE
from omniorder.domain.arrivals import Arrival, Proxy
from omniorder.domain.events import Units
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.orders import Order
from omniorder.domain.pickups import Pickup, PickupLine
from omniorder.domain.proposals import Proposal
from omniorder.domain.questions import Question
from omniorder.domain.store_services import Service
from omniorder.domain.transfers import Awaited

_LEAVE: Final = update(PICKUP).where(
    and_(PICKUP.c.store_id == bindparam("at_store_id"), PICKUP.c.id == bindparam("at_id"))
)
_PICKUPS: Final = Rows(PICKUP, fixed=("home", "order_id"))
_LINES: Final = Rows(PICKUP_LINE, fixed=("position",))


def write(batch: Batch, before: Order | None, order: Order) -> None:
    """Write what changed in the order's pick-up; one that follows another leaves the other's rows, as rerouted."""
    pickup, was = order.pickup, None if before is None else before.pickup
    if was == pickup:
        return
    if was is not None and (was.store, was.id) != (pickup.store, pickup.id):
        batch.change(_LEAVE, {"at_store_id": was.store, "at_id": was.id, "state": PickupState.REROUTED.value})
        was = None
    earlier = [] if was is None else [_row(order, was)]
    _PICKUPS.sync(batch, earlier, [_row(order, pickup)], "pickup", pickup.id)
    if was is None or was.lines != pickup.lines:
        _LINES.sync(batch, [] if was is None else _line_rows(was), _line_rows(pickup), "pickup", pickup.id)


def _row(order: Order, pickup: Pickup) -> Values:
    return {
        "store_id": pickup.store,
        "id": pickup.id,
        "home": order.store,
        "order_id": order.id,
        "state": pickup.state.value,
        "slot": pickup.slot,
        "starts_at": pickup.starts,
        "ends_at": pickup.ends,
        "zone": pickup.zone,
        "collect": pickup.collect.value,
        "proxy": pickup.proxy.id if pickup.proxy else "",
        "expected_at": pickup.arrival and pickup.arrival.expected_at,
        "arrived_at": pickup.arrival and pickup.arrival.arrived_at,
        "bay": pickup.arrival.bay if pickup.arrival else "",
        "attended_by": pickup.arrival.attended_by if pickup.arrival else "",
        "staged_at": pickup.staged_at,
        "ready_at": pickup.ready_at,
        "until": pickup.until,
        "generation": pickup.generation,
        "key_id": pickup.key_id,
        "claim": [[part.line, part.quantity] for part in pickup.claim],
        "look_at": pickup.look_at,
        "awaited": wire.dump(pickup.awaited),
        "holds": list(pickup.holds),
        "question": None if pickup.question is None else wire.dump(pickup.question),
        "trouble": pickup.trouble,
        "pickers": list(pickup.pickers),
        "wave": pickup.wave,
        "tote": pickup.tote,
        "bins": list(pickup.bins),
        "reminders": wire.dump(pickup.reminders),
        "reminded": pickup.reminded,
        "extended": int(pickup.extended),
        "spoils_at": pickup.spoils_at,
        "proposals": wire.dump(pickup.proposals),
        "left_offline": [[part.line, part.quantity] for part in pickup.left],
    }


def _line_rows(pickup: Pickup) -> list[Values]:
    return [
        {
            "store_id": pickup.store,
            "pickup_id": pickup.id,
            "line_id": line.line,
            "position": place,
            "quantity": line.quantity,
            "picked": line.picked,
            "collected": line.collected,
            "dropped": line.dropped,
            "short": line.short,
            "tolerance": share(line.tolerance),
            "replaced": line.replaced,
            "instead_of": line.instead_of,
            "returned": line.returned,
            "collected_at": line.collected_at,
            "ordered": None if line.ordered == line.quantity else line.ordered,
        }
        for place, line in enumerate(pickup.lines)
    ]


def pickup_from(found: dict[str, Any], notes: Mapping[str, str]) -> Pickup:
    """The pick-up of an order's document, with what its customer wrote."""
    proposals = tuple(wire.load(Proposal, one) for one in found["proposals"])
    proposed = Counter[str]()
    for proposal in proposals:
        proposed[proposal.line] += proposal.quantity
    return Pickup(
        id=found["id"],
        store=found["store_id"],
        state=PickupState(found["state"]),
        slot=found["slot"],
        starts=moment(found["starts_at"]),
        ends=moment(found["ends_at"]),
        lines=tuple(
            PickupLine(
                line=line["line_id"],
                quantity=line["quantity"],
                picked=line["picked"],
                collected=line["collected"],
                dropped=line["dropped"],
                short=line["short"],
                tolerance=exactly(line["tolerance"]),
                ordered=line["ordered"] or line["quantity"],
                replaced=line["replaced"],
                instead_of=line["instead_of"],
                returned=line["returned"],
                collected_at=maybe_moment(line["collected_at"]),
                proposed=proposed[line["line_id"]],
            )
            for line in by_position(found["lines"])
        ),
        staged_at=found["staged_at"],
        ready_at=maybe_moment(found["ready_at"]),
        until=maybe_moment(found["until"]),
        generation=found["generation"],
        key_id=found["key_id"],
        claim=tuple(Units(line, quantity) for line, quantity in found["claim"]),
        look_at=maybe_moment(found["look_at"]),
        zone=found["zone"],
        awaited=tuple(wire.load(Awaited, one) for one in found["awaited"]),
        holds=tuple(found["holds"]),
        question=None if found["question"] is None else wire.load(Question, found["question"]),
        trouble=found["trouble"],
        collect=Service(found["collect"]),
        pickers=tuple(found["pickers"]),
        wave=found["wave"],
        tote=found["tote"],
        bins=tuple(found["bins"]),
        reminders=tuple(wire.load(datetime, one) for one in found["reminders"]),
        reminded=found["reminded"],
        extended=bool(found["extended"]),
        spoils_at=maybe_moment(found["spoils_at"]),
        proposals=proposals,
        left=tuple(Units(line, quantity) for line, quantity in found["left_offline"]),
        proxy=Proxy(found["proxy"], notes.get(PROXY, "")) if found["proxy"] else None,
        arrival=_arrival_from(found, notes),
    )


def _arrival_from(found: dict[str, Any], notes: Mapping[str, str]) -> Arrival | None:
    expected_at, arrived_at = maybe_moment(found["expected_at"]), maybe_moment(found["arrived_at"])
    if expected_at is None and arrived_at is None:
        return None
    return Arrival(expected_at, arrived_at, found["bay"], notes.get(VEHICLE, ""), found["attended_by"])
