"""Mistakes with handoffs."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.domain.lifecycle import HandoffState
from omniorder.testing.contracts.storage.handoffs import handoff
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite


@breaks(
    "a_handoff_is_inserted_once",
    "a_step_from_another_state_of_a_handoff_is_refused",
    "a_step_of_a_handoff_that_is_not_there_is_refused",
    "of_those_who_bring_a_token_at_once_one_is_let_in",
    "a_cart_changes_with_its_handoff_or_not_at_all",
)
def handoffs_without_guards(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            db.handoffs.put(write.after.id, write.after)

    carry(patch, "handoffs", step)


@breaks("a_cart_changes_with_its_handoff_or_not_at_all", "a_step_from_another_state_of_a_handoff_is_refused")
def refused_steps_that_are_left_out(patch: Patch) -> None:
    original = writing.STEPS["handoffs"]

    def step(db: Database, writes: Any) -> None:
        for write in writes:
            now = db.handoffs.get(write.after.id)
            if write.before is None or (now is not None and now.state is write.before.state):
                original(db, [write])

    carry(patch, "handoffs", step)


@breaks("a_handoff_that_was_never_stored_is_none", "a_step_of_a_handoff_that_is_not_there_is_refused")
def handoffs_from_nowhere(patch: Patch) -> None:
    alter(patch, "handoff", lambda found: found or handoff())


@breaks(
    "a_handoff_in_any_state_comes_back_as_it_was_written",
    "every_step_of_a_handoff_comes_back",
    "of_those_who_bring_a_token_at_once_one_is_let_in",
)
def handoffs_that_forget_who_took_them(patch: Patch) -> None:
    rewrite(patch, "handoffs", lambda write: evolve(write, after=evolve(write.after, accepted_by=None)))


@breaks("a_handoff_in_any_state_comes_back_as_it_was_written", "every_step_of_a_handoff_comes_back")
def handoffs_with_one_scope(patch: Patch) -> None:
    alter(patch, "handoff", lambda found: found and evolve(found, scopes=found.scopes[:1]))


@breaks("the_handoffs_of_a_cart_come_by_their_ids")
def handoffs_in_the_order_in_which_they_were_offered(patch: Patch) -> None:
    def as_offered(_: Any, tx: Any, cart_id: str) -> Any:
        return tuple(tx.database.handoffs.of(cart_id).values())

    method(patch, "handoffs", as_offered)


@breaks("ended_handoffs_are_listed_too_until_they_are_forgotten")
def only_open_handoffs_are_listed(patch: Patch) -> None:
    def listed(found: Any) -> Any:
        return tuple(one for one in found if one.state is not HandoffState.WITHDRAWN)

    alter(patch, "handoffs", listed)


@breaks("handoffs_of_another_cart_are_not_listed", "a_forgotten_number_may_be_drawn_again")
def handoffs_of_every_cart(patch: Patch) -> None:
    method(patch, "handoffs", lambda _, tx, cart_id: tuple(tx.database.handoffs.rows()))


@breaks(
    "handoffs_that_ended_before_the_limit_are_forgotten",
    "no_more_handoffs_are_forgotten_than_asked_for",
    "a_forgotten_number_may_be_drawn_again",
    "a_handoff_ends_with_what_it_gave",
)
def handoffs_that_are_never_forgotten(patch: Patch) -> None:
    method(patch, "forget_handoffs", lambda _, tx, before, limit: 0)


@breaks("a_handoff_ends_with_what_it_gave")
def handoffs_that_end_with_their_token(patch: Patch) -> None:
    def forget(original: Any, tx: Any, before: Any, limit: int) -> Any:
        ended = [one.id for one in tx.database.handoffs.rows() if one.until < before]
        for id in ended[:limit]:
            tx.database.handoffs.drop(id)
        return len(ended[:limit])

    method(patch, "forget_handoffs", forget)


@breaks("no_more_handoffs_are_forgotten_than_asked_for")
def handoffs_forgotten_in_any_order(patch: Patch) -> None:
    def forget(original: Any, tx: Any, before: Any, limit: int) -> Any:
        ended = sorted(id for id, one in tx.database.handoffs.items() if one.ends < before)
        for id in ended[:limit]:
            tx.database.handoffs.drop(id)
        return len(ended[:limit])

    method(patch, "forget_handoffs", forget)


@breaks("a_handoffs_tries_are_forgotten_with_it")
def tries_that_outlive_their_handoff(patch: Patch) -> None:
    def forget(original: Any, tx: Any, before: Any, limit: int) -> Any:
        tries = dict(tx.database.tries.items())
        count = original(tx, before, limit)
        for key, counted in tries.items():
            tx.database.tries.put(key, counted)
        return count

    method(patch, "forget_handoffs", forget)


@breaks("a_handoffs_tries_are_forgotten_with_it")
def tries_that_are_all_forgotten_at_once(patch: Patch) -> None:
    def forget(original: Any, tx: Any, before: Any, limit: int) -> Any:
        for key in list(tx.database.tries):
            tx.database.tries.drop(key)
        return original(tx, before, limit)

    method(patch, "forget_handoffs", forget)


@breaks("a_handoff_has_tries_of_its_own")
def tries_of_all_handoffs_in_one(patch: Patch) -> None:
    def count(original: Any, tx: Any, subject: str, generation: int, most: int) -> Any:
        return original(tx, "hnd" if subject.startswith("hnd_") else subject, generation, most)

    method(patch, "count_try", count)
