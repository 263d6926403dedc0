"""Handoffs: they come back as they were written, one is taken once, and what ended long ago can be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from omniorder.domain import events as e
from omniorder.domain import handoffs, ids
from omniorder.domain.channels import Channel
from omniorder.domain.handoffs import Handoff, Scope
from omniorder.errors import AlreadyThere, StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, HandoffWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, repeated, together
from omniorder.testing.contracts.storage.carts import start
from omniorder.testing.samples import ANNA, BORIS, HOUR, MINUTE, NOW


def handoff(number: int = 1, *, cart: int = 1, minutes: int = 10, promise: str | None = None) -> Handoff:
    """One that is offered; its token holds for so many minutes."""
    made, _ = handoffs.offer(
        ids.cart_id(cart.to_bytes(16)), (Scope.EDIT, Scope.PAY), draw=number.to_bytes(4), by=ANNA, on=Channel.APP,
        at=NOW, until=NOW + minutes * MINUTE, key_id="2026", promise_id=promise,
    )  # fmt: skip
    return made


def taken(before: Handoff, actor: str = BORIS, *, minutes: int = 60) -> Handoff:
    """The same when this actor took it; what it gave them holds for so many minutes."""
    event = e.HandoffAccepted(before.id, actor, NOW + minutes * MINUTE)
    return handoffs.apply(before, event, on=Channel.PHONE, at=NOW)


def withdrawn(before: Handoff) -> Handoff:
    """The same when its owner took it back."""
    return handoffs.apply(before, e.HandoffWithdrawn(before.id), on=Channel.WEB, at=NOW)


def every_handoff(number: int = 1) -> Mapping[str, Handoff]:
    """A handoff in each state, by what happened to it last."""
    offered = handoff(number, promise="prm_SOF01_1")
    return {
        "offered": offered,
        "taken": taken(offered),
        "withdrawn": withdrawn(offered),
        "taken and withdrawn": withdrawn(taken(offered)),
    }


def offer(storage: Storage, made: Handoff) -> Handoff:
    """Store a new handoff."""
    put(storage, handoffs=(HandoffWrite(None, made),))
    return made


def change(storage: Storage, before: Handoff, after: Handoff) -> Handoff:
    """Store a handoff after a step."""
    put(storage, handoffs=(HandoffWrite(before, after),))
    return after


def stored(storage: Storage, made: Handoff) -> Handoff | None:
    """The handoff as it comes back."""
    return read(storage, lambda tx: tx.handoff(made.id))


def listed(storage: Storage, of: Handoff) -> tuple[Handoff, ...]:
    """All handoffs of the same cart."""
    return read(storage, lambda tx: tx.handoffs(of.cart_id))


def forget(storage: Storage, minutes: int, limit: int = 10) -> int:
    """Forget what ended before so many minutes were over; how many."""
    with storage.transaction() as tx:
        return tx.forget_handoffs(NOW + minutes * MINUTE, limit)


def tried(storage: Storage, made: Handoff) -> int | None:
    """Count a try of its code."""
    return repeated(storage, lambda tx: tx.count_try(made.id, 0, 3))


class HandoffContract(StorageBench):
    """What a storage promises about handoffs."""

    def test_a_handoff_that_was_never_stored_is_none(self, storage: Storage) -> None:
        assert stored(storage, handoff()) is None
        assert listed(storage, handoff()) == ()

    def test_a_handoff_in_any_state_comes_back_as_it_was_written(self, storage: Storage) -> None:
        for name, made in samples.one_of_each(every_handoff).items():
            offer(storage, made)
            assert stored(storage, made) == made, name

    def test_every_step_of_a_handoff_comes_back(self, storage: Storage) -> None:
        before = offer(storage, handoff())
        for after in (taken(before), withdrawn(taken(before))):
            before = change(storage, before, after)
            assert stored(storage, after) == after, after.state

    def test_a_handoff_is_inserted_once(self, storage: Storage) -> None:
        made = offer(storage, handoff())
        facts = refuses(storage, AlreadyThere, handoffs=(HandoffWrite(None, handoff(1, cart=2)),))
        assert (facts["kind"], facts["id"]) == ("handoff", made.id)
        assert stored(storage, made) == made

    def test_a_step_from_another_state_of_a_handoff_is_refused(self, storage: Storage) -> None:
        before = offer(storage, handoff())
        now = change(storage, before, withdrawn(before))
        facts = refuses(storage, StaleWrite, handoffs=(HandoffWrite(before, taken(before)),))
        assert (facts["kind"], facts["id"]) == ("handoff", before.id)
        assert stored(storage, before) == now

    def test_a_step_of_a_handoff_that_is_not_there_is_refused(self, storage: Storage) -> None:
        refuses(storage, StaleWrite, handoffs=(HandoffWrite(handoff(), taken(handoff())),))
        assert stored(storage, handoff()) is None

    def test_of_those_who_bring_a_token_at_once_one_is_let_in(self, shared: Storage) -> None:
        before = offer(shared, handoff())
        wishes = [taken(before, f"customer:{number}") for number in range(4)]
        results = together(*(partial(change, shared, before, wish) for wish in wishes))
        let_in = [one for one in results if isinstance(one, Handoff)]
        assert len(let_in) == 1
        assert [type(one) for one in results if not isinstance(one, Handoff)] == [StaleWrite] * 3
        assert stored(shared, before) == let_in[0]

    def test_a_cart_changes_with_its_handoff_or_not_at_all(self, storage: Storage) -> None:
        cart = start(storage, samples.cart())
        before = offer(storage, handoff())
        change(storage, before, withdrawn(before))
        after = samples.changed(cart, e.HandoffAccepted(before.id, BORIS, NOW + HOUR))
        refuses(
            storage, StaleWrite, carts=(CartWrite(cart, after),), handoffs=(HandoffWrite(before, taken(before)),)
        )  # fmt: skip
        assert read(storage, lambda tx: tx.cart(cart.id)) == cart

    def test_the_handoffs_of_a_cart_come_by_their_ids(self, storage: Storage) -> None:
        made = [offer(storage, handoff(number)) for number in (3, 1, 2)]
        assert listed(storage, made[0]) == tuple(sorted(made, key=lambda one: one.id))

    def test_ended_handoffs_are_listed_too_until_they_are_forgotten(self, storage: Storage) -> None:
        made = [offer(storage, one) for one in samples.one_of_each(every_handoff).values()]
        assert listed(storage, made[0]) == tuple(made)

    def test_handoffs_of_another_cart_are_not_listed(self, storage: Storage) -> None:
        mine, other = offer(storage, handoff(1, cart=1)), offer(storage, handoff(2, cart=2))
        assert listed(storage, mine) == (mine,)
        assert listed(storage, other) == (other,)

    def test_handoffs_that_ended_before_the_limit_are_forgotten(self, storage: Storage) -> None:
        made = [offer(storage, handoff(number, minutes=number)) for number in range(1, 5)]
        assert forget(storage, 3) == 2
        assert [stored(storage, one) for one in made] == [None, None, *made[2:]]
        assert listed(storage, made[0]) == tuple(made[2:])
        assert forget(storage, 3) == 0

    def test_a_handoff_ends_with_what_it_gave(self, storage: Storage) -> None:
        before = offer(storage, handoff(minutes=1))
        change(storage, before, taken(before, minutes=30))
        assert [forget(storage, minutes) for minutes in (2, 30, 31)] == [0, 0, 1]

    def test_no_more_handoffs_are_forgotten_than_asked_for(self, storage: Storage) -> None:
        made = [offer(storage, handoff(number, minutes=9 - number)) for number in range(1, 6)]
        assert forget(storage, 60, limit=2) == 2
        assert listed(storage, made[0]) == tuple(made[:3]), "those that ended first"
        assert [forget(storage, 60, limit=2) for _ in range(3)] == [2, 1, 0]

    def test_a_forgotten_number_may_be_drawn_again(self, storage: Storage) -> None:
        old = offer(storage, handoff(1, cart=1))
        forget(storage, 60)
        new = offer(storage, handoff(1, cart=2))
        assert stored(storage, old) == new
        assert listed(storage, old) == ()

    def test_a_handoff_has_tries_of_its_own(self, storage: Storage) -> None:
        one, other = offer(storage, handoff(1)), offer(storage, handoff(2))
        assert [tried(storage, made) for made in (one, one, other, one, one)] == [1, 2, 1, 3, None]

    def test_a_handoffs_tries_are_forgotten_with_it(self, storage: Storage) -> None:
        ended, kept = offer(storage, handoff(1, minutes=1)), offer(storage, handoff(2, minutes=90))
        for made in (ended, ended, kept):
            tried(storage, made)
        forget(storage, 60)
        assert [tried(storage, made) for made in (ended, kept)] == [1, 2]
