"""Transfers: they come back as they were written, step by step, and both stores find them in their lists."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from omniorder.domain import events as e
from omniorder.domain import ids, transfers
from omniorder.domain.lifecycle import TransferState
from omniorder.domain.transfers import Transfer
from omniorder.errors import AlreadyThere, StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import TransferWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, paged, put, read, refuses, together
from omniorder.testing.samples import BREAD, HOUR, MILK, NOW

SOURCE, DESTINATION = "SOFDC", "SOF01"
OPEN = tuple(state.value for state in (TransferState.REQUESTED, TransferState.PICKED, TransferState.SHIPPED))


def transfer(
    number: int = 1, *, source: str = SOURCE, to: str = DESTINATION, hours: int = 20, order: str | None = "SOF01-7K3F9Q"
) -> Transfer:
    """One that is requested, and expected in so many hours."""
    made, _ = transfers.request(
        ids.transfer_id(source, number.to_bytes(16)), source, to, {MILK: 3, BREAD: 2},
        order=order, at=NOW, expected_at=NOW + hours * HOUR,
    )  # fmt: skip
    return made


def after(before: Transfer, *events: e.Event) -> Transfer:
    """The same after these events."""
    for event in events:
        before = transfers.apply(before, event, NOW + HOUR)
    return before


PICKED = e.TransferPicked(((BREAD, 1), (MILK, 3)))
SHIPPED = e.TransferShipped(NOW + 21 * HOUR, "VAN 3")


def every_transfer(number: int = 1) -> Mapping[str, Transfer]:
    """A transfer in each state, by what happened to it last."""
    requested = transfer(number)
    shipped = after(requested, PICKED, SHIPPED)
    return {
        "requested": requested,
        "for the shelf": transfer(number, order=None),
        "picked": after(requested, PICKED),
        "shipped": shipped,
        "delayed": after(shipped, e.TransferDelayed(NOW + 30 * HOUR, "snow")),
        "received": after(requested, e.TransferPicked(((BREAD, 2), (MILK, 3))), SHIPPED,
                          e.TransferReceived(((BREAD, 2), (MILK, 3)))),
        "short": after(shipped, e.TransferShort(((MILK, 2),), "broken")),
        "cancelled": after(requested, e.TransferCancelled("no van")),
    }  # fmt: skip


def request(storage: Storage, made: Transfer) -> Transfer:
    """Store a new transfer."""
    put(storage, transfers=(TransferWrite(None, made),))
    return made


def change(storage: Storage, before: Transfer, now: Transfer) -> Transfer:
    """Store a transfer after a step."""
    put(storage, transfers=(TransferWrite(before, now),))
    return now


def stored(storage: Storage, made: Transfer) -> Transfer | None:
    """The transfer as it comes back."""
    return read(storage, lambda tx: tx.transfer(made.id))


def listed(storage: Storage, store: str, *, incoming: bool, states: tuple[str, ...] = OPEN) -> list[str]:
    """The ids of a store's transfers."""
    found = read(storage, lambda tx: tx.transfers(store, incoming=incoming, states=states, after=None, limit=100))
    return [one.id for one in found]


class TransferContract(StorageBench):
    """What a storage promises about transfers."""

    def test_a_transfer_that_was_never_stored_is_none(self, storage: Storage) -> None:
        assert stored(storage, transfer()) is None
        assert listed(storage, SOURCE, incoming=False) == []

    def test_a_transfer_in_any_state_comes_back_as_it_was_written(self, storage: Storage) -> None:
        for name, made in samples.one_of_each(every_transfer).items():
            request(storage, made)
            assert stored(storage, made) == made, name

    def test_every_step_of_a_transfer_comes_back(self, storage: Storage) -> None:
        before = request(storage, transfer())
        for event in (PICKED, SHIPPED, e.TransferDelayed(NOW + 30 * HOUR, "snow"), e.TransferShort(((MILK, 2),), "")):
            before = change(storage, before, after(before, event))
            assert stored(storage, before) == before, event

    def test_a_transfer_is_inserted_once(self, storage: Storage) -> None:
        made = request(storage, transfer())
        facts = refuses(storage, AlreadyThere, transfers=(TransferWrite(None, transfer(order=None)),))
        assert (facts["kind"], facts["id"]) == ("transfer", made.id)
        assert stored(storage, made) == made

    def test_a_step_from_another_version_of_a_transfer_is_refused(self, storage: Storage) -> None:
        before = request(storage, transfer())
        now = change(storage, before, after(before, e.TransferDelayed(NOW + 30 * HOUR, "snow")))
        facts = refuses(storage, StaleWrite, transfers=(TransferWrite(before, after(before, PICKED)),))
        assert (facts["kind"], facts["id"]) == ("transfer", before.id)
        assert stored(storage, before) == now

    def test_a_step_of_a_transfer_that_is_not_there_is_refused(self, storage: Storage) -> None:
        before = transfer()
        refuses(storage, StaleWrite, transfers=(TransferWrite(before, after(before, PICKED)),))
        assert stored(storage, before) is None

    def test_of_those_who_pick_a_transfer_at_once_one_does(self, shared: Storage) -> None:
        before = request(shared, transfer())

        wishes = [after(before, e.TransferPicked(((MILK, count),))) for count in range(4)]
        results = together(*(partial(change, shared, before, wish) for wish in wishes))
        done = [one for one in results if isinstance(one, Transfer)]
        assert len(done) == 1
        assert [type(one) for one in results if not isinstance(one, Transfer)] == [StaleWrite] * 3
        assert stored(shared, before) == done[0]

    def test_each_store_lists_its_own_side_of_a_transfer(self, storage: Storage) -> None:
        made = request(storage, transfer())
        assert listed(storage, SOURCE, incoming=False) == listed(storage, DESTINATION, incoming=True) == [made.id]
        assert listed(storage, SOURCE, incoming=True) == listed(storage, DESTINATION, incoming=False) == []

    def test_transfers_are_listed_by_when_they_are_expected(self, storage: Storage) -> None:
        made = [request(storage, transfer(n, hours=hours)) for n, hours in ((1, 9), (2, 5), (3, 7), (4, 5))]
        order = [made[1].id, made[3].id, made[2].id, made[0].id]
        assert listed(storage, SOURCE, incoming=False) == order
        assert listed(storage, DESTINATION, incoming=True) == order

    def test_transfers_in_other_states_are_not_listed(self, storage: Storage) -> None:
        kinds = samples.one_of_each(every_transfer)
        for made in kinds.values():
            request(storage, made)
        for state in TransferState:
            expected = sorted(one.id for one in kinds.values() if one.state is state)
            assert sorted(listed(storage, SOURCE, incoming=False, states=(state.value,))) == expected

    def test_a_page_of_transfers_goes_on_after_the_one_before(self, storage: Storage) -> None:
        made = [request(storage, transfer(n, hours=n % 3)) for n in range(1, 8)]

        def page(last: Transfer | None) -> tuple[Transfer, ...]:
            after = None if last is None else (last.expected_at, last.id)
            return read(storage, lambda tx: tx.transfers(DESTINATION, incoming=True, states=OPEN, after=after, limit=2))

        assert [one.id for one in paged(page)] == [
            one.id for one in sorted(made, key=lambda one: (one.expected_at, one.id))
        ]
