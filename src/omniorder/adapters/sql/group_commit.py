"""Group commit: commands of one process that take from the same level or slot share a transaction.

Whoever takes a unit locks the level's row until the commit is on disk, and everybody else who wants one waits for
that. So of the commands of this process one at a time goes for a row. Those who come meanwhile would wait for its
lock; they wait here instead, without one, and when the row is free all of them go in one transaction: their writes are
summed, as those of one command are, and one guarded statement asks for all of their units. There is no timer, and who
comes alone goes at once.

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
from omniorder.ports.storage import Writes

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

    None for writes that also do something else there, or that nothing guards but the order in which they come.
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


@final
class _Member:
    """A command that waits for its turn."""

    def __init__(self, writes: Writes, rows: Sequence[Row]) -> None:
        self.writes: Final = writes
        self.rows: Final = rows
        self.group: Sequence[_Member] = ()
        """Those for whom it commits, itself first; none: somebody else commits for it, or nobody."""
        self.held: Sequence[Row] = ()
        """The rows for which others wait until it is done."""
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
        self._waiting: Final[dict[Row, list[_Member]]] = {}
        """By row for which somebody goes: who waits until that is done."""
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
        self._leave(member.held)

    def _must_wait(self, member: _Member) -> bool:
        with self._lock:
            for row in member.rows:
                if row in self._waiting:
                    self._waiting[row].append(member)
                    return True
            self._hold(member, member.rows)
            return False

    def _hold(self, member: _Member, rows: Iterable[Row]) -> None:
        """Whoever wants one of these rows waits for `member`, where it doesn't wait for somebody else already."""
        member.held = [row for row in dict.fromkeys(rows) if row not in self._waiting]
        self._waiting.update((row, []) for row in member.held)

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
        """Let the next group go, and everybody in this one."""
        followers, held = leader.group[1:], leader.held
        leader.group = leader.held = ()
        self._leave(held)
        for member in followers:
            member.committed, member.fault = committed, fault
            member.go()

    def _refuse(self, rows: Iterable[Row]) -> None:
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused.update(rows)

    def _leave(self, held: Sequence[Row]) -> None:
        """These rows are free: of those who wait for one, as many as may go together do."""
        if not held:
            return
        with self._lock:
            freed = [(row, self._waiting.pop(row)) for row in held]
            for row, waiting in freed:
                if not waiting:
                    continue
                if row in self._waiting:  # a group that was just made wants it too
                    self._waiting[row] += waiting
                    continue
                leader, group = waiting[0], waiting[: self._most]
                leader.group = group
                self._hold(leader, (row for member in group for row in member.rows))
                self._waiting[row] += waiting[self._most :]
                leader.go()

    def _withdraw(self, member: _Member) -> None:
        """It failed, or its thread was interrupted: nobody waits for it any more, nor it for anybody."""
        with self._lock:
            for row in member.rows:
                if member in self._waiting.get(row, ()):
                    self._waiting[row].remove(member)
                    return
        self._disband(member, committed=False, fault=None)
