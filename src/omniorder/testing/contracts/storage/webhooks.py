"""Webhooks: one row for each, whoever brings it again, until it is old and nothing waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from omniorder.domain import webhooks as news
from omniorder.domain.money import Money
from omniorder.domain.webhooks import Webhook
from omniorder.errors import AlreadyThere, StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import TimerWrite, WebhookWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, together
from omniorder.testing.samples import MINUTE, NOW, SOFIA

PAYMENT = samples.paying(samples.order()).payments[0].id


def webhook(number: int = 1, *, minutes: int = 0, payment: str = PAYMENT, disputed: Money | None = None) -> Webhook:
    """One that came so many minutes after NOW, and is parked if its payment is ours."""
    at = NOW + minutes * MINUTE
    return news.received("card", f"evt_{number}", "payment.updated", payment, b"{}", at, disputed)


def every_webhook(number: int = 1) -> Mapping[str, Webhook]:
    """A webhook in each state."""
    new = webhook(number)
    return {
        "parked": new,
        "parked again": news.parked(news.parked(new)),
        "followed": news.followed(news.parked(new)),
        "ignored": webhook(number, payment="pi_of_somebody_else"),
        "given up": news.ignored(new),
        "disputed": webhook(number, disputed=Money(498, "EUR")),
    }


def take(storage: Storage, new: Webhook) -> Webhook:
    """Store a new webhook."""
    put(storage, webhooks=(WebhookWrite(None, new),))
    return new


def change(storage: Storage, before: Webhook, after: Webhook) -> Webhook:
    """Store what became of it."""
    put(storage, webhooks=(WebhookWrite(before, after),))
    return after


def _stored(storage: Storage, made: Webhook) -> Webhook | None:
    return read(storage, lambda tx: tx.webhook(made.id))


def _forget(storage: Storage, minutes: int, limit: int = 10) -> int:
    with storage.transaction() as tx:
        return tx.forget_webhooks(NOW + minutes * MINUTE, limit)


class WebhookContract(StorageBench):
    """What a storage promises about webhooks."""

    def test_a_webhook_that_never_came_is_none(self, storage: Storage) -> None:
        assert _stored(storage, webhook()) is None
        assert _stored(storage, webhook(payment="")) is None

    def test_a_webhook_in_any_state_comes_back_as_it_was_written(self, storage: Storage) -> None:
        for name, made in samples.one_of_each(every_webhook).items():
            assert _stored(storage, take(storage, made)) == made, name

    def test_every_step_of_a_webhook_comes_back(self, storage: Storage) -> None:
        before = take(storage, webhook(disputed=Money(1, "JPY")))
        for after in (news.parked(before), news.parked(news.parked(before)), news.followed(before)):
            before = change(storage, before, after)
            assert _stored(storage, after) == after

    def test_a_webhook_is_taken_once(self, storage: Storage) -> None:
        first = take(storage, webhook())
        facts = refuses(storage, AlreadyThere, webhooks=(WebhookWrite(None, webhook(minutes=9)),))
        assert (facts["kind"], facts["id"]) == ("webhook", first.id)
        assert _stored(storage, first) == first

    def test_one_that_came_before_undoes_all_that_comes_with_it(self, storage: Storage) -> None:
        before = take(storage, webhook())
        timer = TimerWrite(SOFIA, before.id, NOW)
        refuses(storage, AlreadyThere, webhooks=(WebhookWrite(None, before),), timers=(timer,))
        assert read(storage, lambda tx: tx.stores_due(NOW, 9)) == ()

    def test_of_the_same_webhook_brought_at_once_one_is_taken(self, shared: Storage) -> None:
        brought = [webhook(minutes=number) for number in range(4)]
        results = together(*(partial(take, shared, one) for one in brought))
        taken = [one for one in results if isinstance(one, Webhook)]
        assert [type(one) for one in results if not isinstance(one, Webhook)] == [AlreadyThere] * 3
        assert [_stored(shared, brought[0])] == taken

    def test_a_step_from_another_state_of_a_webhook_is_refused(self, storage: Storage) -> None:
        """Its tries count too: of two who followed it in vain, the second looks again."""
        before = take(storage, webhook())
        now = change(storage, before, news.parked(before))
        facts = refuses(storage, StaleWrite, webhooks=(WebhookWrite(before, news.parked(before)),))
        assert (facts["kind"], facts["id"]) == ("webhook", before.id)
        over = change(storage, now, news.followed(now))
        refuses(storage, StaleWrite, webhooks=(WebhookWrite(now, news.parked(now)),))
        assert _stored(storage, before) == over

    def test_a_step_of_a_webhook_that_is_not_there_is_refused(self, storage: Storage) -> None:
        refuses(storage, StaleWrite, webhooks=(WebhookWrite(webhook(), news.followed(webhook())),))
        assert _stored(storage, webhook()) is None

    def test_webhooks_that_came_before_the_limit_are_forgotten(self, storage: Storage) -> None:
        """Those about nobody's payment too."""
        made = [news.followed(webhook(1)), webhook(2, minutes=1, payment=""), news.followed(webhook(3, minutes=2))]
        for one in made:
            take(storage, one)
        assert _forget(storage, 2) == 2
        assert [_stored(storage, one) for one in made] == [None, None, made[2]]
        assert _forget(storage, 2) == 0

    def test_a_parked_webhook_is_never_forgotten(self, storage: Storage) -> None:
        waiting = take(storage, news.parked(webhook()))
        assert _forget(storage, 60) == 0
        assert _stored(storage, waiting) == waiting

    def test_no_more_webhooks_are_forgotten_than_asked_for(self, storage: Storage) -> None:
        made = [take(storage, news.followed(webhook(number, minutes=9 - number))) for number in range(1, 6)]
        assert _forget(storage, 60, limit=2) == 2
        assert [one for one in made if _stored(storage, one)] == made[:3], "those that came last"
        assert [_forget(storage, 60, limit=2) for _ in range(3)] == [2, 1, 0]

    def test_a_forgotten_webhook_may_come_again(self, storage: Storage) -> None:
        take(storage, news.followed(webhook()))
        _forget(storage, 60)
        again = take(storage, webhook(minutes=99))
        assert _stored(storage, again) == again
