"""A sweep that is told to stop finishes what it has in hand, begins nothing more, and keeps nothing from others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniorder import Message
from omniorder.services import sweeps
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import placed

PROMISES = 3


def after(times: int) -> Callable[[], bool]:
    """Says stop from the time after so many on."""
    left = [times]

    def stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return stop


def with_lapsed_promises(shop: Shop) -> Shop:
    for _ in range(PROMISES):
        shop.promise(1)
    shop.clock.advance(minutes=16)
    return shop


@pytest.mark.parametrize("handled", [0, 1, 2])
def test_what_was_claimed_and_not_handled_is_there_for_others_at_once(shop: Shop, handled: int) -> None:
    with_lapsed_promises(shop)
    report = shop.hub.sweep(stop=after(1 + handled))  # it asks once before it claims
    assert (report.looked, report.more) == (handled, True)
    assert shop.hub.sweep().happened == {"PromiseLapsed": PROMISES - handled}


def test_without_giving_back_others_wait_for_the_lease_to_end(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""
    monkeypatch.setattr(sweeps, "_give_back", lambda *_: None)
    with_lapsed_promises(shop)
    shop.hub.sweep(stop=after(2))
    assert shop.hub.sweep().looked == 0
    later = shop.hub.settings.lease + shop.hub.settings.grace
    assert shop.advance(seconds=later.total_seconds() + 1).happened == {"PromiseLapsed": PROMISES - 1}


def test_a_timer_that_was_set_anew_meanwhile_is_not_given_back(shop: Shop) -> None:
    """Its promise was placed: the deadline is another one, and stays."""
    promise = shop.promise(1)
    shop.clock.advance(minutes=16)
    stop = after(1)

    def withdrawn() -> bool:
        stopped = stop()
        if stopped:
            shop.app.checkout.withdraw(promise.id)
        return stopped

    shop.hub.sweep(stop=withdrawn)
    assert shop.hub.sweep().looked == 0


def test_no_message_is_sent_after_it_was_told_to_stop(open_shop: OpenShop) -> None:
    sent: list[str] = []

    class Post:
        def notify(self, message: Message) -> None:
            sent.append(message.order)

    shop = open_shop(notifier=Post())
    shop.hub.sweep()
    orders = [placed(shop).id for _ in range(2)]
    shop.hub.sweep(stop=lambda: bool(sent))
    assert len(sent) == 1
    shop.hub.sweep()
    assert sorted(sent) == sorted(orders)
