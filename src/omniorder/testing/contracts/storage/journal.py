"""The journal: every event of a change, in order and without gaps."""

from __future__ import annotations

from datetime import datetime

import pytest

from omniorder.domain import events as e
from omniorder.domain.channels import Channel
from omniorder.domain.events import Recorded
from omniorder.errors import StorageFault
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.writes import JournalEntry, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, paged, put, read, repeated, together
from omniorder.testing.samples import MINUTE, NOW, SOFIA, VARNA

CART = samples.cart().id
ORDER = samples.order().id


def entry(seq: int = 1, *events: e.Event, home: str = CART, stream: str = CART, at: datetime = NOW) -> JournalEntry:
    """Events (one, if none are named) from `seq` on."""
    return JournalEntry(home, stream, seq, samples.stamp(at), events or (e.LineChanged("ln_1", seq),))


def tell(storage: Storage, *entries: JournalEntry) -> None:
    """Append to the journal, in one transaction."""
    put(storage, journal=entries)


def told(storage: Storage, stream: str = CART, *, home: str = CART, after: int = 0, limit: int = 100) -> list[Recorded]:
    """What the journal holds of one stream."""
    return list(read(storage, lambda tx: tx.journal(home, stream, after=after, limit=limit)))


def of_store(
    storage: Storage, start: datetime = NOW, end: datetime = NOW + MINUTE, *, last: Recorded | None = None,
    limit: int = 100,
) -> list[Recorded]:  # fmt: skip
    """What the journal holds of one store and time, after `last`."""
    after = None if last is None else (last.stamp.at, last.stream, last.seq)
    return list(read(storage, lambda tx: tx.journal_of_store(SOFIA, start, end, after=after, limit=limit)))


class JournalContract(StorageBench):
    """What a storage promises about the journal."""

    def test_an_unknown_stream_is_empty(self, storage: Storage) -> None:
        assert told(storage) == []

    def test_events_come_back_numbered_and_in_order(self, storage: Storage) -> None:
        started, added = e.CartStarted(samples.ANNA, "bg"), e.LineAdded("ln_1", samples.MILK, 2)
        tell(storage, entry(1, started, added))
        tell(storage, entry(3, e.CartAbandoned(), at=NOW + MINUTE))
        assert told(storage) == [
            Recorded(CART, CART, 1, samples.stamp(), started),
            Recorded(CART, CART, 2, samples.stamp(), added),
            Recorded(CART, CART, 3, samples.stamp(NOW + MINUTE), e.CartAbandoned()),
        ]

    def test_a_stamp_comes_back_whole(self, storage: Storage) -> None:
        stamps = [e.Stamp(NOW, channel, f"agent:{channel.value} é", "") for channel in Channel]
        for seq, stamp in enumerate(stamps, 1):
            tell(storage, JournalEntry(CART, CART, seq, stamp, (e.CartAbandoned(),)))
        assert [recorded.stamp for recorded in told(storage)] == stamps

    def test_every_kind_of_event_comes_back_without_its_private_fields(self, storage: Storage) -> None:
        events = samples.every_event()
        tell(storage, entry(1, *events))
        for recorded, event in zip(told(storage, limit=len(events)), events, strict=True):
            assert recorded.event == samples.without_private(event), recorded.name

    def test_an_event_told_to_consumers_has_no_private_fields_either(self, storage: Storage) -> None:
        noted = e.LineNoted("ln_1", "call me on the landline")
        with storage.transaction() as tx:
            tx.subscribe("bus", from_start=True)
        tell(storage, entry(1, noted))
        found = read(storage, lambda tx: tx.undelivered("bus", 10))
        assert [recorded.event for recorded in found] == [e.LineNoted("ln_1")]

    def test_a_stream_is_read_from_any_point_and_in_parts(self, storage: Storage) -> None:
        tell(storage, entry(1, *(e.LineChanged("ln_1", n) for n in range(1, 8))))
        pages = [[recorded.seq for recorded in told(storage, after=n, limit=3)] for n in (0, 3, 6, 7, 99)]
        assert pages == [[1, 2, 3], [4, 5, 6], [7], [], []]

    def test_streams_and_homes_are_kept_apart(self, storage: Storage) -> None:
        tell(
            storage, entry(1), entry(1, home=SOFIA, stream=ORDER), entry(1, home=VARNA, stream=ORDER),
            entry(1, home=SOFIA, stream="SOF01-000002"),
        )  # fmt: skip
        tell(storage, entry(2, home=SOFIA, stream=ORDER))
        assert [recorded.seq for recorded in told(storage, ORDER, home=SOFIA)] == [1, 2]
        assert [recorded.seq for recorded in told(storage, ORDER, home=VARNA)] == [1]
        assert [recorded.seq for recorded in told(storage)] == [1]

    def test_a_stores_journal_comes_by_time_from_start_to_before_end(self, storage: Storage) -> None:
        """Whatever the stream, and of no other store."""
        other, second = "SOF01-000002", NOW + MINUTE / 2
        tell(storage, entry(1, home=SOFIA, stream=ORDER, at=second), entry(1, home=SOFIA, stream=other))
        tell(
            storage, entry(2, home=SOFIA, stream=ORDER, at=NOW + MINUTE), entry(2, home=SOFIA, stream=other, at=second)
        )
        tell(storage, entry(1, home=VARNA, stream="VAR01-000001"))
        keys = [(recorded.stream, recorded.seq) for recorded in of_store(storage)]
        assert keys == [(other, 1), (ORDER, 1), (other, 2)]
        assert [recorded.seq for recorded in of_store(storage, NOW + MINUTE, NOW + 2 * MINUTE)] == [2]
        assert of_store(storage, NOW - MINUTE, NOW) == []

    def test_paging_through_a_stores_journal_loses_and_repeats_none(self, storage: Storage) -> None:
        """Also where much happened at one instant."""
        for stream in ("SOF01-000001", "SOF01-000002", "SOF01-000003"):
            tell(storage, entry(1, *[e.CartAbandoned()] * 3, home=SOFIA, stream=stream))
        pages = paged(lambda last: of_store(storage, last=last, limit=2))
        assert pages == of_store(storage)
        assert len(pages) == 9

    def test_several_entries_of_one_stream_in_one_command_follow_each_other(self, storage: Storage) -> None:
        tell(storage, entry(1, e.CartAbandoned(), e.CartResumed()), entry(3, e.CartAbandoned()))
        names = [(recorded.seq, recorded.name) for recorded in told(storage)]
        assert names == [(1, "CartAbandoned"), (2, "CartResumed"), (3, "CartAbandoned")]

    def test_a_number_that_is_not_next_is_refused(self, storage: Storage) -> None:
        for seq in (2, 0):
            with pytest.raises(StorageFault):
                tell(storage, entry(seq))
        tell(storage, entry(1))
        with pytest.raises(StorageFault):
            tell(storage, entry(3))
        assert [recorded.seq for recorded in told(storage)] == [1]

    def test_a_number_is_given_once(self, storage: Storage) -> None:
        tell(storage, entry(1, e.CartAbandoned()))
        with pytest.raises(StorageFault) as raised:
            tell(storage, entry(1, e.CartResumed()))
        assert raised.value.retry
        assert [recorded.event for recorded in told(storage)] == [e.CartAbandoned()]

    def test_writers_of_one_stream_leave_no_gap_and_no_double(self, shared: Storage) -> None:
        def writer() -> None:
            for _ in range(5):
                repeated(shared, append)

        def append(tx: Transaction) -> None:
            last = len(tx.journal(CART, CART, after=0, limit=100))
            tx.write(Writes(journal=(entry(last + 1),)))

        assert together(*[writer] * 4) == [None] * 4
        assert [recorded.seq for recorded in told(shared)] == list(range(1, 21))
