"""The journal: every event, in order, and who still has to be told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, delete, func, insert, select, tuple_

from omniorder import wire
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, Key, Whole
from omniorder.adapters.sql.link import Link, Outcome, PerDialect
from omniorder.adapters.sql.schema import CONSUMER, DELIVERY, EVENT
from omniorder.domain.channels import Channel
from omniorder.domain.events import Event, Recorded, Stamp
from omniorder.errors import StaleWrite
from omniorder.ports.writes import JournalEntry

if TYPE_CHECKING:
    from omniorder.adapters.sql.plans import Plan

_STREAM: Final = (
    select(EVENT)
    .where(
        EVENT.c.home == bindparam("home"),
        EVENT.c.stream == bindparam("stream"),
        EVENT.c.seq > bindparam("after"),
    )
    .order_by(EVENT.c.seq)
    .limit(bindparam("most"))
)
_OF_STORE: Final = (
    select(EVENT)
    .where(
        EVENT.c.home == bindparam("home"),
        EVENT.c.at >= bindparam("start"),
        EVENT.c.at < bindparam("end"),
        tuple_(EVENT.c.at, EVENT.c.stream, EVENT.c.seq)
        > tuple_(
            bindparam("after_at", type_=Instant()),
            bindparam("after_stream", type_=Key()),
            bindparam("after_seq", type_=Whole()),
        ),
    )
    .order_by(EVENT.c.at, EVENT.c.stream, EVENT.c.seq)
    .limit(bindparam("most"))
)
_SAME_EVENT: Final = and_(
    EVENT.c.home == DELIVERY.c.home, EVENT.c.stream == DELIVERY.c.stream, EVENT.c.seq == DELIVERY.c.seq
)
_UNDELIVERED: Final = (
    select(EVENT)
    .join_from(DELIVERY, EVENT, _SAME_EVENT)
    .where(DELIVERY.c.consumer == bindparam("consumer"))
    .order_by(DELIVERY.c.position, DELIVERY.c.home, DELIVERY.c.stream, DELIVERY.c.seq)
    .limit(bindparam("most"))
)
_ACKNOWLEDGE: Final = delete(DELIVERY).where(
    and_(
        DELIVERY.c.consumer == bindparam("at_consumer"),
        DELIVERY.c.home == bindparam("at_home"),
        DELIVERY.c.stream == bindparam("at_stream"),
        DELIVERY.c.seq == bindparam("at_seq"),
    )
)
_KNOWN: Final = select(CONSUMER.c.name).where(CONSUMER.c.name == bindparam("name"))
_SUBSCRIBE: Final = insert(CONSUMER)
# Hosts' clocks differ, so the instants within a stream may step back where its numbers don't: an event counts
# as no older than its predecessors.
_AGED: Final = select(
    EVENT.c.home,
    EVENT.c.stream,
    EVENT.c.seq,
    func.max(EVENT.c.at).over(partition_by=[EVENT.c.home, EVENT.c.stream], order_by=EVENT.c.seq).label("age"),
).subquery("aged")
_BY_AGE: Final = (_AGED.c.age, _AGED.c.home, _AGED.c.stream, _AGED.c.seq)
_TO: Final = bindparam("to", type_=Key())
# PostgreSQL numbers deliveries as they come, so that two writers at once need not wait for one another
_DELIVER_ALL: Final = PerDialect(
    insert(DELIVERY).from_select(
        ["consumer", "home", "stream", "seq"],
        select(_TO, _AGED.c.home, _AGED.c.stream, _AGED.c.seq).order_by(*_BY_AGE),
    ),
    insert(DELIVERY).from_select(
        ["consumer", "home", "stream", "seq", "position"],
        select(_TO, _AGED.c.home, _AGED.c.stream, _AGED.c.seq, func.row_number().over(order_by=_BY_AGE)),
    ),
)


def append(batch: Batch, plan: Plan, entries: Sequence[JournalEntry]) -> None:
    """Append events and note them for their consumers; raises `StaleWrite` for a number that isn't next."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in entries:
        run = rows.setdefault((entry.home, entry.stream), [])
        if run and entry.first_seq != run[-1]["seq"] + 1:
            raise StaleWrite(kind="journal", id=entry.stream)
        first = run[0]["seq"] if run else entry.first_seq
        run += [_values(entry, first, seq, event) for seq, event in enumerate(entry.events, entry.first_seq)]
    new = [row for run in rows.values() for row in run]
    if not new:
        return
    streams = ", ".join(stream for _, stream in rows)

    def judge(outcome: Outcome, _: Link) -> None:
        if outcome.changed != len(new):
            raise StaleWrite(kind="journal", id=streams)

    statement, params = plan.append(new)
    batch.judged(statement, params, judge, "journal", streams, clash=StaleWrite, due=len(new))
    plan.deliver(batch, new)


def _values(entry: JournalEntry, first: int, seq: int, event: Event) -> dict[str, Any]:
    """A row. `first` is the number with which its stream goes on in this transaction: that one looks back."""
    return {
        "home": entry.home,
        "stream": entry.stream,
        "seq": seq,
        "first": first,
        "name": type(event).__name__,
        "at": entry.stamp.at,
        "channel": entry.stamp.channel.value,
        "actor": entry.stamp.actor,
        "via": entry.stamp.via,
        "payload": wire.pack(event),
    }


def stream(link: Link, home: str, stream: str, after: int, limit: int) -> tuple[Recorded, ...]:
    """Events of one stream with a higher number than `after`, in order."""
    params = {"home": home, "stream": stream, "after": after, "most": limit}
    return tuple(map(recorded_from, link.rows(_STREAM, params)))


def of_store(
    link: Link, home: str, start: datetime, end: datetime, after: tuple[datetime, str, int] | None, limit: int
) -> tuple[Recorded, ...]:
    """Events of all streams of this home within [start, end), by instant, stream and number."""
    at, stream, seq = after or (start, "", 0)
    params = {"home": home, "start": start, "end": end, "most": limit}
    params |= {"after_at": at, "after_stream": stream, "after_seq": seq}
    return tuple(map(recorded_from, link.rows(_OF_STORE, params)))


def recorded_from(row: Any) -> Recorded:
    """The event of a row."""
    stamp = Stamp(row.at, Channel(row.channel), row.actor, row.via)
    return Recorded(row.home, row.stream, row.seq, stamp, wire.unpack(row.name, row.payload))


# --- consumers --------------------------------------------------------------------------------------------


def subscribe(link: Link, plan: Plan, consumer: str, *, from_start: bool) -> None:
    """Deliver every event that commits from now on, and with `from_start` all earlier ones.

    Events are noted for consumers in a statement of its own after they were appended. So whoever appends after
    us sees the consumer, and we see what those appended who were before us: nobody is between.
    """
    if link.rows(_KNOWN, {"name": consumer}):
        return
    plan.hold_journal(link)
    if link.rows(_KNOWN, {"name": consumer}):
        return
    link.change(_SUBSCRIBE, {"name": consumer})
    if from_start:
        link.change(_DELIVER_ALL, {"to": consumer})


def undelivered(link: Link, consumer: str, limit: int) -> tuple[Recorded, ...]:
    """Events that this consumer has not acknowledged, the oldest first."""
    return tuple(map(recorded_from, link.rows(_UNDELIVERED, {"consumer": consumer, "most": limit})))


def acknowledge(link: Link, consumer: str, events: Iterable[Recorded]) -> None:
    """Deliver these events to this consumer no more."""
    rows = [
        {"at_consumer": consumer, "at_home": one.home, "at_stream": one.stream, "at_seq": one.seq} for one in events
    ]
    link.change(_ACKNOWLEDGE, rows)
