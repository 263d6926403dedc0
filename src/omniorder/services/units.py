"""One command's transaction: load, decide, write, and run again when somebody else was faster.

The unit of retry is the transaction, not the command: ids, instants and provider keys are drawn before it, so a
repetition decides the same again on fresh data. Nothing outside is called in here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar, cast

from omniorder.domain import coupling, transfers
from omniorder.domain.accounts import Posting
from omniorder.domain.carts import Cart
from omniorder.domain.events import Event, Recorded, Stamp
from omniorder.domain.handoffs import Handoff
from omniorder.domain.lifecycle import PromiseState
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Movement
from omniorder.domain.text import key as valid_key
from omniorder.domain.transfers import Transfer
from omniorder.errors import (
    AlreadyThere,
    CartChanged,
    IllegalTransition,
    KeyReused,
    OmniorderError,
    OutOfStock,
    ReservationGone,
    StaleWrite,
    StorageFault,
    StorageUnavailable,
)
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import (
    Answer,
    CartWrite,
    CustomerWrite,
    HandoffWrite,
    JournalEntry,
    OrderWrite,
    PromiseWrite,
    TimerWrite,
    TransferWrite,
    Writes,
)
from omniorder.services.looking import look_in
from omniorder.services.parts import Parts

T = TypeVar("T")

DOUBTFUL: Final = (IllegalTransition, ReservationGone, CartChanged)
"""Refusals that may come from two reads of one transaction between which somebody else committed."""


class Unit:
    """One transaction of one command: reads through `tx`, and writes aggregates with their events."""

    def __init__(self, parts: Parts, tx: Transaction, stamp: Stamp) -> None:
        self.parts = parts
        self.tx = tx
        self.stamp = stamp
        self.goods_left = False
        """Units that are in the customer's hands are written off: no count of the shelf can refuse that."""
        self.room: Mapping[str, int] = {}
        """How many orders each bin holds that the store has declared, where goods are laid somewhere."""
        self.moved: Movement | Posting | None = None
        """What came to a shelf or an account or went from it, by a command of which no event tells."""
        self._entries: list[JournalEntry] = []

    def save_cart(self, before: Cart | None, after: Cart, events: Sequence[Event]) -> None:
        """The cart, and its events in its own stream."""
        seq = before.version + 1 if before else 1
        entry = JournalEntry(after.id, after.id, seq, self.stamp, tuple(events))
        self._write(Writes(carts=(CartWrite(before, after),), journal=(entry,)), entry)

    def save_customer(self, owner: str, before: int, events: Sequence[Event]) -> None:
        """What was told of the customer as a whole, in their own stream; nobody else does so at the same time."""
        entry = JournalEntry(owner, owner, before + 1, self.stamp, tuple(events))
        counted = CustomerWrite(owner, before, before + len(events))
        self._write(Writes(customers=(counted,), journal=(entry,)), entry)

    def save_handoff(self, before: Handoff | None, after: Handoff) -> None:
        """The handoff; its events are told in the cart's stream."""
        self.tx.write(Writes(handoffs=(HandoffWrite(before, after),)))

    def save_promise(self, before: Promise | None, after: Promise) -> None:
        """The promise and its timer; its events are told in the cart's stream."""
        due = after.expires_at if after.state is PromiseState.HELD else None
        timer = TimerWrite(after.store, after.id, due)
        self.tx.write(Writes(promises=(PromiseWrite(before, after),), timers=(timer,)))

    def save_transfer(self, before: Transfer | None, after: Transfer, events: Sequence[Event]) -> None:
        """The transfer with its timer, if it has one, and its events in its own stream at the store that sends."""
        seq = before.version + 1 if before else 1
        entry = JournalEntry(after.source, after.id, seq, self.stamp, tuple(events))
        patience = self.parts.settings.transfer_waits
        due = transfers.due(after, patience)
        was = transfers.due(before, patience) if before else None
        timers = (TimerWrite(after.source, after.id, due),) if was != due else ()
        self._write(Writes(transfers=(TransferWrite(before, after),), timers=timers, journal=(entry,)), entry)

    def save_order(self, before: Order | None, after: Order, events: Sequence[Event]) -> None:
        """The order with all that belongs to it, its one timer, and its events in its stream at the home store."""
        seq = before.version + 1 if before else 1
        entry = JournalEntry(after.store, after.id, seq, self.stamp, tuple(events))
        terms = self.parts.terms
        due = coupling.due(after, terms)
        timers = (TimerWrite(after.store, after.id, due),) if not before or coupling.due(before, terms) != due else ()
        self._write(Writes(orders=(OrderWrite(before, after),), timers=timers, journal=(entry,)), entry)

    def _write(self, writes: Writes, entry: JournalEntry) -> None:
        self._entries.append(entry)
        self.tx.write(writes)

    def earlier(
        self, key: str | None, command: str, *, home: str, subject: str, request: object, result: str
    ) -> str | None:
        """The id that this very command answered before under `key`; None (and noted) the first time.

        Ask before the aggregate is read: whoever finds an answer must find its effect as well.
        Raises `InvalidKey`, and `KeyReused` when the key came with another request.
        """
        if key is None:
            return None
        scope = f"{self.stamp.actor}|{command}|{subject}"
        digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=_plain).encode()).hexdigest()
        answer = self.tx.answer(home, scope, valid_key(key))
        if answer is None:
            noted = Answer(home, scope, key, digest, result, self.stamp.at)
            self.tx.write(Writes(answers=(noted,)))
            return None
        if answer.request != digest:
            raise KeyReused(command=command, key=key)
        return answer.result

    def is_on_record(self) -> bool:
        """Whether the journal has what this unit wrote: the way to know when the news of a commit was lost."""
        if not self._entries:
            return self.moved is not None and self._is_moved(self.moved)
        first = self._entries[0]
        start, count = first.first_seq - 1, len(first.events)
        found = reading(self.parts, lambda tx: tx.journal(first.home, first.stream, after=start, limit=count))
        written = [(self.stamp, type(event).__name__) for event in first.events]
        return [(one.stamp, one.name) for one in found] == written

    def _is_moved(self, move: Movement | Posting) -> bool:
        after, siblings = move.id[:-1], 32  # ids that differ in the last character only

        def look(tx: Transaction) -> Sequence[Movement | Posting]:
            if isinstance(move, Posting):
                return tx.postings(move.account, after=after, limit=siblings)
            return tx.movements(move.store, move.sku, after=after, limit=siblings)

        return move in reading(self.parts, look)

    def run_handlers(self) -> None:
        """Call the hub's handlers for what was recorded, inside the transaction, after everything is written."""
        if not self.parts.handlers or not self._entries:
            return
        self.tx.flush()
        for entry in self._entries:
            for offset, event in enumerate(entry.events):
                recorded = Recorded(entry.home, entry.stream, entry.first_seq + offset, entry.stamp, event)
                for kind, handlers in self.parts.handlers.items():
                    if isinstance(event, kind):
                        for handler in handlers:
                            handler(recorded, self.tx)


class Seen(Generic[T]):
    """An aggregate as it was read just before a transaction: good for deciding on its first try, since its version
    guards the write. When that has moved on, the next try finds nothing here and reads anew."""

    def __init__(self, aggregate: T) -> None:
        self._aggregate: T | None = aggregate

    def once(self) -> T | None:
        """The aggregate, the first time; None from then on."""
        aggregate, self._aggregate = self._aggregate, None
        return aggregate


def _plain(value: object) -> object:
    """What a request is made of, for its hash: private fields too, since only the hash is kept."""
    fields = getattr(type(value), "__attrs_attrs__", None)
    if fields is not None:
        return [type(value).__name__, *(getattr(value, one.name) for one in fields)]
    return dict(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else repr(value)


def in_transaction(parts: Parts, stamp: Stamp, work: Callable[[Unit], T]) -> T:
    """Run `work` in a transaction; again, with growing random pauses, while repeating can help.

    A transaction that reads two aggregates may see them at two instants. What it writes is guarded by their versions;
    what it refuses is not, so a refusal that follows from comparing them is believed when a second look confirms it.
    Inside a caller's transaction (`hub.joined`) nothing is repeated.
    """
    try:
        return _until_through(parts, stamp, work)
    except DOUBTFUL:
        if parts.storage.is_joined:
            raise
        return _until_through(parts, stamp, work)


def _until_through(parts: Parts, stamp: Stamp, work: Callable[[Unit], T]) -> T:
    """Run `work` until no conflict with another transaction stands in its way."""

    in_doubt: list[tuple[Unit, T]] = []  # what was decided and written when the database fell silent

    def once() -> T:
        while in_doubt:
            before, decided = in_doubt[-1]
            if before.is_on_record():
                return decided  # it was committed, only the news of it was lost
            in_doubt.pop()
        goods_left = False
        finished: list[tuple[Unit, T]] = []
        try:
            with parts.storage.transaction() as tx:
                unit = Unit(parts, tx, stamp)
                result = work(unit)
                goods_left = unit.goods_left
                unit.run_handlers()
                finished.append((unit, result))
            return result
        except StorageUnavailable:
            in_doubt.extend(finished)
            raise
        except OutOfStock as short:
            if not goods_left:
                raise
            raise StaleWrite(kind="level", id=short.facts["store"]) from short  # it was counted since it was read

    try:
        return once()
    except OmniorderError as error:
        if parts.storage.is_joined or not repeatable(error):
            raise
    import tenacity  # only a conflict needs it

    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception(repeatable),
        wait=tenacity.wait_random_exponential(multiplier=0.005, max=0.25),
        stop=tenacity.stop_after_delay(parts.settings.retry_for.total_seconds()),
        reraise=True,
    )
    return again(once)


def repeatable(error: BaseException) -> bool:
    """Whether the same transaction may succeed when it is run again on fresh data."""
    if isinstance(error, AlreadyThere):  # a twin of this command was faster: what it wrote will be found
        return error.facts["kind"] in ("answer", "hold", "account")
    return isinstance(error, StorageFault) and error.retry


def reading(parts: Parts, look: Callable[[Transaction], T]) -> T:
    """Run `look` in a transaction that only reads; once more when the connection turned out to be lost."""
    return look_in(parts.storage, look)
