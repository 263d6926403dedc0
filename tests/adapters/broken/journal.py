"""Mistakes with the journal, its consumers, and answers."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database, Entry
from omniorder.domain.events import Recorded
from omniorder.testing import samples
from omniorder.testing.contracts.storage.answers import ANSWER
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite

# --- the journal ------------------------------------------------------------------------------------------


@breaks("an_unknown_stream_is_empty")
def a_journal_with_samples_in_it(patch: Patch) -> None:
    event = Recorded("", "", 1, samples.stamp(), samples.every_event()[0])
    alter(patch, "journal", lambda found: found or (event,))


@breaks("events_come_back_numbered_and_in_order", "a_stream_is_read_from_any_point_and_in_parts")
def streams_backwards(patch: Patch) -> None:
    alter(patch, "journal", lambda found: found[::-1])


@breaks("a_stamp_comes_back_whole", "events_come_back_numbered_and_in_order")
def stamps_without_their_channel(patch: Patch) -> None:
    app = samples.stamp().channel

    def all_from_the_app(found: Any) -> Any:
        return tuple(evolve(one, stamp=evolve(one.stamp, channel=app, via="")) for one in found)

    alter(patch, "journal", all_from_the_app)


@breaks(
    "every_kind_of_event_comes_back_without_its_private_fields",
    "an_event_told_to_consumers_has_no_private_fields_either",
)
def private_fields_in_the_journal(patch: Patch) -> None:
    patch.setattr(writing, "_public", lambda event: event)


@breaks("a_stream_is_read_from_any_point_and_in_parts")
def streams_that_include_the_last_number(patch: Patch) -> None:
    def read(original: Any, tx: Any, home: str, stream: str, *, after: int, limit: int) -> Any:
        return original(tx, home, stream, after=max(0, after - 1), limit=limit)

    method(patch, "journal", read)


@breaks("streams_and_homes_are_kept_apart")
def streams_without_a_home(patch: Patch) -> None:
    rewrite(patch, "journal", lambda entry: evolve(entry, home=""))
    method(patch, "journal", lambda original, tx, home, *args, **named: original(tx, "", *args, **named))


@breaks("several_entries_of_one_stream_in_one_command_follow_each_other", "several_notes_are_summed")
def only_the_last_entry_is_kept(patch: Patch) -> None:
    original = writing.STEPS["journal"]
    carry(patch, "journal", lambda db, writes: original(db, list(writes)[-1:]))
    method(patch, "write", lambda write, tx, writes: setattr(tx, "_noted", writes))


@breaks(
    "a_number_that_is_not_next_is_refused",
    "a_number_is_given_once",
    "writers_of_one_stream_leave_no_gap_and_no_double",
)
def numbers_without_a_guard(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for entry in writes:
            for seq, event in enumerate(entry.events, entry.first_seq):
                recorded = Recorded(entry.home, entry.stream, seq, entry.stamp, event)
                db.journal.put((entry.home, entry.stream, seq), Entry(len(db.journal), recorded))

    carry(patch, "journal", step)
    alter(patch, "journal", lambda found: found[:5])  # and two writers have read the same number


@breaks("a_stores_journal_comes_by_time_from_start_to_before_end")
def a_stores_journal_with_its_end(patch: Patch) -> None:
    def longer(original: Any, tx: Any, home: str, start: Any, end: Any, **rest: Any) -> Any:
        return original(tx, home, start, end + samples.MINUTE / 2, **rest)

    method(patch, "journal_of_store", longer)


@breaks("a_stores_journal_comes_by_time_from_start_to_before_end")
def a_stores_journal_by_streams(patch: Patch) -> None:
    alter(patch, "journal_of_store", lambda found: tuple(sorted(found, key=lambda one: (one.stream, one.seq))))


@breaks("paging_through_a_stores_journal_loses_and_repeats_none")
def a_stores_journal_paged_by_time_alone(patch: Patch) -> None:
    def page(original: Any, tx: Any, *args: Any, after: Any, **rest: Any) -> Any:
        return original(tx, *args, after=after and (after[0], "~", 0), **rest)

    method(patch, "journal_of_store", page)


# --- consumers --------------------------------------------------------------------------------------------


@breaks("nobody_is_sent_anything_without_asking", "an_undone_subscription_is_none")
def everybody_is_sent_everything(patch: Patch) -> None:
    def every(original: Any, tx: Any, consumer: str, limit: int) -> Any:
        return tuple(entry.recorded for entry in tx.database.journal.rows())[:limit]

    method(patch, "undelivered", every)


@breaks("a_subscriber_gets_every_event_from_then_on")
def always_from_the_start(patch: Patch) -> None:
    method(patch, "subscribe", lambda original, tx, consumer, from_start: original(tx, consumer, from_start=True))


@breaks(
    "a_subscriber_from_the_start_gets_the_earlier_ones_too",
    "subscribing_beside_a_running_command_misses_nothing",
)
def never_from_the_start(patch: Patch) -> None:
    method(patch, "subscribe", lambda original, tx, consumer, from_start: original(tx, consumer, from_start=False))


@breaks("a_delivered_event_is_what_the_journal_holds")
def deliveries_with_the_stamp_of_the_relay(patch: Patch) -> None:
    stamp = samples.stamp(actor="system:relay")
    alter(patch, "undelivered", lambda found: tuple(evolve(one, stamp=stamp) for one in found))


@breaks("the_oldest_events_come_first")
def deliveries_stream_by_stream(patch: Patch) -> None:
    def by_stream(original: Any, tx: Any, consumer: str, limit: int) -> Any:
        return tuple(sorted(original(tx, consumer, 99), key=lambda one: (one.stream, one.seq))[:limit])

    method(patch, "undelivered", by_stream)


@breaks(
    "a_stream_is_delivered_in_its_own_order_whatever_the_clocks_said",
    "drained_in_small_parts_nothing_is_lost_repeated_or_out_of_order",
)
def deliveries_by_the_clock(patch: Patch) -> None:
    def by_clock(original: Any, tx: Any, consumer: str, limit: int) -> Any:
        return tuple(sorted(original(tx, consumer, 99), key=lambda one: one.stamp.at)[:limit])

    method(patch, "undelivered", by_clock)


@breaks(
    "acknowledged_events_are_not_delivered_again",
    "acknowledging_twice_does_nothing",
    "drained_in_small_parts_nothing_is_lost_repeated_or_out_of_order",
    "an_event_that_commits_late_is_delivered_all_the_same",
)
def acknowledgements_that_are_lost(patch: Patch) -> None:
    method(patch, "acknowledge", lambda original, tx, consumer, events: None)


@breaks(
    "what_is_not_acknowledged_is_delivered_again",
    "drained_in_small_parts_nothing_is_lost_repeated_or_out_of_order",
)
def deliveries_that_are_sent_once(patch: Patch) -> None:
    sent: set[str] = set()

    def once(original: Any, tx: Any, consumer: str, limit: int) -> Any:
        found = [one for one in original(tx, consumer, limit) if one.id not in sent]
        sent.update(one.id for one in found[::2])
        return tuple(found)

    method(patch, "undelivered", once)


@breaks("acknowledging_twice_does_nothing")
def acknowledging_takes_the_next_ones(patch: Patch) -> None:
    def acknowledge(original: Any, tx: Any, consumer: str, events: Any) -> None:
        original(tx, consumer, tx.undelivered(consumer, len(tuple(events))))

    method(patch, "acknowledge", acknowledge)


@breaks("consumers_do_not_acknowledge_for_each_other")
def one_acknowledges_for_all(patch: Patch) -> None:
    def acknowledge(original: Any, tx: Any, consumer: str, events: Any) -> None:
        for each in list(tx.database.consumers):
            original(tx, each, events)

    method(patch, "acknowledge", acknowledge)


@breaks("subscribing_again_changes_nothing")
def subscribing_again_begins_again(patch: Patch) -> None:
    def subscribe(original: Any, tx: Any, consumer: str, from_start: bool) -> None:
        tx.database.consumers.drop(consumer)
        original(tx, consumer, from_start=from_start)

    method(patch, "subscribe", subscribe)


@breaks("events_of_an_undone_transaction_are_delivered_to_nobody")
def deliveries_before_the_commit(patch: Patch) -> None:
    def flush(original: Any, tx: Any) -> None:
        original(tx)
        tx.database.undo.forget()

    method(patch, "flush", flush)


@breaks("an_undone_acknowledgement_delivers_again", "an_undone_subscription_is_none")
def consumers_outside_of_the_transaction(patch: Patch) -> None:
    for name in ("subscribe", "acknowledge"):

        def outside(original: Any, tx: Any, *args: Any, **named: Any) -> None:
            original(tx, *args, **named)
            tx.database.undo.forget()

        method(patch, name, outside)


@breaks("a_subscriber_gets_every_event_from_then_on", "a_subscriber_from_the_start_gets_the_earlier_ones_too")
def only_the_newest_event_is_delivered(patch: Patch) -> None:
    method(patch, "undelivered", lambda original, tx, consumer, limit: original(tx, consumer, 99)[-1:])


# --- answers ----------------------------------------------------------------------------------------------


@breaks("an_answer_that_was_never_given_is_none")
def answers_from_nowhere(patch: Patch) -> None:
    alter(patch, "answer", lambda answer: answer or ANSWER)


@breaks("an_answer_comes_back_as_it_was_written")
def answers_without_their_request(patch: Patch) -> None:
    alter(patch, "answer", lambda answer: answer and evolve(answer, request=""))


@breaks("home_scope_and_key_tell_answers_apart")
def answers_by_key_alone(patch: Patch) -> None:
    rewrite(patch, "answers", lambda answer: evolve(answer, home="", scope=""))
    method(patch, "answer", lambda original, tx, home, scope, key: original(tx, "", "", key))


@breaks("a_key_is_answered_once", "a_repeated_key_undoes_the_command", "of_two_commands_under_one_key_one_is_answered")
def answers_written_over(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for one in writes:
            db.answers.put((one.home, one.scope, one.key), one)

    carry(patch, "answers", step)


@breaks("answers_older_than_the_limit_are_forgotten")
def answers_of_the_limit_are_forgotten_too(patch: Patch) -> None:
    tick = samples.MINUTE / 10**6
    method(patch, "forget_answers", lambda original, tx, before, limit: original(tx, before + tick, limit))


@breaks("no_more_answers_are_forgotten_than_asked_for")
def all_old_answers_are_forgotten_at_once(patch: Patch) -> None:
    method(patch, "forget_answers", lambda original, tx, before, limit: original(tx, before, 99))


@breaks("answers_older_than_the_limit_are_forgotten", "a_forgotten_key_may_be_used_again")
def answers_that_are_never_forgotten(patch: Patch) -> None:
    method(patch, "forget_answers", lambda original, tx, before, limit: 2)
