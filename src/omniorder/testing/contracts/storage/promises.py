"""Promises and reservations: written once, changed only from the state in which they were read."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from omniorder.domain import events as e
from omniorder.domain import promises, stock
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Reservation
from omniorder.errors import AlreadyThere, StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import PromiseWrite, ReservationWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, together


def _promised(storage: Storage, promise: Promise) -> Promise | None:
    return read(storage, lambda tx: tx.promise(promise.id))


def _reserved(storage: Storage, reservation: Reservation) -> Reservation | None:
    return read(storage, lambda tx: tx.reservation(reservation.id))


class PromiseContract(StorageBench):
    """What a storage promises about promises."""

    def test_a_promise_that_was_never_stored_is_none(self, storage: Storage) -> None:
        assert _promised(storage, samples.promise()) is None

    def test_a_promise_in_any_state_comes_back_with_its_quote(self, storage: Storage) -> None:
        for name, promise in samples.one_of_each(samples.every_promise).items():
            put(storage, promises=(PromiseWrite(None, promise),))
            assert _promised(storage, promise) == promise, name

    def test_every_step_of_a_promise_comes_back(self, storage: Storage) -> None:
        for number, (name, after) in enumerate(samples.one_of_each(samples.every_promise).items(), 1):
            held = samples.promise(number)
            put(storage, promises=(PromiseWrite(None, held),))
            put(storage, promises=(PromiseWrite(held, after),))
            assert _promised(storage, held) == after, name

    def test_a_promise_is_inserted_once(self, storage: Storage) -> None:
        promise = samples.promise()
        put(storage, promises=(PromiseWrite(None, promise),))
        facts = refuses(storage, AlreadyThere, promises=(PromiseWrite(None, promise),))
        assert (facts["kind"], facts["id"]) == ("promise", promise.id)

    def test_a_step_from_another_state_is_refused(self, storage: Storage) -> None:
        held, lapsed = samples.promise(), samples.every_promise()["lapsed"]
        put(storage, promises=(PromiseWrite(None, held),))
        put(storage, promises=(PromiseWrite(held, lapsed),))
        facts = refuses(storage, StaleWrite, promises=(PromiseWrite(held, samples.every_promise()["accepted"]),))
        assert (facts["kind"], facts["id"]) == ("promise", held.id)
        assert _promised(storage, held) == lapsed

    def test_a_step_of_a_promise_that_is_not_there_is_refused(self, storage: Storage) -> None:
        refuses(storage, StaleWrite, promises=(PromiseWrite(samples.promise(), samples.every_promise()["lapsed"]),))

    def test_accepting_and_lapsing_at_once_only_one_happens(self, shared: Storage) -> None:
        held, ends = samples.promise(), samples.every_promise()
        put(shared, promises=(PromiseWrite(None, held),))
        afters = [ends["accepted"], ends["lapsed"], ends["withdrawn"]]
        results = together(*(partial(put, shared, promises=(PromiseWrite(held, after),)) for after in afters))
        happened = [after for after, result in zip(afters, results, strict=True) if result is None]
        assert len(happened) == 1
        assert _promised(shared, held) == happened[0]


class ReservationContract(StorageBench):
    """What a storage promises about reservations."""

    def test_a_reservation_that_was_never_stored_is_none(self, storage: Storage) -> None:
        assert _reserved(storage, samples.reservation()) is None

    def test_a_reservation_in_any_state_comes_back_as_it_was_written(self, storage: Storage) -> None:
        for name, reservation in samples.one_of_each(samples.every_reservation).items():
            put(storage, reservations=(ReservationWrite(None, reservation),))
            assert _reserved(storage, reservation) == reservation, name

    def test_every_step_of_a_reservation_comes_back(self, storage: Storage) -> None:
        life = samples.every_reservation()
        steps = [life[name] for name in ("held", "extended", "firm", "partly consumed", "partly released", "settled")]
        put(storage, reservations=(ReservationWrite(None, steps[0]),))
        for before, after in pairwise(steps):
            put(storage, reservations=(ReservationWrite(before, after),))
            assert _reserved(storage, after) == after, after.state

    def test_a_reservation_is_inserted_once(self, storage: Storage) -> None:
        reservation = samples.reservation()
        put(storage, reservations=(ReservationWrite(None, reservation),))
        facts = refuses(storage, AlreadyThere, reservations=(ReservationWrite(None, reservation),))
        assert (facts["kind"], facts["id"]) == ("reservation", reservation.id)

    def test_a_step_from_another_state_of_a_reservation_is_refused(self, storage: Storage) -> None:
        life = samples.every_reservation()
        put(storage, reservations=(ReservationWrite(None, life["held"]),))
        put(storage, reservations=(ReservationWrite(life["held"], life["firm"]),))
        late = ReservationWrite(life["held"], life["expired"])
        facts = refuses(storage, StaleWrite, reservations=(late,))
        assert (facts["kind"], facts["id"]) == ("reservation", life["held"].id)
        assert _reserved(storage, life["held"]) == life["firm"]

    def test_units_that_went_meanwhile_are_not_resolved_twice(self, storage: Storage) -> None:
        firm = samples.every_reservation()["firm"]
        used = stock.resolve(firm, e.UnitsConsumed(((samples.MILK, 1),)))
        given_back = stock.resolve(firm, e.UnitsReleased(((samples.BREAD, 1),)))
        put(storage, reservations=(ReservationWrite(None, firm),))
        put(storage, reservations=(ReservationWrite(firm, used),))
        refuses(storage, StaleWrite, reservations=(ReservationWrite(firm, given_back),))
        assert _reserved(storage, firm) == used

    def test_a_step_of_a_reservation_that_is_not_there_is_refused(self, storage: Storage) -> None:
        life = samples.every_reservation()
        refuses(storage, StaleWrite, reservations=(ReservationWrite(life["held"], life["firm"]),))

    def test_promise_and_reservation_change_together_or_not_at_all(self, storage: Storage) -> None:
        held, life = samples.promise(), samples.every_reservation()
        accepted = promises.apply(held, e.PromiseAccepted(held.id, samples.order().id))
        put(storage, promises=(PromiseWrite(None, held),), reservations=(ReservationWrite(None, life["expired"]),))
        refuses(
            storage, StaleWrite, promises=(PromiseWrite(held, accepted),),
            reservations=(ReservationWrite(life["held"], life["firm"]),),
        )  # fmt: skip
        assert _promised(storage, held) == held
