"""Group commit: commands of one process that take from the same level or slot share a transaction.

Whoever takes a unit locks the level's row until the commit is on disk, and everybody else who wants one waits for
that. So of the commands of this process only some go for a row. Those who come meanwhile would wait for its lock; they
wait here instead, without one, and then all of them go in one transaction: their writes are summed, as those of one
command are, and one guarded statement asks for all of their units. There is no timer, and who comes alone goes at once.

They go when the row is free, or when they are as many as those who have it: they wait at the row then, with all that
they want to do there sent already, and the server needn't wait for us in between.

- A guard that refuses, refuses the group: nothing is done then, and each goes by itself, to its own answer. So who is
  refused was refused alone, and the last unit is sold.
- Only what takes is summed: what one customer gives back must not make up for what is lacking to another.
- Only commands that have done nothing but read can go with others; see `OwnLink.has_only_read`.
- While a level has nothing left for groups, each command asks for itself, as if there were none of this.

Processes don't share a group: their groups wait for each other at the row, and grow while they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from threading import Lock
from typing import Final, final

from attrs import fields_dict

from omniorder.adapters.sql import slots, stock
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import OwnLink
from omniorder.adapters.sql.plans import PLANS
from omniorder.adapters.sql.transaction import SqlTransaction, plan
from omniorder.errors import StorageFault, StorageUnavailable
from omniorder.ports.writes import Writes

Row = tuple[str, str, str]
"""A row that many want: what it is, its store, and its key there."""

_GUARDED: Final = {
    "customers", "carts", "handoffs", "promises", "orders", "reservations", "stock", "slots", "movements", "timers",
    "journal", "answers",
}  # fmt: skip
_OTHERS: Final = attrgetter(*(name for name in fields_dict(Writes) if name not in _GUARDED))
_EACH: Final = attrgetter(*fields_dict(Writes))
MOST_REFUSED: Final = 1_000
"""Rows that are remembered to have nothing left; when there are more, all are forgotten, which costs one try each."""


def taken(writes: Writes) -> tuple[Row, ...]:
    """The levels and slots from which these writes take, in the order in which they are locked.

    None of them for writes that also do something else there, or that nothing guards but the order in which they come.
    """
    if not (writes.stock or writes.slots) or any(_OTHERS(writes)):
        return ()
    rows: list[Row] = []
    for store, demands in stock.demands(writes.stock).items():
        if not all(demand.only_takes for demand in demands):
            return ()
        rows += [("level", store, demand.sku) for demand in demands]
    for change in slots.summed(writes.slots):
        if change.places < 0:
            return ()
        if change.places > 0:
            rows.append(("slot", change.store, change.slot))
    return tuple(rows)


def summed(all_of_them: Iterable[Writes]) -> Writes:
    """The writes of several commands as those of one."""
    columns = zip(*map(_EACH, all_of_them), strict=True)
    return Writes(*(tuple(one for part in column for one in part) for column in columns))


DEPTH: Final = 2
"""Groups that go for one row: one that has it, and one that is there when it becomes free."""


@final
class _Queue:
    """Who goes for a row, as sizes of groups, and who waits until they are done."""

    def __init__(self) -> None:
        self.going: Final[list[int]] = []
        self.waiting: Final[list[_Member]] = []

    @property
    def is_ready(self) -> bool:
        """Whether those who wait should go."""
        if not self.waiting or len(self.going) >= DEPTH:
            return False
        return not self.going or len(self.waiting) >= max(self.going)


@final
class _Member:
    """A command that waits for its turn."""

    def __init__(self, writes: Writes, rows: Sequence[Row]) -> None:
        self.writes: Final = writes
        self.rows: Final = rows
        self.group: Sequence[_Member] = ()
        """Those who go with it, itself first; none: it goes with somebody else, or not yet."""
        self.committed = False
        self.fault: StorageFault | None = None
        self._turn: Final = Lock()
        self._turn.acquire()

    def wait(self) -> None:
        """Until it is told how it went, or to go."""
        self._turn.acquire()

    def go(self) -> None:
        """Let it go on."""
        self._turn.release()


@final
class GroupCommit:
    """Lets the commands of one process commit, up to `most` at once."""

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self._lock: Final = Lock()
        self._queues: Final[dict[Row, _Queue]] = {}
        """Of the rows for which somebody goes."""
        self._refused: Final[set[Row]] = set()

    def finish(self, link: OwnLink, tx: SqlTransaction) -> None:
        """Carry out what is still to be written, and commit; as `OwnLink.finish`, with others where that helps."""
        rows = taken(tx.noted) if self._most > 1 and link.has_only_read else ()
        if not rows:
            link.finish(tx.rest())
        elif not self._refused.isdisjoint(rows):
            link.finish(tx.rest())
            self._refused.difference_update(rows)
        else:
            self._take_turns(link, tx, _Member(tx.noted, rows))

    def _take_turns(self, link: OwnLink, tx: SqlTransaction, member: _Member) -> None:
        try:
            if self._must_wait(member):
                member.wait()
            if len(member.group) > 1:
                self._lead(link, member)
            if member.fault is not None:
                raise type(member.fault)(**member.fault.facts)
            if not member.committed:
                link.finish(tx.rest())
        except BaseException:
            self._withdraw(member)
            raise
        self._disband(member, committed=False, fault=None)

    def _must_wait(self, member: _Member) -> bool:
        with self._lock:
            queues = [self._queues[row] for row in member.rows if row in self._queues]
            if not queues:
                self._begin([member])
                return False
            longest = max(queues, key=lambda queue: len(queue.going))
            longest.waiting.append(member)
            if longest.is_ready:
                self._let_go(longest)
            return True

    def _let_go(self, queue: _Queue) -> None:
        """Those who wait there go, as many as may go together."""
        group = queue.waiting[: self._most]
        del queue.waiting[: self._most]
        self._begin(group)
        group[0].go()

    def _begin(self, group: Sequence[_Member]) -> None:
        """Whoever wants a row of this group waits for it from now on."""
        group[0].group = group
        for row in _rows_of(group):
            self._queues.setdefault(row, _Queue()).going.append(len(group))

    def _lead(self, link: OwnLink, leader: _Member) -> None:
        """Commit for the whole group, and tell everybody how it went; where a guard refuses, each has to go alone."""
        fault: StorageFault | None = StorageUnavailable(reason="whoever committed this with others was interrupted")
        committed = False
        try:
            writes = summed(member.writes for member in leader.group)
            committed = link.finish_if_granted(plan(Batch(link), PLANS[link.dialect], writes).take())
            fault = None
        except StorageFault as problem:
            fault = problem
            raise
        finally:
            if not committed:
                self._refuse(row for member in leader.group for row in member.rows)
            leader.committed = committed
            self._disband(leader, committed=committed, fault=fault)

    def _disband(self, leader: _Member, *, committed: bool, fault: StorageFault | None) -> None:
        """The rows of this group are free: let the next ones go, and everybody in this one. Does so once."""
        group, leader.group = leader.group, ()
        if group:
            with self._lock:
                self._end(group)
        for member in group[1:]:
            member.committed, member.fault = committed, fault
            member.go()

    def _end(self, group: Sequence[_Member]) -> None:
        rows = _rows_of(group)
        for row in rows:
            self._queues[row].going.remove(len(group))
        for row in rows:
            queue = self._queues[row]
            while queue.is_ready:
                self._let_go(queue)
            if not queue.going:
                del self._queues[row]

    def _refuse(self, rows: Iterable[Row]) -> None:
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused.update(rows)

    def _withdraw(self, member: _Member) -> None:
        """It failed, or its thread was interrupted: nobody waits for it any more, nor it for anybody."""
        with self._lock:
            for row in member.rows:
                if (queue := self._queues.get(row)) is not None and member in queue.waiting:
                    queue.waiting.remove(member)
                    return
        self._disband(member, committed=False, fault=None)


def _rows_of(group: Iterable[_Member]) -> Iterable[Row]:
    return dict.fromkeys(row for member in group for row in member.rows)
