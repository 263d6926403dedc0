"""The library with a guard removed, to show that the tests beside it would notice.

Most functions take one guard away for the rest of a test. What is left is what a shop without it would do: read,
decide, and write without looking whether that is still so. The last ones watch, or hold somebody up at a bad moment.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Barrier, BrokenBarrierError, Event, Lock, local
from types import ModuleType
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import BigInteger, Text, and_, bindparam

from omniorder.adapters.sql import (
    accounts,
    bins,
    carts,
    codes,
    faults,
    group_commit,
    handoffs,
    journal,
    orders,
    promises,
    reservations,
    rows,
    slots,
    sqlite,
    stock,
    timers,
    transfers,
)
from omniorder.adapters.sql import link as linking
from omniorder.adapters.sql import postgres as postgresql
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Values
from omniorder.adapters.sql.schema import ACCOUNT, CART, CODE_TRIES, HANDOFF, ORDER, STOCK, TIMER, TRANSFER
from omniorder.adapters.sql.stock import Demand
from omniorder.domain import accounts as deciding
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.receipts import Receipt
from omniorder.domain.stock import Level
from omniorder.errors import OmniorderError, StorageFault
from omniorder.ports.writes import BalanceChange, BinChange, SlotChange, StockChange, Timer
from omniorder.services import handing_over
from omniorder.services.units import Unit
from tests.concurrency.threads import PATIENCE, T, at_once


def take_stock_unasked(patch: pytest.MonkeyPatch) -> None:
    """Reserve without asking in the same statement whether there is enough."""

    def change_stock(_: object, batch: Batch, store: str, demands: Sequence[Demand]) -> None:
        for demand in demands:
            at = (STOCK.c.store_id == store) & (STOCK.c.sku == demand.sku)
            more = {
                "on_hand": STOCK.c.on_hand + demand.on_hand,
                "reserved": STOCK.c.reserved + demand.reserved,
            }
            batch.judged(STOCK.update().where(at).values(more), {}, lambda *_: None)

    patch.setattr(sqlite.SqlitePlan, "change_stock", change_stock)
    patch.setattr(postgresql.PostgresPlan, "change_stock", change_stock)


def write_levels_as_they_were_read(patch: pytest.MonkeyPatch, several: int) -> None:
    """Reserve by writing what was read and one's own units; so many read before the first of them writes."""
    commit_one_by_one(patch)
    all_read = Barrier(several)

    def change_stock(_: object, batch: Batch, store: str, demands: Sequence[Demand]) -> None:
        for demand in demands:
            at = (STOCK.c.store_id == store) & (STOCK.c.sku == demand.sku)
            (read,) = batch._link.rows(STOCK.select().where(at))
            with suppress(BrokenBarrierError):
                all_read.wait(PATIENCE)
                all_read.abort()  # from now on nobody waits
            batch.change(STOCK.update().where(at).values(reserved=read.reserved + demand.reserved), {})

    patch.setattr(postgresql.PostgresPlan, "change_stock", change_stock)


def count_unasked(patch: pytest.MonkeyPatch) -> None:
    """Write down what a count found without asking in the same statement whether it still goes by the right number."""
    in_order = stock.demands

    def demands(changes: Iterable[StockChange]) -> dict[str, list[Demand]]:
        return in_order([evolve(change, if_on_hand=None) for change in changes])

    patch.setattr(stock, "demands", demands)


def spend_what_was_read(patch: pytest.MonkeyPatch, several: int) -> None:
    """Write what was read and one's own part; so many read what is on the account before the first of them writes."""
    all_read = Barrier(several)

    def change(batch: Batch, changes: Sequence[BalanceChange]) -> None:
        for one in changes:
            at = ACCOUNT.c.id == one.account
            (read,) = batch._link.rows(ACCOUNT.select().where(at))
            with suppress(BrokenBarrierError):
                all_read.wait(PATIENCE)
                all_read.abort()  # from now on nobody waits
            values = {"balance": read.balance + one.balance, "held": read.held + one.held}
            batch.change(ACCOUNT.update().where(at).values(values), {})

    patch.setattr(accounts, "change", change)


def hold_unasked(patch: pytest.MonkeyPatch) -> None:
    """Decide without looking at what there is: only the guard in the statement stands in the way."""
    patch.setattr(deciding, "_not_holdable", lambda *_: "")


def lock_in_any_order(patch: pytest.MonkeyPatch) -> None:
    """Of two baskets, the one takes its levels forwards, the other backwards, each when both hold their first.

    Two threads of one process would go together, and lock as one.
    """
    commit_one_by_one(patch)
    in_order, all_levels = stock.demands, postgresql.PostgresPlan.change_stock
    turns, lock = iter([True]), Lock()
    both_hold_one = Barrier(2)

    def demands(changes: Iterable[StockChange]) -> dict[str, list[Demand]]:
        found = in_order(changes)
        with lock:
            backwards = any(len(rows) > 1 for rows in found.values()) and next(turns, False)
        return {store: rows[::-1] if backwards else rows for store, rows in found.items()}

    def change_stock(plan: postgresql.PostgresPlan, batch: Batch, store: str, demands: Sequence[Demand]) -> None:
        for demand in demands:
            all_levels(plan, batch, store, [demand])
            if len(demands) > 1:
                batch.send()
                with suppress(BrokenBarrierError):
                    both_hold_one.wait(PATIENCE)
                    both_hold_one.abort()  # from now on nobody waits

    patch.setattr(stock, "demands", demands)
    patch.setattr(postgresql.PostgresPlan, "change_stock", change_stock)


def commit_one_by_one(patch: pytest.MonkeyPatch) -> None:
    """Let nobody share a transaction, as commands of several processes don't."""
    patch.setattr(group_commit, "taken", lambda _: ())


def take_places_unasked(patch: pytest.MonkeyPatch) -> None:
    """Book without asking in the same statement whether the slot is full."""
    change = slots.change

    def unasked(batch: Batch, changes: Sequence[SlotChange]) -> None:
        change(batch, [evolve(one, capacity=1_000_000, line_capacity=None) for one in changes])

    patch.setattr(slots, "change", unasked)


def lay_into_bins_unasked(patch: pytest.MonkeyPatch) -> None:
    """Lay orders into bins without asking in the same statement whether there is room."""
    change = bins.change

    def unasked(batch: Batch, changes: Sequence[BinChange]) -> None:
        change(batch, [evolve(one, holds=1_000_000) for one in changes])

    patch.setattr(bins, "change", unasked)


def decide_on_old_news(patch: pytest.MonkeyPatch) -> None:
    """Everybody decides on what was stored when the first one looked, and writes without comparing versions.

    They write whole rows, as somebody does who doesn't know what changed. What somebody has written they do see, so
    each goes on as if alone. The journal, whose numbers are a guard of their own, is not written.
    """

    def everything(_: Values, after: Values, fixed: Container[str] = ()) -> Values:
        return {name: value for name, value in after.items() if name not in fixed}

    for writer in (carts, promises, orders, rows, transfers):
        patch.setattr(writer, "changes", everything)
    for module in (carts, handoffs, promises, orders, reservations, transfers):
        _remember(patch, module)
    complain_of_nothing(patch)


def complain_of_nothing(patch: pytest.MonkeyPatch) -> None:
    """Go on when nothing was written because a row is not as it was read. The journal is not written, so receipts say
    nothing but that there was a hand-over."""

    def unguarded(batch: Batch, statement: Any, params: Any, kind: str, id: str) -> None:
        batch.change(statement, params)

    patch.setattr(Batch, "guarded", unguarded)
    patch.setattr(journal, "append", lambda *_: None)
    patch.setattr(handing_over, "receipts", lambda _, order: (_without_journal(order),))


def _without_journal(order: Order) -> Receipt:
    none = Money(0, order.total.currency)
    return Receipt(order, (), none, (), order.placed_at, "", f"{order.id}-1", order.store, "", (), none, (), ())


def write_over_carts(patch: pytest.MonkeyPatch) -> None:
    """Write a cart whatever version it is at by now, where the above only doesn't complain."""
    any_version = bindparam("at_version", type_=BigInteger()) >= 0
    patch.setattr(carts, "_UPDATE", CART.update().where(CART.c.id == bindparam("at_id"), any_version))


def write_over_orders(patch: pytest.MonkeyPatch) -> None:
    """Write an order whatever version it is at by now, where the above only doesn't complain."""
    any_version = bindparam("at_version", type_=BigInteger()) >= 0
    at_id = and_(ORDER.c.store_id == bindparam("at_store_id"), ORDER.c.id == bindparam("at_id"))
    patch.setattr(orders, "_UPDATE", ORDER.update().where(at_id, any_version))


def write_over_transfers(patch: pytest.MonkeyPatch) -> None:
    """Write a transfer whatever version it is at by now, where the above only doesn't complain."""
    any_version = bindparam("at_version", type_=BigInteger()) >= 0
    at_id = and_(TRANSFER.c.store_id == bindparam("at_store_id"), TRANSFER.c.id == bindparam("at_id"))
    patch.setattr(transfers, "_UPDATE", TRANSFER.update().where(at_id, any_version))


def write_over_handoffs(patch: pytest.MonkeyPatch) -> None:
    """Write a handoff whatever state it is in by now, where the above only doesn't complain."""
    any_state = bindparam("at_state", type_=Text()) != ""
    patch.setattr(handoffs, "_UPDATE", HANDOFF.update().where(HANDOFF.c.id == bindparam("at_id"), any_state))


def _remember(patch: pytest.MonkeyPatch, module: ModuleType) -> None:
    load, write = module.load, module.write
    first: dict[str, Any] = {}
    mine, lock = local(), Lock()

    def remembered(link: Link, id: str) -> Any:
        if id in vars(mine).setdefault("written", set()):
            return load(link, id)
        with lock:
            if id not in first:
                first[id] = load(link, id)
            return first[id]

    def noted(batch: Batch, change: Any) -> None:
        vars(mine).setdefault("written", set()).add(change.after.id)
        write(batch, change)

    patch.setattr(module, "load", remembered)
    patch.setattr(module, "write", noted)


def count_tries_by_reading_them(patch: pytest.MonkeyPatch, many: int) -> None:
    """Look how many were counted, then count one more: `many` who look at the same moment see the same."""
    count, all_looked = codes.count_try, Barrier(many)

    def count_try(link: Link, subject: str, generation: int, most: int) -> int | None:
        rows = link.rows(CODE_TRIES.select().where(CODE_TRIES.c.order_id == subject))
        all_looked.wait(PATIENCE)
        return None if rows and rows[0].tries >= most else count(link, subject, generation, 10**6)

    patch.setattr(codes, "count_try", count_try)


def share_timers(patch: pytest.MonkeyPatch, workers: int) -> None:
    """Give what is due to every worker that asks, whoever has it already; they all ask at the same moment."""
    stores_due, all_asked = timers.stores_due, Barrier(workers)
    due: dict[str, tuple[Timer, ...]] = {}
    mine, lock = local(), Lock()

    def asked(link: Link, at: datetime, limit: int) -> tuple[str, ...]:
        found = stores_due(link, at, limit)
        if not vars(mine):
            mine.stores = set()
            all_asked.wait(PATIENCE)
        return found

    def claim(link: Link, store: str, at: datetime, **_: object) -> tuple[Timer, ...]:
        with lock:
            if store not in due:
                rows = link.rows(TIMER.select().where((TIMER.c.store_id == store) & (TIMER.c.due_at <= at)))
                due[store] = tuple(Timer(row.store_id, row.subject, row.due_at) for row in rows)
        if store in mine.stores:
            return ()
        mine.stores.add(store)
        return due[store]

    patch.setattr(timers, "stores_due", asked)
    patch.setattr(timers, "claim", claim)


def deadlocks(patch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows with every deadlock that the database reports from now on; transactions are repeated then."""
    found: list[str] = []
    told = faults.fault

    def telling(error: Exception, kind: str = "row", id: str = "") -> StorageFault:
        fault = told(error, kind, id)
        if "deadlock" in str(fault):
            found.append(str(fault))
        return fault

    patch.setattr(linking, "fault", telling)
    return found


def when_timers_are_claimed(patch: pytest.MonkeyPatch) -> Event:
    """Set as soon as a worker has claimed something: from then on it believes that it is alone."""
    claim, claimed = timers.claim, Event()

    def telling(*args: Any, **rest: Any) -> tuple[Timer, ...]:
        found = claim(*args, **rest)
        if found:
            claimed.set()
        return found

    patch.setattr(timers, "claim", telling)
    return claimed


def between_reading_levels_and_writing(patch: pytest.MonkeyPatch, other: Callable[[], object]) -> list[object]:
    """Once, somebody else is done between a command's look at levels and its end; a list that then has their result."""
    levels, done = stock.levels, list[object]()
    turns = iter([True])

    def read(link: Link, skus: Sequence[str], stores: Sequence[str] | None) -> tuple[Level, ...]:
        found = levels(link, skus, stores)
        if next(turns, False):
            done.extend(at_once([other]))
        return found

    patch.setattr(stock, "levels", read)
    return done


def claim_uncounted(patch: pytest.MonkeyPatch) -> None:
    """Claim without counting the customer's own stream on; what is told there is not told either."""
    patch.setattr(Unit, "save_customer", lambda *_: None)


def look_before_anybody_writes(patch: pytest.MonkeyPatch, reading: str, several: int) -> None:
    """So many that read carts with this function of the adapter's go on when all of them have; the rest at once."""
    read, all_looked = getattr(carts, reading), Barrier(several)

    def slowly(*args: Any) -> Any:
        found = read(*args)
        with suppress(BrokenBarrierError):
            all_looked.wait(PATIENCE)
            all_looked.abort()  # from now on nobody waits
        return found

    patch.setattr(carts, reading, slowly)


def between_reading_a_cart_and_writing(
    patch: pytest.MonkeyPatch, cart_id: str, other: Callable[[], object]
) -> list[object]:
    """Once, somebody else is done after a command read this cart; a list that then has their result."""
    load, done = carts.load, list[object]()
    turns = iter([True])

    def slowly(link: Link, id: str) -> Any:
        found = load(link, id)
        if id == cart_id and next(turns, False):
            done.extend(at_once([other]))
        return found

    patch.setattr(carts, "load", slowly)
    return done


def after_the_first_list(
    patch: pytest.MonkeyPatch, other: Callable[[], object], work: Callable[[], object]
) -> list[object]:
    """Do `work`; once it has read the first list of somebody's carts or orders, somebody else is done with `other`."""
    done, turns = list[object](), iter([True])

    def wrapped(read: Callable[..., Any]) -> Callable[..., Any]:
        def slowly(*args: Any) -> Any:
            found = read(*args)
            if next(turns, False):
                done.extend(at_once([other]))
            return found

        return slowly

    patch.setattr(carts, "load_all", wrapped(carts.load_all))
    patch.setattr(orders, "of_owner", wrapped(orders.of_owner))
    work()
    return done


def after_looking_for_the_open_cart(
    patch: pytest.MonkeyPatch, other: Callable[[], T], work: Callable[[], object]
) -> list[T | OmniorderError]:
    """Do `work`; once it has looked for somebody's open cart, somebody else is done with `other`."""
    load, done, turns = carts.load_open, list[T | OmniorderError](), iter([True])

    def slowly(*args: Any) -> Any:
        found = load(*args)
        if next(turns, False):
            done.extend(at_once([other]))
        return found

    patch.setattr(carts, "load_open", slowly)
    work()
    return done
