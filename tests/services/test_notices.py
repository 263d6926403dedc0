"""Messages to the customer: every occasion once it has happened, in order, and again until they are through."""

from __future__ import annotations

import logging

import pytest
from attrs import define, field

from omniorder.ports.notifications import Message, Occasion
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import GUEST, VISA, handed_over, placed, ready


@define
class Postman:
    """A notifier that keeps what it delivered, and is out of order when told."""

    delivered: list[Message] = field(factory=list)
    refuses: set[str] = field(factory=set)
    loses: list[Occasion] = field(factory=list)

    def notify(self, message: Message) -> None:
        if message.order in self.refuses:
            raise ConnectionError("the mail server is down")
        if message.occasion in self.loses:
            raise TimeoutError("the mail server is slow")
        self.delivered.append(message)

    def occasions(self, order: str) -> list[Occasion]:
        return [message.occasion for message in self.delivered if message.order == order]


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def served(open_shop: OpenShop, postman: Postman) -> Shop:
    return open_shop(notifier=postman, migrate=True)


def test_the_customer_is_told_when_it_is_confirmed_ready_and_collected(served: Shop, postman: Postman) -> None:
    order = ready(served)
    served.hub.sweep()
    handed_over(served, order)
    served.hub.sweep()
    assert postman.occasions(order.id) == [Occasion.CONFIRMED, Occasion.READY, Occasion.COLLECTED]


def test_the_customer_is_told_when_it_is_called_off_or_was_never_collected(served: Shop, postman: Postman) -> None:
    cancelled, forgotten = placed(served), ready(served)
    served.app.orders.cancel(cancelled.id)
    served.advance(days=5)
    served.hub.sweep()
    assert postman.occasions(cancelled.id)[-1] is Occasion.CANCELLED
    assert postman.occasions(forgotten.id)[-1] is Occasion.EXPIRED


def test_a_message_holds_ids_and_the_language_of_the_cart(served: Shop, postman: Postman) -> None:
    cart = served.app.carts.start(language="bg")
    served.app.carts.add(cart.id, Shop.MILK)
    slot = served.app.checkout.offers(cart.id)[0].slots[0].id
    order = served.app.checkout.place(served.app.checkout.promise(cart.id, slot=slot).id, pay=VISA)
    served.hub.sweep()
    (message,) = postman.delivered
    assert (message.owner, message.order, message.language) == ("customer:anna", order.id, "bg")


def test_nothing_is_told_twice(served: Shop, postman: Postman) -> None:
    placed(served)
    assert [served.hub.sweep().notified for _ in range(3)] == [1, 0, 0]
    assert len(postman.delivered) == 1


def test_a_message_that_fails_is_sent_again_and_holds_back_only_its_own_order(
    served: Shop, postman: Postman, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = ready(served), placed(served)
    postman.refuses = {first.id}
    with caplog.at_level(logging.CRITICAL):
        assert served.hub.sweep().notified == 1
    assert postman.occasions(second.id) == [Occasion.CONFIRMED]
    postman.refuses = set()
    assert served.hub.sweep().notified == 2
    assert postman.occasions(first.id) == [Occasion.CONFIRMED, Occasion.READY]


def test_what_comes_later_waits_for_what_comes_first(
    served: Shop, postman: Postman, caplog: pytest.LogCaptureFixture
) -> None:
    order = ready(served)
    postman.loses = [Occasion.CONFIRMED]
    with caplog.at_level(logging.CRITICAL):
        assert served.hub.sweep().notified == 0
    postman.loses = []
    served.hub.sweep()
    assert postman.occasions(order.id) == [Occasion.CONFIRMED, Occasion.READY]


def test_the_same_occasion_is_never_told_under_two_ids(served: Shop, postman: Postman) -> None:
    placed(served)
    placed(served, touch=served.stranger)
    served.hub.sweep()
    assert len({message.id for message in postman.delivered}) == len(postman.delivered) == 2


def test_without_a_notifier_nothing_is_told(shop: Shop) -> None:
    placed(shop)
    assert shop.hub.sweep().notified == 0


def test_what_happens_after_a_claim_is_told_to_the_customer(served: Shop, postman: Postman) -> None:
    order = placed(served, touch=served.guest)
    served.app.carts.claim(GUEST)
    served.hub.sweep()
    assert [(message.order, message.owner) for message in postman.delivered] == [(order.id, "customer:anna")]
