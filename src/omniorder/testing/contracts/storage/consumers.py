"""Consumers of the journal: each event reaches each of them, in its stream's order, until it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event as Signal

from omniorder.domain.events import Recorded
from omniorder.ports.storage import Storage
from omniorder.ports.writes import Writes
from omniorder.testing.contracts.storage.bench import StorageBench, paged, read, repeated, together, undone
from omniorder.testing.contracts.storage.journal import entry, tell
from omniorder.testing.samples import MINUTE, NOW

OTHER = "crt_other"
WHILE = 0.3
"""Seconds that a transaction is kept open for another to overtake it, where the storage lets two write at once."""


def subscribe(storage: Storage, consumer: str = "bus", *, from_start: bool = False) -> None:
    repeated(storage, lambda tx: tx.subscribe(consumer, from_start=from_start))


def pending(storage: Storage, consumer: str = "bus", limit: int = 100) -> list[Recorded]:
    return list(read(storage, lambda tx: tx.undelivered(consumer, limit)))


def ids(events: list[Recorded]) -> list[str]:
    """Which events, shortened to stream and number."""
    return [event.id.replace(entry().stream, "cart") for event in events]


def acknowledge(storage: Storage, events: list[Recorded], consumer: str = "bus") -> None:
    repeated(storage, lambda tx: tx.acknowledge(consumer, events))


def tell_other(storage: Storage, seq: int, at: datetime = NOW) -> None:
    """Append one event to another cart's stream."""
    tell(storage, entry(seq, home=OTHER, stream=OTHER, at=at))


class ConsumerContract(StorageBench):
    """What a storage promises about delivering the journal."""

    def test_nobody_is_sent_anything_without_asking(self, storage: Storage) -> None:
        tell(storage, entry(1))
        assert pending(storage) == []

    def test_a_subscriber_gets_every_event_from_then_on(self, storage: Storage) -> None:
        tell(storage, entry(1))
        subscribe(storage)
        tell(storage, entry(2))
        tell_other(storage, 1)
        assert sorted(ids(pending(storage))) == ["cart/2", "crt_other/1"]

    def test_a_subscriber_from_the_start_gets_the_earlier_ones_too(self, storage: Storage) -> None:
        tell(storage, entry(1))
        tell_other(storage, 1)
        subscribe(storage, from_start=True)
        tell(storage, entry(2))
        assert sorted(ids(pending(storage))) == ["cart/1", "cart/2", "crt_other/1"]

    def test_a_delivered_event_is_what_the_journal_holds(self, storage: Storage) -> None:
        subscribe(storage)
        tell(storage, entry(1))
        assert pending(storage) == list(
            read(storage, lambda tx: tx.journal(entry().home, entry().stream, after=0, limit=9))
        )

    def test_the_oldest_events_come_first(self, storage: Storage) -> None:
        subscribe(storage)
        tell(storage, entry(1, at=NOW))
        tell_other(storage, 1, at=NOW + MINUTE)
        tell(storage, entry(2, at=NOW + 2 * MINUTE))
        assert ids(pending(storage)) == ["cart/1", "crt_other/1", "cart/2"]

    def test_a_stream_is_delivered_in_its_own_order_whatever_the_clocks_said(self, storage: Storage) -> None:
        subscribe(storage)
        for seq in (1, 2, 3):
            tell(storage, entry(seq, at=NOW - seq * MINUTE))
        assert ids(pending(storage)) == ["cart/1", "cart/2", "cart/3"]
        assert ids(pending(storage, limit=1)) == ["cart/1"]

    def test_acknowledged_events_are_not_delivered_again(self, storage: Storage) -> None:
        subscribe(storage)
        tell(storage, entry(1), entry(2), entry(3))
        acknowledge(storage, pending(storage, limit=2))
        assert ids(pending(storage)) == ["cart/3"]

    def test_what_is_not_acknowledged_is_delivered_again(self, storage: Storage) -> None:
        subscribe(storage)
        tell(storage, entry(1), entry(2))
        assert ids(pending(storage)) == ids(pending(storage)) == ["cart/1", "cart/2"]

    def test_acknowledging_twice_does_nothing(self, storage: Storage) -> None:
        subscribe(storage)
        tell(storage, entry(1), entry(2))
        first = pending(storage, limit=1)
        acknowledge(storage, first)
        acknowledge(storage, first)
        assert ids(pending(storage)) == ["cart/2"]

    def test_consumers_do_not_acknowledge_for_each_other(self, storage: Storage) -> None:
        subscribe(storage, "bus")
        subscribe(storage, "mail")
        tell(storage, entry(1))
        acknowledge(storage, pending(storage, "bus"), "bus")
        assert (ids(pending(storage, "bus")), ids(pending(storage, "mail"))) == ([], ["cart/1"])

    def test_subscribing_again_changes_nothing(self, storage: Storage) -> None:
        tell(storage, entry(1))
        subscribe(storage)
        tell(storage, entry(2), entry(3))
        acknowledge(storage, pending(storage, limit=1))
        subscribe(storage)
        subscribe(storage, from_start=True)
        assert ids(pending(storage)) == ["cart/3"]

    def test_events_of_an_undone_transaction_are_delivered_to_nobody(self, storage: Storage) -> None:
        subscribe(storage)
        with undone(storage) as tx:
            tx.write(Writes(journal=(entry(1),)))
            tx.flush()
        assert pending(storage) == []

    def test_an_undone_acknowledgement_delivers_again(self, storage: Storage) -> None:
        subscribe(storage)
        tell(storage, entry(1), entry(2))
        with undone(storage) as tx:
            tx.acknowledge("bus", tx.undelivered("bus", 1))
        assert ids(pending(storage)) == ["cart/1", "cart/2"]

    def test_an_undone_subscription_is_none(self, storage: Storage) -> None:
        with undone(storage) as tx:
            tx.subscribe("bus", from_start=False)
        tell(storage, entry(1))
        assert pending(storage) == []

    def test_drained_in_small_parts_nothing_is_lost_repeated_or_out_of_order(self, storage: Storage) -> None:
        subscribe(storage)
        for seq in range(1, 6):
            tell(storage, entry(seq, at=NOW - seq * MINUTE))
            tell_other(storage, seq, at=NOW + seq * MINUTE)

        def page(_: Recorded | None) -> list[Recorded]:
            part = pending(storage, limit=3)
            assert len(part) <= 3
            acknowledge(storage, part)
            return part

        got = paged(page)
        streams = {stream: [one.seq for one in got if one.stream == stream] for stream in (entry().stream, OTHER)}
        assert streams == {entry().stream: [1, 2, 3, 4, 5], OTHER: [1, 2, 3, 4, 5]}

    def test_an_event_that_commits_late_is_delivered_all_the_same(self, shared: Storage) -> None:
        """A reader that goes by the last number it saw would skip it."""
        subscribe(shared)
        got: list[Recorded] = []

        def overtake() -> None:
            tell_other(shared, 1)
            got.extend(pending(shared))
            acknowledge(shared, list(got))

        self._beside_an_open_transaction(shared, overtake)
        late = pending(shared)
        assert sorted(ids([*got, *late])) == ["cart/1", "crt_other/1"]

    def test_subscribing_beside_a_running_command_misses_nothing(self, shared: Storage) -> None:
        self._beside_an_open_transaction(shared, lambda: subscribe(shared, from_start=True))
        tell_other(shared, 1)
        assert sorted(ids(pending(shared))) == ["cart/1", "crt_other/1"]

    def _beside_an_open_transaction(self, storage: Storage, work: Callable[[], None]) -> None:
        """Do `work` while another thread has written an event and not committed it yet."""
        written, done = Signal(), Signal()

        def slow() -> None:
            with storage.transaction() as tx:
                tx.write(Writes(journal=(entry(1),)))
                tx.flush()
                written.set()
                done.wait(WHILE)  # a storage with one writer at a time lets `work` begin only afterwards

        def quick() -> None:
            assert written.wait(30)
            work()
            done.set()

        assert together(slow, quick) == [None, None]
