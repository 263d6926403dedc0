"""A payment provider in memory: it keeps what a real one keeps, refuses what a real one refuses, and fails on
command.

What it does with a card is chosen by the card's token, and at the counter by the reader's id, as in a provider's test
mode: see `provider`.

Beside the tokens there are levers (`lose_next_reply`, `drop_next_request`, `fail_next`, `forget_keys`,
`expire`), and `payments` and `effects` show the provider's own books, to be compared with ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from omniorder.domain.money import Money
from omniorder.domain.payments import Operation, Payment
from omniorder.errors import NotFound
from omniorder.ports.clock import Clock, SystemClock
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capabilities,
    Capture,
    Collect,
    Denied,
    Extend,
    Increase,
    Listed,
    LookUp,
    NeedsAction,
    NoAnswer,
    Notice,
    Refund,
    Void,
)
from omniorder.testing import webhooks
from omniorder.testing.books import Books, id_of, no_reply
from omniorder.testing.provider import (
    VOIDABLE,
    ProviderOperation,
    ProviderPayment,
    ProviderState,
    approved,
    brand,
    not_adjustable,
    not_authorisable,
    not_capturable,
    not_refundable,
    standing,
)

__all__ = ["FakeGateway", "ProviderOperation", "ProviderPayment", "ProviderState"]

_WALLETS: Final = frozenset({"apple_pay", "google_pay"})


class FakeGateway(Books):
    """A gateway for tests and demonstrations. Thread-safe; every call sees the effect of the last.

    Its capabilities are arguments; `remembers` is how long it knows a key, by `clock`; `secret` signs
    webhooks.
    """

    def __init__(
        self,
        *,
        partial_capture: bool = True,
        several_captures: bool = False,
        partial_refund: bool = True,
        remembers: timedelta = timedelta(hours=24),
        immediate: bool = True,
        lifetimes: Mapping[str, timedelta] | None = None,
        extension: bool = False,
        incremental: bool = False,
        reuse: bool = False,
        in_person: bool = True,
        links: bool = True,
        wallets: Iterable[str] = _WALLETS,
        lists: bool = True,
        asks_after: timedelta | None = None,
        clock: Clock | None = None,
        secret: bytes = b"fake-webhook-secret",
    ) -> None:
        can = Capabilities(
            partial_capture, several_captures, partial_refund, remembers,
            immediate=immediate, lifetimes=lifetimes or {}, extension=extension, incremental=incremental,
            reuse=reuse, in_person=in_person, links=links, wallets=frozenset(wallets), lists=lists,
            asks_after=asks_after,
        )  # fmt: skip
        super().__init__(can, clock or SystemClock())
        self._secret = secret

    # --- the port ---

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do."""
        return self._capabilities

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        """Set money aside, as the token says."""
        answer = self._once(request, Operation.AUTHORISE, lambda denied: self._authorise(request, denied))
        if isinstance(answer, NoAnswer):
            raise no_reply()
        return answer

    def capture(self, request: Capture) -> Approved | Denied:
        """Take what is set aside: never more than that, and only once where the capabilities say so."""
        return self._once(request, Operation.CAPTURE, lambda denied: self._capture(request, denied))

    def void(self, request: Void) -> Approved | Denied | Absent:
        """Give back what is set aside, and stop a card reader that waits."""
        return self._once(request, Operation.VOID, lambda denied: self._void(request, denied))

    def refund(self, request: Refund) -> Approved | Denied:
        """Send captured money back: never more than was captured."""
        return self._once(request, Operation.REFUND, lambda denied: self._refund(request, denied))

    def increase(self, request: Increase) -> Approved | Denied:
        """Set more aside, where the capabilities say so."""
        return self._once(request, Operation.INCREASE, lambda denied: self._adjust(request, denied))

    def extend(self, request: Extend) -> Approved | Denied:
        """Begin the lifetime of what is set aside anew, where the capabilities say so."""
        return self._once(request, Operation.EXTEND, lambda denied: self._adjust(request, denied))

    def collect(self, request: Collect) -> Approved | NeedsAction | Denied:
        """Ask for a card at a reader."""
        answer = self._once(request, Operation.COLLECT, lambda denied: self._collect(request, denied))
        if isinstance(answer, NoAnswer):
            raise no_reply()
        return answer

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        """The outcome of the operation on file under this key; the file outlives the memory for keys."""
        with self._lock:
            self.requests.append(request)
            luck = self._next_luck(None)
            answer = self._on_file(request.payment, request.key, request.operation)
        if luck.lost:
            raise no_reply()
        return answer

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        """Everything that was created within [since, until), declined payments too."""
        for one in self.payments:
            if since <= one.created_at < until:
                yield Listed(one.id, one.payment, one.created_at, one.authorised, one.captured, one.refunded, one.open)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify and read a webhook; raises `BadWebhook`."""
        return webhooks.read(self._secret, headers, body, self._clock.now())

    # --- the customer and time ---

    def complete_action(self, payment: str | Payment) -> None:
        """The customer did what was asked (or the provider is done at last): approved."""
        with self._lock:
            self._approve(self._waiting(payment))

    def fail_action(self, payment: str | Payment, reason: str = "authentication_failed") -> None:
        """The customer did not do what was asked: declined."""
        with self._lock:
            self._decline(self._waiting(payment), reason)

    def present_card(self, reader: str) -> None:
        """The customer holds a card to this reader: the money is taken."""
        with self._lock:
            self._approve(self._asking_at(reader))

    def decline_card(self, reader: str, reason: str = "card_declined") -> None:
        """The customer holds a card to this reader, and it is declined."""
        with self._lock:
            self._decline(self._asking_at(reader), reason)

    def walk_away(self, reader: str) -> None:
        """The customer presses cancel at this reader, or leaves."""
        self.decline_card(reader, "cancelled_by_customer")

    def expire(self, payment: str | Payment) -> None:
        """The authorisation grew too old: what is not captured is the customer's again."""
        with self._lock:
            found = self._find(id_of(payment), "")
            if found is None or found.state is not ProviderState.AUTHORISED:
                raise NotFound("authorised payment", id_of(payment))
            self._file(evolve(found, state=ProviderState.EXPIRED))

    # --- webhooks ---

    def signed_webhook(
        self, payment: str | Payment, kind: str, *, age: timedelta = timedelta(0)
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook that tells about this payment, sent `age` ago."""
        with self._lock:
            event = {"id": f"evt_fake_{next(self._numbers)}", "type": kind, "data": {"payment": id_of(payment)}}
        return self.sign(json.dumps(event).encode(), age=age)

    def sign(self, body: bytes, *, age: timedelta = timedelta(0)) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook with any body at all, as only the provider can sign it."""
        signature = webhooks.sign(self._secret, body, self._clock.now() - age)
        return {"Content-Type": "application/json", webhooks.HEADER: signature}, body

    # --- what an operation does ---

    def _authorise(
        self, request: Authorise, denied: str
    ) -> tuple[ProviderPayment, Approved | NeedsAction | Denied | NoAnswer]:
        none = Money(0, request.amount.currency)
        number, at = f"pi_fake_{next(self._numbers)}", self._clock.now()
        lasts = self._capabilities.lifetimes.get(brand(request.token), self._capabilities.lifetimes.get(""))
        asked = ProviderPayment(
            number, request.payment, request.order, request.token, request.amount, ProviderState.PENDING,
            authorised=none, captured=none, refunded=none, created_at=at, method=request.method,
            instant=request.now or request.token == "pm_card_instant", until=at + lasts if lasts else None,
        )  # fmt: skip
        can = self._capabilities
        denied = not_authorisable(request.token, request.method, request.amount, can, now=request.now) or denied
        if denied:
            asked = evolve(asked, state=ProviderState.DECLINED, reason=denied)
        elif request.token in ("", "pm_card_3ds"):
            asked = evolve(asked, state=ProviderState.REQUIRES_ACTION)
        elif request.token != "pm_card_pending":
            asked = approved(asked)
        return asked, standing(asked)

    def _capture(self, request: Capture, denied: str) -> tuple[ProviderPayment | None, Approved | Denied]:
        found = self._find(request.payment, request.provider_id)
        if found is None:
            return None, Denied("no_such_payment")
        if why := not_capturable(found, request.amount, self._capabilities) or denied:
            return found, Denied(why)
        taken = found.captured + request.amount
        final = request.final or taken == found.authorised or not self._capabilities.several_captures
        state = ProviderState.CAPTURED if final else ProviderState.AUTHORISED
        return evolve(found, captured=taken, state=state), Approved(request.amount, found.id, open=not final)

    def _void(self, request: Void, denied: str) -> tuple[ProviderPayment | None, Approved | Denied | Absent]:
        found = self._find(request.payment, request.provider_id)
        if found is None:
            return None, Absent()
        if denied:
            return found, Denied(denied)
        if found.state is ProviderState.CAPTURED:
            return found, Denied("already_captured", found.captured)
        released = found.open
        if found.state in VOIDABLE:
            found = evolve(found, state=ProviderState.VOIDED)
        return found, Approved(released, found.id)

    def _refund(self, request: Refund, denied: str) -> tuple[ProviderPayment | None, Approved | Denied]:
        found = self._find(request.payment, request.provider_id)
        if found is None:
            return None, Denied("no_such_payment")
        if why := not_refundable(found, request.amount, self._capabilities) or denied:
            return found, Denied(why)
        number = f"re_fake_{next(self._numbers)}"
        return evolve(found, refunded=found.refunded + request.amount), Approved(request.amount, number)

    def _adjust(self, request: Increase | Extend, denied: str) -> tuple[ProviderPayment | None, Approved | Denied]:
        """More money, or more time."""
        found = self._find(request.payment, request.provider_id)
        if found is None:
            return None, Denied("no_such_payment")
        raises = isinstance(request, Increase)
        if why := not_adjustable(found, request.amount, self._capabilities, raises=raises) or denied:
            return found, Denied(why)
        if raises:
            found = evolve(found, authorised=request.amount)
        elif found.until is not None:
            lifetimes = self._capabilities.lifetimes
            lasts = lifetimes.get(brand(found.token), lifetimes.get(""))
            found = evolve(found, until=self._clock.now() + lasts if lasts else None)
        return found, Approved(request.amount, found.id, until=found.until)

    def _collect(
        self, request: Collect, denied: str
    ) -> tuple[ProviderPayment, Approved | NeedsAction | Denied | NoAnswer]:
        none, reader = Money(0, request.amount.currency), request.reader
        asked = ProviderPayment(
            f"pi_fake_{next(self._numbers)}", request.payment, request.order, "pm_card_visa", request.amount,
            ProviderState.REQUIRES_ACTION, authorised=none, captured=none, refunded=none,
            created_at=self._clock.now(), instant=True, reader=reader,
        )  # fmt: skip
        if not self._capabilities.in_person:
            denied = "in_person_unsupported"
        elif request.amount.amount <= 0:
            denied = "amount_invalid"
        elif self._at(reader) is not None:
            denied = "reader_busy"
        if denied:
            asked = evolve(asked, state=ProviderState.DECLINED, reason=denied)
        elif reader == "tmr_visa":
            asked = approved(asked)
        return asked, standing(asked)

    # --- what waits ---

    def _approve(self, waiting: ProviderPayment) -> None:
        self._file(approved(waiting))
        self._count(waiting.operations[0].key)

    def _decline(self, waiting: ProviderPayment, reason: str) -> None:
        self._file(evolve(waiting, state=ProviderState.DECLINED, reason=reason))

    def _waiting(self, payment: str | Payment) -> ProviderPayment:
        found = self._find(id_of(payment), "")
        if found is None or found.state not in (ProviderState.PENDING, ProviderState.REQUIRES_ACTION):
            raise NotFound("waiting payment", id_of(payment))
        return found

    def _at(self, reader: str) -> ProviderPayment | None:
        """The payment that this reader waits for a card for."""
        waiting = (one for one in self._payments.values() if one.state is ProviderState.REQUIRES_ACTION)
        return next((one for one in waiting if one.reader == reader), None)

    def _asking_at(self, reader: str) -> ProviderPayment:
        found = self._at(reader)
        if found is None:
            raise NotFound("payment waiting at the card reader", reader)
        return found
