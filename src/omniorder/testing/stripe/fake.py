"""`FakeStripe`: a Stripe in memory, behind a real `StripeClient`, with the levers of bad luck and its own books."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import stripe

from omniorder.adapters.stripe.references import PAYMENT
from omniorder.adapters.stripe.webhooks import HEADER, signature
from omniorder.domain.payments import Payment
from omniorder.errors import NotFound
from omniorder.ports.clock import Clock, SystemClock
from omniorder.testing.provider import ProviderPayment
from omniorder.testing.stripe import intents, readers, refunds
from omniorder.testing.stripe.books import booked
from omniorder.testing.stripe.cards import CARDS, Card
from omniorder.testing.stripe.routes import Asked
from omniorder.testing.stripe.shelf import Object, Settings, Shelf
from omniorder.testing.stripe.transport import API_KEY, Luck, Switchboard, connected

__all__ = ["FakeStripe"]


class FakeStripe:
    """Stripe as far as a shop needs it: give `client` to a `StripeGateway`, and turn the `clock` of both.

    Cards are those of Stripe's test mode (`pm_card_visa`, `pm_card_chargeDeclined`, ...). `multicapture`,
    `incremental` and `extended` are what the merchant has switched on; `lasts` is how long an authorisation does, and
    `remembers` how long an idempotency key is known. `search_lag` is how late its search is. `readers` are the ids of
    the card readers. Thread-safe.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        multicapture: bool = False,
        incremental: bool = False,
        extended: bool = False,
        lasts: timedelta = timedelta(days=7),
        remembers: timedelta = timedelta(hours=24),
        search_lag: timedelta = timedelta(0),
        account: str = "",
        livemode: bool = False,
        webhook_secret: str = "whsec_fake",
        readers_at: tuple[str, ...] = ("tmr_counter",),
    ) -> None:
        self.webhook_secret: Final = webhook_secret
        settings = Settings(
            clock or SystemClock(), account, livemode, multicapture, incremental, extended, lasts, search_lag
        )
        self._shelf = Shelf(settings)
        self._switchboard = Switchboard(self._shelf, remembers, self._lapse, self._afterwards)
        self._told = 0
        self.client: Final = self.connect()
        for number in readers_at:
            readers.put_up(self._shelf, number)

    def connect(self, api_key: str = API_KEY, account: str = "") -> stripe.StripeClient:
        """Another client of the same Stripe: with a wrong key, say, or of another account."""
        return connected(self._switchboard, api_key, account)

    @property
    def requests(self) -> tuple[Asked, ...]:
        """Everything that arrived, the oldest first."""
        return tuple(self._switchboard.requests)

    # --- bad luck; each lever counts for the next request that may change something, and they queue ---

    def lose_next_reply(self, *, reading: bool = False) -> None:
        """It takes effect, but its reply never arrives. `reading`: of the next request that only asks."""
        self._next(Luck(lost=True), reading=reading)

    def drop_next_request(self, *, reading: bool = False) -> None:
        """It never arrives."""
        self._next(Luck(unheard=True), reading=reading)

    def go_well_next(self) -> None:
        """Nothing happens to the next one: for a lever that is meant for the one after it."""
        self._next(Luck())

    def fail_next(self, *, after: bool = False) -> None:
        """A 500, which is remembered under the key; `after`: though it took effect."""
        self._next(Luck(status=500, after=after))

    def throttle_next(self) -> None:
        """A 429: too many requests."""
        self._next(Luck(status=429, code="rate_limit"))

    def lock_next(self) -> None:
        """A 409: another request under this key is being carried out."""
        self._next(Luck(status=409, code="idempotency_key_in_use"))

    def time_out_reader_next(self) -> None:
        """Stripe can't tell whether the reader got what was sent to it. (It did.)"""
        self._next(Luck(status=400, code="terminal_reader_timeout", after=True))

    def misprice_next(self, units: int) -> None:
        """The next payment is made for so many units, whatever was asked for."""
        self._next(Luck(mispriced=units))

    def forget_keys(self) -> None:
        """Forget all idempotency keys: a request that is repeated acts again."""
        self._switchboard.forget_keys()

    # --- the customer, the bank and time ---

    def complete_action(self, payment: str | Payment) -> None:
        """The customer did what their bank wanted: approved."""
        with self._switchboard.lock:
            waiting = self._intent(payment, "requires_action")
            self._approve(waiting, CARDS.get(str(waiting["payment_method"]), Card()))

    def fail_action(self, payment: str | Payment, code: str = "payment_intent_authentication_failure") -> None:
        """The customer did not do it: declined."""
        with self._switchboard.lock:
            intents.fail(self._shelf, self._intent(payment, "requires_action"), code)

    def pay_by_link(self, payment: str | Payment, token: str = "pm_card_visa", *, wallet: str = "") -> None:
        """On their own device the customer chooses a card, or a wallet, for a payment that waits for one."""
        with self._switchboard.lock:
            waiting, card = self._intent(payment, "requires_payment_method"), CARDS[token]
            if card.code:
                intents.fail(self._shelf, waiting, card.code, card.decline_code)
                return
            chosen = Card(card.brand, wallet=wallet)
            self._approve({**waiting, "payment_method": token}, chosen)

    def present_card(self, reader: str, number: str = "4242424242424242") -> None:
        """A card is held to the reader, chip or contactless."""
        service = self.client.v1.test_helpers.terminal.readers
        options: stripe.RequestOptions = {}
        if self._shelf.settings.account:
            options["stripe_account"] = self._shelf.settings.account
        service.present_payment_method(reader, params={"card_present": {"number": number}}, options=options)

    def cancel_at_reader(self, reader: str) -> None:
        """The customer presses the red key."""
        with self._switchboard.lock:
            readers.decline_to_pay(self._shelf, reader)

    def unplug(self, reader: str) -> None:
        """The reader is offline."""
        with self._switchboard.lock:
            self._shelf.put({**self._shelf.get(reader, "reader"), "status": "offline"})

    def expire(self, payment: str | Payment) -> None:
        """The authorisation lapses now, whatever the clock says."""
        with self._switchboard.lock:
            number = self._intent(payment, "requires_capture")["id"]
            intents.lapse(self._shelf, lambda paid: bool(paid["payment_intent"] == number))

    def fail_refund(self, payment: str | Payment, reason: str = "expired_or_canceled_card") -> None:
        """The latest refund of this payment comes back."""
        with self._switchboard.lock:
            number = self._intent(payment)["id"]
            found = self._shelf.all("refund", lambda one: one["payment_intent"] == number and bool(one.get("charge")))
            if not found:
                raise NotFound("refund", number)
            refunds.bounce(self._shelf, found[0], reason)

    def dispute(self, payment: str | Payment, units: int | None = None, reason: str = "fraudulent") -> None:
        """The customer's bank takes so much back, or all of it."""
        with self._switchboard.lock:
            refunds.dispute(self._shelf, self._intent(payment), units, reason)

    def close_dispute(self, payment: str | Payment, status: str = "won") -> None:
        """The latest dispute is settled: "won" or "lost"."""
        with self._switchboard.lock:
            number = self._intent(payment)["id"]
            found = self._shelf.all("dispute", lambda one: bool(one["payment_intent"] == number))
            if not found:
                raise NotFound("dispute", number)
            refunds.close(self._shelf, found[0], status)

    # --- webhooks ---

    def webhooks(self) -> Iterator[tuple[dict[str, str], bytes]]:
        """What was not sent yet, signed, the oldest first: to be delivered in any order, and more than once."""
        with self._switchboard.lock:
            self._lapse()
            waiting, self._told = self._shelf.events[self._told :], len(self._shelf.events)
        return (self.sign(json.dumps(event).encode()) for event in waiting)

    def signed_webhook(
        self, payment: str | Payment, kind: str, *, age: timedelta = timedelta(0)
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook that tells about this payment, sent `age` ago."""
        with self._switchboard.lock:
            event = self._shelf.record(kind, self._intent(payment))
        return self.sign(json.dumps(event).encode(), age=age)

    def sign(self, body: bytes, *, age: timedelta = timedelta(0), secret: str = "") -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook with any body at all, as only Stripe can sign it."""
        sent = int((self._shelf.moment() - age).timestamp())
        mac = signature(secret or self.webhook_secret, str(sent), body)
        return {"Content-Type": "application/json", HEADER: f"t={sent},v1={mac}"}, body

    # --- the books ---

    @property
    def payments(self) -> tuple[ProviderPayment, ...]:
        """Every payment with our reference, the oldest first; what was declined or given back too."""
        with self._switchboard.lock:
            self._lapse()
            found = self._shelf.all("payment_intent", lambda one: PAYMENT in one["metadata"])
            return tuple(booked(self._shelf, one) for one in reversed(found))

    @property
    def effects(self) -> Mapping[str, int]:
        """How often each idempotency key moved or set aside money; more than once is somebody's mistake."""
        with self._switchboard.lock:
            return dict(self._shelf.effects)

    # --- inside ---

    def _next(self, luck: Luck, *, reading: bool = False) -> None:
        (self._switchboard.reading_luck if reading else self._switchboard.luck).append(luck)

    def _lapse(self) -> None:
        now = self._shelf.now()
        intents.lapse(self._shelf, lambda paid: _until(paid) <= now)

    def _approve(self, waiting: Object, card: Card) -> None:
        intents.settle(self._shelf, waiting, card)
        first = self._shelf.done[str(waiting["id"])][0].key
        self._shelf.effects[first] = self._shelf.effects.get(first, 0) + 1

    def _afterwards(self, asked: Asked, thing: Object) -> None:
        """What some test cards are for: it happens once the answer is given."""
        if asked.method != "post":
            return
        if thing["object"] == "refund" and refunds.bounces(self._shelf.get(str(thing["payment_intent"]), "intent")):
            refunds.bounce(self._shelf, self._shelf.get(str(thing["id"]), "refund"), "expired_or_canceled_card")
        card = CARDS.get(str(thing.get("payment_method")))
        taken = thing["object"] == "payment_intent" and thing["status"] == "succeeded"
        if taken and card is not None and card.disputed:
            refunds.dispute(self._shelf, self._shelf.get(str(thing["id"]), "intent"), None, "fraudulent")

    def _intent(self, payment: str | Payment, status: str = "") -> Object:
        number = payment if isinstance(payment, str) else payment.id

        def matches(one: Object) -> bool:
            return one["metadata"].get(PAYMENT) == number and (not status or one["status"] == status)

        found = self._shelf.all("payment_intent", matches)
        if not found:
            raise NotFound(f"payment {status}".strip(), number)
        return found[0]


def _until(paid: Mapping[str, Any]) -> int:
    details = paid["payment_method_details"]
    return int(details[details["type"]]["capture_before"] or 10**12)
