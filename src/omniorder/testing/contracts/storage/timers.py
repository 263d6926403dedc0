"""Timers and wrong codes: each claimed by one worker at a time, each counted once."""

from __future__ import annotations

from datetime import datetime, timedelta

from omniorder.ports.storage import Storage
from omniorder.ports.writes import OrderWrite, Timer, TimerWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, repeated, together, undone
from omniorder.testing.samples import HOUR, MINUTE, NOW, SOFIA, VARNA

TICK = timedelta(microseconds=1)
LEASE = 5 * MINUTE


def _subject(number: int, store: str = SOFIA) -> str:
    return samples.order(number, store=store).id


def _set(
    storage: Storage, number: int, due_at: datetime | None, *, store: str = SOFIA, if_due_at: datetime | None = None
) -> None:
    put(storage, timers=(TimerWrite(store, _subject(number, store), due_at, if_due_at),))


def _claim(storage: Storage, at: datetime = NOW, *, store: str = SOFIA, limit: int = 10) -> tuple[Timer, ...]:
    return repeated(storage, lambda tx: tx.claim_timers(store, at, until=at + LEASE, limit=limit, now=at))


def _due(storage: Storage, at: datetime = NOW, limit: int = 10) -> tuple[str, ...]:
    return read(storage, lambda tx: tx.stores_due(at, limit))


class TimerContract(StorageBench):
    """What a storage promises about timers."""

    def test_a_timer_is_due_from_its_instant_on_and_not_before(self, storage: Storage) -> None:
        _set(storage, 1, NOW)
        assert (_due(storage, NOW - TICK), _claim(storage, NOW - TICK)) == ((), ())
        assert (_due(storage, NOW), _claim(storage, NOW)) == ((SOFIA,), (Timer(SOFIA, _subject(1), NOW),))

    def test_a_timer_set_again_is_moved(self, storage: Storage) -> None:
        _set(storage, 1, NOW)
        _set(storage, 1, NOW + HOUR)
        assert (_due(storage, NOW), _claim(storage, NOW)) == ((), ())
        assert _claim(storage, NOW + HOUR) == (Timer(SOFIA, _subject(1), NOW + HOUR),)

    def test_a_cleared_timer_is_gone(self, storage: Storage) -> None:
        _set(storage, 1, NOW)
        _set(storage, 1, None)
        assert (_due(storage), _claim(storage)) == ((), ())

    def test_clearing_a_timer_that_is_not_set_does_nothing(self, storage: Storage) -> None:
        _set(storage, 1, None)
        assert _due(storage) == ()

    def test_setting_one_timer_leaves_the_others(self, storage: Storage) -> None:
        _set(storage, 1, NOW)
        _set(storage, 2, NOW)
        _set(storage, 1, None)
        assert [timer.subject for timer in _claim(storage)] == [_subject(2)]

    def test_a_claimed_timer_is_not_claimed_again_until_the_claim_has_run_out(self, storage: Storage) -> None:
        _set(storage, 1, NOW)
        assert len(_claim(storage, NOW)) == 1
        assert (_due(storage, NOW + MINUTE), _claim(storage, NOW + MINUTE)) == ((), ())
        assert _claim(storage, NOW + LEASE) == ()
        later = NOW + LEASE + TICK
        assert (_due(storage, later), len(_claim(storage, later))) == ((SOFIA,), 1)

    def test_a_claim_counts_by_the_claimants_clock_not_by_what_is_due(self, storage: Storage) -> None:
        """Sweeps act a while after the due time: `at` lies before `now`."""
        _set(storage, 1, NOW)
        assert len(_claim(storage, NOW)) == 1
        with storage.transaction() as tx:
            found = tx.claim_timers(SOFIA, NOW, until=NOW + 2 * HOUR, limit=10, now=NOW + HOUR)
        assert len(found) == 1

    def test_a_timer_set_again_is_free_again(self, storage: Storage) -> None:
        _set(storage, 1, NOW)
        _claim(storage, NOW)
        _set(storage, 1, NOW + MINUTE)
        assert _due(storage, NOW + MINUTE) == (SOFIA,)
        assert [timer.due_at for timer in _claim(storage, NOW + MINUTE)] == [NOW + MINUTE]

    def test_a_timer_that_is_still_due_then_is_set_or_cleared(self, storage: Storage) -> None:
        for number, due_at in ((1, NOW + HOUR), (2, None)):
            _set(storage, number, NOW)
            _claim(storage, NOW)
            _set(storage, number, due_at, if_due_at=NOW)
        assert _claim(storage, NOW + HOUR) == (Timer(SOFIA, _subject(1), NOW + HOUR),)

    def test_a_timer_that_was_set_anew_is_left_as_it_is(self, storage: Storage) -> None:
        """A sweep that read before must not take back what a command has set since, nor a claim on that."""
        _set(storage, 1, NOW + MINUTE)
        for due_at in (NOW - MINUTE, None):
            _set(storage, 1, due_at, if_due_at=NOW)
        assert _claim(storage, NOW + MINUTE) == (Timer(SOFIA, _subject(1), NOW + MINUTE),)
        _set(storage, 1, NOW - MINUTE, if_due_at=NOW)
        assert _claim(storage, NOW + 2 * MINUTE) == ()

    def test_a_timer_that_is_gone_is_not_set_by_who_thinks_that_it_is_due(self, storage: Storage) -> None:
        _set(storage, 1, NOW, if_due_at=NOW)
        assert _claim(storage, NOW) == ()

    def test_timers_are_claimed_longest_overdue_first_and_no_more_than_asked_for(self, storage: Storage) -> None:
        for number, minutes in ((1, 1), (2, 2), (3, 3)):
            _set(storage, number, NOW - minutes * MINUTE)
        assert [timer.subject for timer in _claim(storage, limit=2)] == [_subject(3), _subject(2)]
        assert [timer.subject for timer in _claim(storage, limit=2)] == [_subject(1)]

    def test_timers_of_other_stores_are_not_claimed(self, storage: Storage) -> None:
        _set(storage, 1, NOW, store=VARNA)
        assert _claim(storage, store=SOFIA) == ()
        assert len(_claim(storage, store=VARNA)) == 1

    def test_stores_come_longest_overdue_first_and_no_more_than_asked_for(self, storage: Storage) -> None:
        for number, store, minutes in ((1, SOFIA, 3), (2, VARNA, 5), (3, "PLV01", 4), (4, SOFIA, 1)):
            _set(storage, number, NOW - minutes * MINUTE, store=store)
        assert _due(storage) == (VARNA, "PLV01", SOFIA)
        assert _due(storage, limit=2) == (VARNA, "PLV01")

    def test_a_claim_is_undone_with_its_transaction(self, storage: Storage) -> None:
        _set(storage, 1, NOW)
        with undone(storage) as tx:
            assert len(tx.claim_timers(SOFIA, NOW, until=NOW + LEASE, limit=10, now=NOW)) == 1
        assert len(_claim(storage)) == 1

    def test_workers_never_share_a_timer_and_forget_none(self, shared: Storage) -> None:
        for number in range(1, 25):
            _set(shared, number, NOW)

        def worker() -> list[str]:
            mine: list[str] = []
            for _ in range(12):
                mine += [timer.subject for timer in _claim(shared, limit=3)]
            return mine

        claimed = [subject for mine in together(*[worker] * 4) if isinstance(mine, list) for subject in mine]
        claimed += [timer.subject for timer in _claim(shared, limit=100)]
        assert sorted(claimed) == sorted(_subject(number) for number in range(1, 25))


class TryContract(StorageBench):
    """What a storage promises about counting wrong codes."""

    def test_tries_are_counted_up_to_the_limit(self, storage: Storage) -> None:
        order = _ordered(storage)
        assert [_try(storage, order) for _ in range(5)] == [1, 2, 3, None, None]

    def test_each_generation_has_tries_of_its_own(self, storage: Storage) -> None:
        order = _ordered(storage)
        assert [_try(storage, order, 1), _try(storage, order, 1), _try(storage, order, 2)] == [1, 2, 1]

    def test_each_order_has_tries_of_its_own(self, storage: Storage) -> None:
        one, two = _ordered(storage, 1), _ordered(storage, 2)
        assert [_try(storage, one), _try(storage, one), _try(storage, two)] == [1, 2, 1]

    def test_forgotten_tries_are_counted_anew(self, storage: Storage) -> None:
        order = _ordered(storage)
        _try(storage, order, 1)
        _try(storage, order, 2)
        with storage.transaction() as tx:
            tx.forget_tries(order, 1)
        assert [_try(storage, order, 1), _try(storage, order, 2)] == [1, 2]

    def test_forgetting_without_tries_does_nothing(self, storage: Storage) -> None:
        order = _ordered(storage)
        with storage.transaction() as tx:
            tx.forget_tries(order, 1)
        assert _try(storage, order) == 1

    def test_tries_at_the_same_time_are_all_counted(self, shared: Storage) -> None:
        order = _ordered(shared)
        counts = together(*[lambda: _try(shared, order, most=4)] * 6)
        assert sorted(count for count in counts if isinstance(count, int)) == [1, 2, 3, 4]
        assert counts.count(None) == 2

    def test_tries_of_former_generations_are_forgotten_a_few_at_a_time(self, storage: Storage) -> None:
        old, new = [f"gift_card:customer:{name}" for name in "abc"], "gift_card:customer:я"
        for subject in (*old, new, "gift:card", "handoff"):
            _try(storage, subject, 7)
        _try(storage, new, 8)
        assert [_forget_old(storage, limit=2) for _ in range(4)] == [2, 2, 0, 0]
        assert [_try(storage, subject, 7) for subject in (*old, new)] == [1, 1, 1, 1]
        assert [_try(storage, "gift:card", 7), _try(storage, "handoff", 7), _try(storage, new, 8)] == [2, 2, 2]


def _forget_old(storage: Storage, *, limit: int) -> int:
    return repeated(storage, lambda tx: tx.forget_old_tries("gift_card:", 8, limit))


def _ordered(storage: Storage, number: int = 1) -> str:
    order = samples.order(number)
    put(storage, orders=(OrderWrite(None, order),))
    return order.id


def _try(storage: Storage, order: str, generation: int = 1, *, most: int = 3) -> int | None:
    return repeated(storage, lambda tx: tx.count_try(order, generation, most))
