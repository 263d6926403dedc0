"""The table of faults: what goes wrong, what holds afterwards, and the guard without which it would not.

Each row is told three times: in words, as a scenario that asserts what holds, and as what has to be taken away for the
scenario to fail. A row whose scenario passes without its guard proves nothing, so that is tested too.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

import pytest
from attrs import evolve, frozen

from omniorder import Card, CartState, Money, Order, OrderState, PaymentState, Price, Settings, Stage, Tender, events
from omniorder.domain import coupling
from omniorder.domain.promises import Promise
from omniorder.errors import (
    CartChanged,
    GatewayFault,
    PaymentDeclined,
    QuoteChanged,
    StorageFull,
    StorageUnavailable,
)
from omniorder.ports.payments import Answer, Approved, Authorise, Capture, Denied, LookUp, NeedsAction
from omniorder.services import payments, placing, quoting, units
from omniorder.services.access import promise_for
from omniorder.services.journal import Journal
from omniorder.services.parts import Parts
from omniorder.testing.clock import FakeClock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import (
    INSTANT,
    PENDING,
    VISA,
    code,
    effects,
    level,
    only_order,
    part,
    placed,
    promised,
    ready,
    refused,
)
from tests.services.unruly import Killed, UnrulyGateway

DEADLINE: Final = timedelta(minutes=20)
"""Later than any order of these scenarios may be unpaid."""


class StubbornGateway(UnrulyGateway):
    """`fails_after`: the next authorisation takes effect, and its key then answers with an error of the provider."""

    fails_after = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._broken: set[str] = set()

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        if request.key in self._broken:
            raise GatewayFault(gateway="fake", reason="internal_error")
        answer = super().authorise(request)
        if self.fails_after:
            self.fails_after = False
            self._broken.add(request.key)
            raise GatewayFault(gateway="fake", reason="internal_error")
        return answer


@frozen
class Floor:
    """A shop whose provider can fail in every way, on one of the storages."""

    shop: Shop
    gateway: StubbornGateway

    @classmethod
    def opened(cls, open_shop: OpenShop) -> Floor:
        clock = FakeClock()
        gateway = StubbornGateway(clock=clock, remembers=timedelta(hours=2))
        settings = Settings(retry_for=timedelta(seconds=1))
        return cls(open_shop(clock=clock, gateway=gateway, settings=settings), gateway)

    @property
    def order(self) -> Order:
        return only_order(self.shop)

    def dies(self, call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        with pytest.raises(Killed):
            call(*args, **kwargs)

    def paid(self, tender: Tender | list[Tender] = VISA) -> Order:
        return self.shop.app.checkout.place(promised(self.shop).id, pay=tender)

    def on_commits(
        self, monkeypatch: pytest.MonkeyPatch, before: Callable[[], None], after: Callable[[], None]
    ) -> None:
        """Have something happen around every commit from now on."""
        storage = self.shop.hub._parts.storage
        real = storage.transaction

        @contextmanager
        def around() -> Generator[Any, None, None]:
            with real() as tx:
                yield tx
                before()
            after()

        monkeypatch.setattr(storage, "transaction", around)


Scenario = Callable[[Floor, pytest.MonkeyPatch], None]
Removal = Callable[[Floor, pytest.MonkeyPatch], None]


@frozen
class Fault:
    """One row: what goes wrong, what holds `afterwards`, the scenario, and how its guard is taken away."""

    what: str
    afterwards: str
    happens: Scenario
    without: Removal


# --- crashes ----------------------------------------------------------------------------------------------


def _die_once(*_: object) -> Callable[..., None]:
    lives = [1]

    def handler(*_: object) -> None:
        if lives:
            lives.clear()
            raise Killed

    return handler


def killed_before_the_intent(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    promise = promised(floor.shop)
    floor.shop.hub.on(events.OrderPlaced, _die_once())
    floor.dies(floor.shop.app.checkout.place, promise.id, pay=VISA)
    assert floor.gateway.requests == []
    assert floor.shop.app.orders.page().items == ()
    assert floor.shop.app.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED


def killed_before_the_call(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.gateway.kill_before = "authorise"
    floor.dies(floor.paid)
    floor.shop.advance(minutes=1)
    assert floor.order.state is OrderState.CONFIRMED
    assert effects(floor.shop) == [1]
    assert list(floor.gateway.effects) == [floor.order.payments[0].attempts[0].id]


def killed_before_the_result(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.gateway.kill_after = "authorise"
    floor.dies(floor.paid)
    floor.shop.advance(minutes=1)
    assert floor.order.state is OrderState.CONFIRMED
    assert effects(floor.shop) == [1]


def killed_during_recovery(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.gateway.kill_after = "authorise"
    floor.dies(floor.paid)
    floor.shop.clock.advance(minutes=1)
    floor.gateway.kill_after = "look_up"
    try:
        floor.shop.hub.sweep()
    except Killed:
        floor.shop.advance(minutes=2)
    assert floor.order.state is OrderState.CONFIRMED
    assert effects(floor.shop) == [1]


def _call_before_committing(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    real = placing._accept

    def eager(unit: units.Unit, *args: Any, **kwargs: Any) -> Any:
        order, ours = real(unit, *args, **kwargs)
        for p in order.payments:
            floor.gateway.authorise(Authorise(p.id, p.attempts[0].id, order.id, p.token, p.amount))
        return order, ours

    def eager_and_early(unit: units.Unit, *args: Any, **kwargs: Any) -> Any:
        floor.gateway.authorise(
            Authorise("pay_SOF01_000000_1", "early", "SOF01-000000", "pm_card_visa", Money(1, "EUR"))
        )
        return eager(unit, *args, **kwargs)

    monkeypatch.setattr(placing, "_accept", eager_and_early)


def _no_timer_for_calls(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    def deadlines_only(order: Order, *_: object) -> datetime | None:
        return order.pay_by if order.state is OrderState.PLACED else None

    monkeypatch.setattr(coupling, "due", deadlines_only)


def _a_new_key_each_time(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)

    def anew(parts: Parts, order: Order, payment: Any, attempt: Any, now: datetime) -> Answer:
        key = f"{attempt.id}_{next(numbers)}"
        return payments._call(
            lambda: floor.gateway.authorise(Authorise(payment.id, key, order.id, payment.token, attempt.amount)),
            attempt,
        )

    monkeypatch.setattr(payments, "ask", anew)


# --- the database -----------------------------------------------------------------------------------------


def commit_in_doubt(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    before, news = level(floor.shop)[0], [1]

    def fall_silent() -> None:
        if news:
            news.clear()
            raise StorageUnavailable(reason="the connection was lost")

    floor.on_commits(monkeypatch, lambda: None, fall_silent)
    floor.shop.office.stock.receive(Shop.SOFIA, Shop.MILK, 5)
    assert level(floor.shop)[0] == before + 5


def conflict(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    promise, conflicts = promised(floor.shop), [1, 1, 1]

    def collide() -> None:
        if conflicts:
            conflicts.pop()
            raise StorageUnavailable(reason="could not serialise access")

    floor.on_commits(monkeypatch, collide, lambda: None)
    assert floor.shop.app.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED
    assert effects(floor.shop) == [1]


def disk_full(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    promise, full = promised(floor.shop), [1]

    def fail() -> None:
        if full:
            full.clear()
            raise StorageFull(reason="disk full")

    floor.on_commits(monkeypatch, fail, lambda: None)
    refused(StorageFull, floor.shop.app.checkout.place, promise.id, pay=VISA)
    assert floor.gateway.requests == []
    assert floor.shop.app.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED


def connection_lost(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    cart, gone = floor.shop.app.carts.start(), [True]

    def lose() -> None:
        if gone:
            raise StorageUnavailable(reason="the connection was lost")

    floor.on_commits(monkeypatch, lose, lambda: None)
    error = refused(StorageUnavailable, floor.shop.app.carts.add, cart.id, Shop.BREAD)
    assert error.retry
    gone.clear()
    assert floor.shop.app.carts.get(cart.id) == cart


def not_published(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.shop.hub.journal.subscribe("mailer")
    floor.paid()
    told = floor.shop.hub.journal.pull("mailer", limit=100)
    assert told
    # whoever was to publish them dies here
    again = floor.shop.hub.journal.pull("mailer", limit=100)
    assert [one.id for one in again] == [one.id for one in told]
    floor.shop.hub.journal.acknowledge("mailer", again)
    assert not floor.shop.hub.journal.pull("mailer", limit=100)


def _commit_before_it_is_lost(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Floor.on_commits

    def later(floor: Floor, monkeypatch: pytest.MonkeyPatch, before: Callable[[], None], _: object) -> None:
        real(floor, monkeypatch, lambda: None, before)

    monkeypatch.setattr(Floor, "on_commits", later)
    monkeypatch.setattr(units.Unit, "is_on_record", lambda self: False)


def _forget_what_was_handed_out(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Journal.pull

    def pulled_once(journal: Journal, consumer: str, **options: Any) -> Any:
        found = real(journal, consumer, **options)
        journal.acknowledge(consumer, found)
        return found

    monkeypatch.setattr(Journal, "pull", pulled_once)


def _no_look_at_the_journal(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units.Unit, "is_on_record", lambda self: False)


def _no_second_try(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "repeatable", lambda error: False)


# --- the provider -----------------------------------------------------------------------------------------


def silence_beyond_memory(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.gateway.drop_next_request()
    order = placed(floor.shop, lasts=timedelta(hours=5), nth=11)
    asked = len(floor.gateway.requests)
    floor.gateway.forget_keys()
    floor.shop.advance(hours=3)
    assert {type(request) for request in floor.gateway.requests[asked:]} == {LookUp}
    assert floor.shop.app.orders.get(order.id).payments[0].state is PaymentState.DECLINED


def failure_that_is_remembered(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.gateway.fails_after = True
    order = floor.paid()
    floor.shop.advance(minutes=1)
    assert floor.shop.app.orders.get(order.id).state is OrderState.CONFIRMED
    assert effects(floor.shop) == [1]


def lost_reply_of_a_capture(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ready(floor.shop)
    floor.gateway.lose_next_reply()
    with pytest.raises(Exception, match=order.id):
        floor.shop.store.pickups.hand_over(order.id, code=code(floor.shop, order))
    floor.shop.advance(minutes=3)
    assert floor.order.stage is Stage.COLLECTED
    assert sum(isinstance(request, Capture) for request in floor.gateway.requests) == 1
    check_all(floor.shop.hub, gateways={"card": floor.gateway})


def _everything_is_remembered_for_ever(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.gateway._capabilities = evolve(floor.gateway.capabilities, remembers=timedelta(days=10_000))


def _no_look_up(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    def sent_again(parts: Parts, order: Order, payment: Any, attempt: Any, now: datetime) -> Answer:
        return payments._call(lambda: payments._make(parts.gateway(payment.kind), order, payment, attempt), attempt)

    monkeypatch.setattr(payments, "ask", sent_again)


# --- money that is not wanted any more --------------------------------------------------------------------


def paid_after_the_promise_lapsed(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    order = floor.paid(PENDING)
    floor.shop.clock.advance(minutes=DEADLINE.total_seconds() / 60)
    floor.gateway.complete_action(order.payments[0])
    floor.shop.hub.sweep()
    floor.shop.advance(minutes=1)
    assert floor.order.state is OrderState.EXPIRED
    (held,) = floor.gateway.payments
    assert (held.open.amount, held.captured.amount) == (0, 0)
    assert floor.shop.app.carts.get(order.cart_id).state is CartState.OPEN
    check_all(floor.shop.hub, gateways={"card": floor.gateway})


def charged_after_the_promise_lapsed(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.gateway.down = True
    order = floor.paid(INSTANT)
    floor.shop.clock.advance(minutes=DEADLINE.total_seconds() / 60)
    attempt = order.payments[0].attempts[0]
    floor.gateway.down = False
    floor.gateway.authorise(Authorise(order.payments[0].id, attempt.id, order.id, "pm_card_instant", attempt.amount))
    for _ in range(3):
        floor.shop.advance(minutes=1)
    (held,) = floor.gateway.payments
    assert held.captured == held.refunded
    assert floor.order.state is OrderState.EXPIRED
    check_all(floor.shop.hub, gateways={"card": floor.gateway})


def rest_never_collected(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ready(floor.shop)
    floor.shop.store.pickups.hand_over(order.id, code=code(floor.shop, order), lines=part(order, 1))
    floor.shop.advance(days=14)
    assert floor.order.stage is Stage.COLLECTED
    (held,) = floor.gateway.payments
    assert (held.captured.amount, held.refunded.amount) == (498, 249)
    check_all(floor.shop.hub, gateways={"card": floor.gateway})


def second_tender_declined(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    tenders: list[Tender] = [Card("pm_card_visa", amount=Money(200, "EUR")), Card("pm_card_declined")]
    refused(PaymentDeclined, floor.paid, tenders)
    waiting = floor.order
    assert (waiting.state, floor.gateway.payments[0].open.amount) == (OrderState.PLACED, 200)
    floor.shop.advance(minutes=DEADLINE.total_seconds() / 60)
    assert floor.order.state is OrderState.EXPIRED
    assert floor.gateway.payments[0].open.amount == 0
    check_all(floor.shop.hub, gateways={"card": floor.gateway})


def _keep_what_is_set_aside(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupling, "_undo_money", lambda *_: ())
    real = coupling._close
    monkeypatch.setattr(coupling, "_close", lambda order, at: real(evolve(order, hold_until=at), at))


def _refund_nothing(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupling, "_refund", lambda *_: ())


# --- what the customer saw --------------------------------------------------------------------------------


def cart_changed(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    promise = promised(floor.shop)
    floor.shop.web.carts.add(promise.cart_id, Shop.BREAD)
    refused(CartChanged, floor.shop.app.checkout.place, promise.id, pay=VISA)
    assert floor.gateway.requests == []


def price_changed(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    cart = floor.shop.app.carts.start()
    floor.shop.app.carts.add(cart.id, Shop.MILK, 2)
    offer = next(o for o in floor.shop.app.checkout.offers(cart.id) if o.store.id == Shop.SOFIA)
    assert offer.quote is not None
    seen = offer.quote.total
    floor.shop.office.prices.put(Price(Shop.MILK, Money(300, "EUR"), tax="0.20"))
    error = refused(QuoteChanged, floor.shop.app.checkout.promise, cart.id, slot=offer.slots[0].id, expect=seen)
    assert error.quote.total == Money(600, "EUR")
    promise = floor.shop.app.checkout.promise(cart.id, slot=offer.slots[0].id, expect=Money(600, "EUR"))
    floor.shop.office.prices.put(Price(Shop.MILK, Money(900, "EUR"), tax="0.20"))
    assert floor.shop.app.checkout.place(promise.id, pay=VISA).total == Money(600, "EUR")


def _any_cart_will_do(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_the_cart_as_it_is(touch: Any, tx: Any, promise_id: str, *rest: Any) -> Promise:
        promise = promise_for(touch, tx, promise_id, *rest)
        return evolve(promise, lines_version=tx.cart(promise.cart_id).lines_version)

    monkeypatch.setattr("omniorder.services.placing.promise_for", of_the_cart_as_it_is)


def _any_price_will_do(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quoting, "as_seen", lambda expect, quote: None)


FAULTS: Final = (
    Fault("killed before the intent commits", "nothing happened",
          killed_before_the_intent, _call_before_committing),
    Fault("killed before the provider is called", "the sweep calls, under the same key",
          killed_before_the_call, _no_timer_for_calls),
    Fault("killed before the result commits", "the same key replays: one charge",
          killed_before_the_result, _a_new_key_each_time),
    Fault("killed during recovery itself", "it still converges",
          killed_during_recovery, _a_new_key_each_time),
    Fault("result committed, event not published", "published later, under the same id",
          not_published, _forget_what_was_handed_out),
    Fault("connection lost inside a transaction", "rolled back, and told as something to try again",
          connection_lost, _commit_before_it_is_lost),
    Fault("commit outcome unknown", "looked up before anything is repeated",
          commit_in_doubt, _no_look_at_the_journal),
    Fault("serialisation failure, deadlock, busy", "the transaction is repeated, bounded",
          conflict, _no_second_try),
    Fault("disk full", "a typed error, the transaction gone, no provider called",
          disk_full, _call_before_committing),
    Fault("provider time-out", "once the provider forgot the key, only looked up and never sent again",
          silence_beyond_memory, _everything_is_remembered_for_ever),
    Fault("provider error under a key", "read by our own reference",
          failure_that_is_remembered, _no_look_up),
    Fault("reply to a capture lost", "found by the sweep, captured once",
          lost_reply_of_a_capture, _no_timer_for_calls),
    Fault("authorised after the promise lapsed", "given back, and the cart is open",
          paid_after_the_promise_lapsed, _keep_what_is_set_aside),
    Fault("charged after the promise lapsed", "refunded",
          charged_after_the_promise_lapsed, _refund_nothing),
    Fault("a part is collected and the rest never", "the rest is released and refunded, the order completed",
          rest_never_collected, _refund_nothing),
    Fault("the second of two tenders is declined", "the first stays until the deadline, then both are undone",
          second_tender_declined, _keep_what_is_set_aside),
    Fault("cart changed between promise and payment", "refused",
          cart_changed, _any_cart_will_do),
    Fault("price changed between offer and promise", "refused with the new quote; a promised price is honoured",
          price_changed, _any_price_will_do),
)  # fmt: skip
