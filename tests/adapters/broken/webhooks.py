"""Mistakes with webhooks."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.testing import samples
from omniorder.testing.contracts.storage.webhooks import webhook
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite


@breaks(
    "a_webhook_is_taken_once",
    "one_that_came_before_undoes_all_that_comes_with_it",
    "of_the_same_webhook_brought_at_once_one_is_taken",
    "a_step_from_another_state_of_a_webhook_is_refused",
    "a_step_of_a_webhook_that_is_not_there_is_refused",
)
def webhooks_without_guards(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            db.webhooks.put(write.after.id, write.after)

    carry(patch, "webhooks", step)


@breaks(
    "a_webhook_is_taken_once",
    "one_that_came_before_undoes_all_that_comes_with_it",
    "of_the_same_webhook_brought_at_once_one_is_taken",
)
def webhooks_that_are_left_out_when_they_came_before(patch: Patch) -> None:
    original = writing.STEPS["webhooks"]

    def step(db: Database, writes: Any) -> None:
        original(db, [w for w in writes if w.before is not None or db.webhooks.get(w.after.id) is None])

    carry(patch, "webhooks", step)


@breaks("a_step_from_another_state_of_a_webhook_is_refused")
def webhooks_whose_tries_nobody_compares(patch: Patch) -> None:
    original = writing.STEPS["webhooks"]

    def step(db: Database, writes: Any) -> None:
        for write in writes:
            now = db.webhooks.get(write.after.id)
            same = write.before is not None and now is not None and now.state is write.before.state
            original(db, [evolve(write, before=now) if same else write])

    carry(patch, "webhooks", step)


@breaks("a_webhook_that_never_came_is_none", "a_step_of_a_webhook_that_is_not_there_is_refused")
def webhooks_from_nowhere(patch: Patch) -> None:
    alter(patch, "webhook", lambda found: found or webhook())


@breaks("a_webhook_in_any_state_comes_back_as_it_was_written", "every_step_of_a_webhook_comes_back")
def webhooks_without_what_is_disputed(patch: Patch) -> None:
    rewrite(patch, "webhooks", lambda write: evolve(write, after=evolve(write.after, disputed=None)))


@breaks("webhooks_that_came_before_the_limit_are_forgotten")
def webhooks_of_the_limit_are_forgotten_too(patch: Patch) -> None:
    tick = samples.MINUTE / 10**6
    method(patch, "forget_webhooks", lambda original, tx, before, limit: original(tx, before + tick, limit))


@breaks(
    "webhooks_that_came_before_the_limit_are_forgotten",
    "no_more_webhooks_are_forgotten_than_asked_for",
    "a_forgotten_webhook_may_come_again",
)
def webhooks_that_are_never_forgotten(patch: Patch) -> None:
    method(patch, "forget_webhooks", lambda _, tx, before, limit: 0)


@breaks("a_parked_webhook_is_never_forgotten")
def parked_webhooks_are_forgotten_with_the_others(patch: Patch) -> None:
    def forget(_: Any, tx: Any, before: Any, limit: int) -> int:
        old = [id for id, one in tx.database.webhooks.items() if one.received_at < before][:limit]
        for id in old:
            tx.database.webhooks.drop(id)
        return len(old)

    method(patch, "forget_webhooks", forget)


@breaks("no_more_webhooks_are_forgotten_than_asked_for")
def all_old_webhooks_are_forgotten_at_once(patch: Patch) -> None:
    method(patch, "forget_webhooks", lambda original, tx, before, limit: original(tx, before, 99))
