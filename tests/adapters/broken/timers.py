"""Mistakes with timers, and with counting wrong codes."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database, Due
from omniorder.ports.writes import Timer
from omniorder.testing import samples
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite

_LATER = 10 * samples.HOUR

# --- timers -----------------------------------------------------------------------------------------------


@breaks("a_timer_is_due_from_its_instant_on_and_not_before")
def timers_that_fire_early(patch: Patch) -> None:
    method(patch, "claim_timers", lambda original, tx, store, at, **rest: original(tx, store, at + _LATER, **rest))


@breaks("a_timer_is_due_from_its_instant_on_and_not_before")
def timers_that_fire_after_their_instant_only(patch: Patch) -> None:
    method(patch, "stores_due", lambda original, tx, at, limit: original(tx, at - samples.MINUTE / 10**6, limit))


@breaks("a_timer_set_again_is_moved", "a_timer_set_again_is_free_again")
def timers_that_are_never_moved(patch: Patch) -> None:
    original = writing.STEPS["timers"]

    def step(db: Database, writes: Any) -> None:
        original(db, [w for w in writes if w.due_at is None or db.timers.get((w.store, w.subject)) is None])

    carry(patch, "timers", step)


@breaks(
    "a_cleared_timer_is_gone", "setting_one_timer_leaves_the_others", "a_timer_that_is_still_due_then_is_set_or_cleared"
)
def timers_that_are_never_cleared(patch: Patch) -> None:
    rewrite(patch, "timers", lambda write: None if write.due_at is None else write)


@breaks("clearing_a_timer_that_is_not_set_does_nothing")
def clearing_sets_what_is_not_there(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            key = (write.store, write.subject)
            if write.due_at is None and db.timers.get(key) is not None:
                db.timers.drop(key)
            else:
                db.timers.put(key, Due(write.due_at or samples.NOW))

    carry(patch, "timers", step)


@breaks("setting_one_timer_leaves_the_others", "timers_are_claimed_longest_overdue_first_and_no_more_than_asked_for")
def one_timer_per_store(patch: Patch) -> None:
    original = writing.STEPS["timers"]

    def step(db: Database, writes: Any) -> None:
        for write in writes:
            for key in list(db.timers.of(write.store)):
                db.timers.drop(key)
        original(db, writes)

    carry(patch, "timers", step)


@breaks(
    "a_claimed_timer_is_not_claimed_again_until_the_claim_has_run_out",
    "workers_never_share_a_timer_and_forget_none",
    "a_timer_that_was_set_anew_is_left_as_it_is",
)
def claims_that_hold_nothing(patch: Patch) -> None:
    patch.setattr(Due, "free", lambda due, now: True)


@breaks("a_claimed_timer_is_not_claimed_again_until_the_claim_has_run_out")
def claims_that_never_run_out(patch: Patch) -> None:
    patch.setattr(Due, "free", lambda due, now: due.claimed_until is None)


@breaks("a_claimed_timer_is_not_claimed_again_until_the_claim_has_run_out")
def claims_that_run_out_at_their_last_instant(patch: Patch) -> None:
    patch.setattr(Due, "free", lambda due, now: due.claimed_until is None or due.claimed_until <= now)


@breaks("a_claimed_timer_is_not_claimed_again_until_the_claim_has_run_out")
def stores_due_for_what_others_hold(patch: Patch) -> None:
    def every(original: Any, tx: Any, at: Any, limit: int) -> Any:
        return tuple({store for (store, _), due in tx.database.timers.items() if due.at <= at})

    method(patch, "stores_due", every)


@breaks("a_claim_counts_by_the_claimants_clock_not_by_what_is_due")
def claims_compared_with_what_is_due(patch: Patch) -> None:
    def claim(original: Any, tx: Any, store: str, at: Any, *, now: Any, **rest: Any) -> Any:
        return original(tx, store, at, now=at, **rest)

    method(patch, "claim_timers", claim)


@breaks("a_timer_set_again_is_free_again", "a_timer_that_is_still_due_then_is_set_or_cleared")
def claims_that_survive_a_new_date(patch: Patch) -> None:
    original = writing.STEPS["timers"]

    def step(db: Database, writes: Any) -> None:
        for write in writes:
            key = (write.store, write.subject)
            before = db.timers.get(key)
            original(db, [write])
            after = db.timers.get(key)
            if before and after:
                db.timers.put(key, evolve(after, claimed_until=before.claimed_until and before.claimed_until + _LATER))

    carry(patch, "timers", step)


@breaks("a_timer_that_was_set_anew_is_left_as_it_is", "a_timer_that_is_gone_is_not_set_by_who_thinks_that_it_is_due")
def timers_without_the_guard_of_sweeps(patch: Patch) -> None:
    rewrite(patch, "timers", lambda write: evolve(write, if_due_at=None))


@breaks("timers_are_claimed_longest_overdue_first_and_no_more_than_asked_for")
def timers_claimed_by_subject(patch: Patch) -> None:
    alter(patch, "claim_timers", lambda claimed: tuple(sorted(claimed, key=lambda timer: timer.subject)))


@breaks("timers_are_claimed_longest_overdue_first_and_no_more_than_asked_for")
def claims_without_a_limit(patch: Patch) -> None:
    method(patch, "claim_timers", lambda original, *args, limit, **rest: original(*args, limit=99, **rest))


@breaks("timers_of_other_stores_are_not_claimed")
def timers_claimed_in_all_stores(patch: Patch) -> None:
    def claim(original: Any, tx: Any, store: str, at: Any, **rest: Any) -> Any:
        return tuple(Timer(store, subject, due.at) for (_, subject), due in tx.database.timers.items())

    method(patch, "claim_timers", claim)


@breaks("stores_come_longest_overdue_first_and_no_more_than_asked_for")
def stores_by_id(patch: Patch) -> None:
    alter(patch, "stores_due", lambda found: tuple(sorted(found)))


@breaks("stores_come_longest_overdue_first_and_no_more_than_asked_for")
def stores_once_per_timer(patch: Patch) -> None:
    alter(patch, "stores_due", lambda found: (*found, *found[-1:]))


@breaks("a_claim_is_undone_with_its_transaction")
def claims_that_are_not_undone(patch: Patch) -> None:
    def claim(original: Any, tx: Any, *args: Any, **named: Any) -> Any:
        claimed = original(tx, *args, **named)
        tx.database.undo.forget()
        return claimed

    method(patch, "claim_timers", claim)


@breaks("workers_never_share_a_timer_and_forget_none")
def claims_that_lose_a_timer(patch: Patch) -> None:
    alter(patch, "claim_timers", lambda claimed: claimed[:2])


# --- wrong codes ------------------------------------------------------------------------------------------


@breaks("tries_are_counted_up_to_the_limit", "tries_at_the_same_time_are_all_counted")
def tries_without_a_limit(patch: Patch) -> None:
    method(patch, "count_try", lambda original, tx, order, generation, most: original(tx, order, generation, 99))


@breaks("tries_are_counted_up_to_the_limit", "tries_at_the_same_time_are_all_counted")
def one_try_more_than_the_limit(patch: Patch) -> None:
    method(patch, "count_try", lambda original, tx, order, generation, most: original(tx, order, generation, most + 1))


@breaks("each_generation_has_tries_of_its_own")
def tries_of_all_generations_together(patch: Patch) -> None:
    method(patch, "count_try", lambda original, tx, order, generation, most: original(tx, order, 1, most))


@breaks("each_order_has_tries_of_its_own")
def tries_of_all_orders_together(patch: Patch) -> None:
    method(patch, "count_try", lambda original, tx, order, generation, most: original(tx, "any", generation, most))


@breaks("forgotten_tries_are_counted_anew")
def tries_that_are_never_forgotten(patch: Patch) -> None:
    method(patch, "forget_tries", lambda original, tx, order, generation: None)


@breaks("forgotten_tries_are_counted_anew")
def tries_that_are_all_forgotten(patch: Patch) -> None:
    def forget(original: Any, tx: Any, order: str, generation: int) -> None:
        for each in (1, 2):
            original(tx, order, each)

    method(patch, "forget_tries", forget)


@breaks("tries_of_former_generations_are_forgotten_a_few_at_a_time")
def tries_of_every_generation_are_old(patch: Patch) -> None:
    def forget(original: Any, tx: Any, start: str, before: int, limit: int) -> Any:
        return original(tx, start, before + 1, limit)

    method(patch, "forget_old_tries", forget)


@breaks("tries_of_former_generations_are_forgotten_a_few_at_a_time")
def tries_of_everything_are_old(patch: Patch) -> None:
    def forget(original: Any, tx: Any, start: str, before: int, limit: int) -> Any:
        return original(tx, "", before, limit)

    method(patch, "forget_old_tries", forget)


@breaks("forgetting_without_tries_does_nothing")
def forgetting_counts_a_try(patch: Patch) -> None:
    method(patch, "forget_tries", lambda original, tx, order, generation: tx.count_try(order, generation, 9))
