"""The payment port for Adyen: each operation is put down, sent once under its key, and answered as its page stands.

Adyen decides about an authorisation at once; about all that follows, a capture or a refund, it says "received" and
tells the outcome by a notification. And it has no call that reads a payment. So what `look_up` knows is what was
answered and what notifications told, kept in a `Book`; where that leaves an outcome open it is `NoAnswer`, which may be
sent again under the same key while Adyen remembers that, for seven days at least.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Literal, cast

from Adyen import Adyen
from attrs import evolve

from omniorder.adapters.adyen import bodies, news
from omniorder.adapters.adyen.amounts import payable
from omniorder.adapters.adyen.answering import answer
from omniorder.adapters.adyen.book import Book
from omniorder.adapters.adyen.calling import Rejected
from omniorder.adapters.adyen.checkout import Checkout, Details, link_of
from omniorder.adapters.adyen.entries import LINK, Entry, Step
from omniorder.adapters.adyen.lifetimes import LIFETIMES
from omniorder.adapters.adyen.notices import Item, Verifier
from omniorder.adapters.adyen.once import REMEMBERS, Pages, Plan, Send
from omniorder.adapters.adyen.readers import NOT_FOUND, Readers
from omniorder.adapters.adyen.standing import DISPUTES, Standing
from omniorder.domain.money import Money
from omniorder.errors import GatewayFault, GatewayTimeout, InvalidInput
from omniorder.ports.clock import Clock, SystemClock
from omniorder.ports.payments import (
    Absent,
    Answer,
    Approved,
    Authorise,
    Capabilities,
    Capture,
    Collect,
    Denied,
    Extend,
    Increase,
    LookUp,
    NeedsAction,
    NoAnswer,
    Notice,
    Operation,
    Refund,
    Void,
)

When = Literal["on_request", "on_notice"]
Request = Authorise | Capture | Void | Refund | Increase | Extend | Collect


class AdyenGateway:
    """A `PaymentGateway` on a configured `Adyen.Adyen` client, which needs an `http_timeout` of 25 seconds or less.

    - `client`: Adyen's own, with an API key, the platform, and a time limit.
    - `book`: where is kept what Adyen can't be asked for: `SqlBook`, or one of yours.
    - `merchant_account`: the account of every request, and of every notification that is accepted.
    - `hmac_keys`: the webhook's keys in hexadecimal; two while one takes over from the other.
    - `return_url`: where Adyen sends the customer back to, with `payment` added to its query; give what comes with them
      to `complete`.
    - `login`: user and password of the webhook's basic authentication, where it has one.
    - `captures`: when a capture counts as done: "on_request", when Adyen has accepted it (it may still fail, rarely),
      or "on_notice", when its notification has come, until which a hand-over waits.
    - `refunds`: the same for refunds.
    - `several_captures`: the account has multiple partial captures enabled.
    - `preauthorises`: ask for pre-authorisations, which can be raised and extended.
    - `lifetimes`: how long money stays set aside, by Adyen's names of payment methods.
    - `link_lasts`: how long a payment link can be paid.
    - `details`: what the shop's front end collected, by the tender's token and method, as part of a `/payments`
      request; by default the token is `shopper:stored payment method`.
    - `wallets`: the wallets for which `details` knows what to send.
    - `sale_id`: the name of this system at card readers; without one there are none.
    - `terminals`: the address of the Terminal API's cloud, for another region than Europe.

    Raises `InvalidInput` for settings that can't work.
    """

    def __init__(
        self,
        client: Adyen,
        *,
        book: Book,
        merchant_account: str,
        hmac_keys: Collection[str],
        return_url: str,
        login: tuple[str, str] | None = None,
        captures: When = "on_request",
        refunds: When = "on_notice",
        several_captures: bool = False,
        preauthorises: bool = False,
        lifetimes: Mapping[str, timedelta] = LIFETIMES,
        link_lasts: timedelta = timedelta(hours=24),
        details: Details = bodies.stored_card,
        wallets: Iterable[str] = (),
        sale_id: str = "",
        terminals: str = "https://terminal-api-test.adyen.com",
        clock: Clock | None = None,
    ) -> None:
        _check(client, merchant_account, hmac_keys, return_url)
        self._clock = clock or SystemClock()
        self._pages = Pages(book)
        account = bodies.Account(merchant_account, return_url, preauthorises)
        self._checkout = Checkout(client, account, details, lifetimes, link_lasts)
        self._verifier = Verifier(tuple(hmac_keys), merchant_account, client.client.platform == "live", login)
        self._readers = Readers(client.client, sale_id, terminals, self._clock)
        self._lifetimes = lifetimes
        self._several = several_captures
        chosen = {Operation.CAPTURE: captures, Operation.REFUND: refunds}
        self._believed = frozenset(operation for operation, when in chosen.items() if when == "on_request")
        self._capabilities = Capabilities(
            several_captures=several_captures,
            remembers=REMEMBERS,
            lifetimes=lifetimes,
            extension=preauthorises,
            incremental=preauthorises,
            in_person=bool(sale_id),
            links=True,
            wallets=frozenset(wallets),
        )

    @property
    def capabilities(self) -> Capabilities:
        """Parts can be captured, once unless `several_captures`; parts can be refunded."""
        return self._capabilities

    # --- the port ---

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        """`POST /payments`, or `/paymentLinks` without a token."""
        asked = evolve(
            self._asked(request, Operation.AUTHORISE, request.amount),
            place="" if request.token else LINK, captured=request.now,
        )  # fmt: skip

        def plan(standing: Standing) -> Entry | Denied:
            if standing.begun is not None:
                raise GatewayFault(gateway="adyen", reason="this payment was authorised under another key")
            if request.method and request.method not in self._capabilities.wallets:
                return Denied("wallet_unsupported")
            return _payable(asked)

        def send(sent: Entry, _: Standing) -> Entry:
            return self._checkout.authorise(request, sent)

        return cast("Approved | NeedsAction | Denied", self._once(asked, plan, send))

    def capture(self, request: Capture) -> Approved | Denied:
        """`POST /payments/{pspReference}/captures`; a final one gives the rest back, where several could come."""
        asked = self._asked(request, Operation.CAPTURE, request.amount)

        def plan(standing: Standing) -> Entry | Denied:
            if why := standing.why_no_capture(request.amount):
                return Denied(why)
            final = request.final or not self._several or request.amount.amount == standing.open
            return _payable(evolve(asked, final=final))

        done = cast("Approved | Denied", self._once(asked, plan, self._checkout.modify))
        if self._several and request.final and isinstance(done, Approved):
            self._give_rest_back(request)
        return done

    def void(self, request: Void) -> Approved | Denied | Absent:
        """`POST /payments/{pspReference}/cancels`; by our reference where Adyen's is unknown.

        A payment link is closed, and a card reader stopped. What waits for the customer is never completed afterwards.
        """
        begun = self._pages.read(request.payment).begun
        if begun is None:
            return Absent()
        asked = self._asked(request, Operation.VOID, Money(0, begun.amount.currency))

        def plan(standing: Standing) -> Entry | Approved | Denied:
            begun = cast("Entry", standing.begun)
            if standing.unsure:
                raise GatewayTimeout(gateway="adyen", reason="a capture of it is under way")
            taken = standing.captured
            if taken and (standing.closed or taken == standing.authorised):
                return Denied("already_captured", Money(taken, asked.amount.currency))
            if begun.step is Step.REFUSED or standing.called_off or standing.expired:
                return Approved(asked.amount, begun.psp)
            return evolve(asked, amount=Money(standing.open, asked.amount.currency))

        return cast("Approved | Denied | Absent", self._once(asked, plan, self._call_off))

    def refund(self, request: Refund) -> Approved | Denied:
        """`POST /payments/{pspReference}/refunds`."""
        asked = self._asked(request, Operation.REFUND, request.amount)

        def plan(standing: Standing) -> Entry | Denied:
            why = standing.why_no_refund(request.amount)
            return Denied(why) if why else _payable(asked)

        return cast("Approved | Denied", self._once(asked, plan, self._checkout.modify))

    def increase(self, request: Increase) -> Approved | Denied:
        """`POST /payments/{pspReference}/amountUpdates`; the outcome comes by a notification."""
        return self._adjust(request, Operation.INCREASE)

    def extend(self, request: Extend) -> Approved | Denied:
        """The same with the same amount, which begins the lifetime anew."""
        return self._adjust(request, Operation.EXTEND)

    def collect(self, request: Collect) -> Approved | NeedsAction | Denied:
        """Ask for a card at this reader. The account of card readers must capture immediately."""
        asked = evolve(
            self._asked(request, Operation.COLLECT, request.amount), place=request.reader, captured=True
        )  # fmt: skip
        if not self._capabilities.in_person:
            return Denied("no_card_readers")

        def plan(standing: Standing) -> Entry | Denied:
            before = standing.begun
            if before is not None and before.step is not Step.REFUSED:
                raise GatewayFault(gateway="adyen", reason="this payment is collected under another key")
            return _payable(asked)

        def send(sent: Entry, _: Standing) -> Entry:
            return self._readers.ask(sent)

        return cast("Approved | NeedsAction | Denied", self._once(asked, plan, send))

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        """What the page says; a card reader and a payment link are asked, since they can be."""
        standing = self._pages.read(request.payment)
        entry = standing.of(request.key)
        if entry is not None and entry.operation is Operation.COLLECT and entry.step < Step.REFUSED:
            heard = self._readers.look(entry)
            standing = self._pages.note(heard)
            if heard.reason == NOT_FOUND:
                return Absent()
        elif entry is not None and link_of(entry) and not standing.called_off:
            ended = self._checkout.look_at_link(entry)
            standing = self._pages.note(ended) if ended is not None else standing
        return self._answer(standing, request.operation, request.key)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify every item, put down what each tells, and name the payment of the first that is one of ours."""
        notices = [self._put_down(item) for item in self._verifier.read(headers, body)]
        return next((notice for notice in notices if notice.payment), notices[0])

    # --- beyond the port ---

    def complete(self, payment: str, details: Mapping[str, str], *, payment_data: str = "") -> None:
        """Hand over what came of an action: `POST /payments/details`. Then resume the order.

        `payment` is what the query of `return_url` says, and `details` its `redirectResult`, or what Adyen's front end
        calls its details. What was called off meanwhile is not completed. Raises `GatewayTimeout`, `GatewayFault`.
        """
        standing = self._pages.read(payment)
        begun = standing.begun
        if begun is None or begun.step is not Step.WAITING or begun.operation is not Operation.AUTHORISE:
            return
        if standing.all(Operation.VOID):
            return
        try:
            self._pages.note(self._checkout.complete(begun, details, payment_data))
        except Rejected as no:
            raise GatewayFault(gateway="adyen", reason=no.reason) from None

    # --- the parts of it ---

    def _once(self, asked: Entry, plan: Plan, send: Send) -> Answer:
        standing = self._pages.once(asked, plan, send)
        if isinstance(standing, Absent):
            return standing
        told = self._answer(standing, cast("Operation", asked.operation), asked.key)
        if isinstance(told, NoAnswer):
            raise GatewayTimeout(gateway="adyen", reason="accepted; the outcome comes by notification")
        return told

    def _answer(self, standing: Standing, operation: Operation, key: str) -> Answer:
        return answer(standing, operation, key, believed=self._believed, several=self._several)

    def _asked(self, request: Request, operation: Operation, amount: Money) -> Entry:
        return Entry(request.payment, request.key, operation, Step.SENT, self._clock.now(), amount)

    def _adjust(self, request: Increase | Extend, operation: Operation) -> Approved | Denied:
        asked = self._asked(request, operation, request.amount)

        def plan(standing: Standing) -> Entry | Denied:
            why = standing.why_no_change(request.amount)
            return Denied(why) if why else _payable(asked)

        if not self._capabilities.incremental:
            return Denied("not_preauthorised")
        return cast("Approved | Denied", self._once(asked, plan, self._checkout.modify))

    def _call_off(self, sent: Entry, standing: Standing) -> Entry:
        begun = standing.begun
        if begun is None or begun.operation is not Operation.COLLECT or begun.step is Step.DONE:
            return self._checkout.call_off(sent, standing)
        self._readers.stop(begun, sent.key)
        heard = self._readers.look(begun)
        self._pages.note(heard)
        match heard.step:
            case Step.REFUSED:
                return evolve(sent, step=Step.DONE)
            case Step.DONE:
                return evolve(sent, step=Step.REFUSED, reason="already_captured")
            case _:
                raise GatewayTimeout(gateway="adyen", reason="the card reader is still busy with it")

    def _give_rest_back(self, request: Capture) -> None:
        """Best effort: what is not given back lapses by itself, and the page takes no further capture."""
        standing = self._pages.read(request.payment)
        rest = Money(standing.authorised - standing.claimed, request.amount.currency)
        asked = evolve(self._asked(request, Operation.VOID, rest), key=f"{request.key}.rest")
        if rest.amount > 0:
            try:
                self._pages.once(asked, lambda _: asked, self._checkout.modify)
            except GatewayFault:
                return

    def _put_down(self, item: Item) -> Notice:
        payment, _ = bodies.split(item.reference)
        standing = self._pages.read(payment)
        if not standing.page and (known := self._pages.book.payment_of(item.original or item.psp)):
            payment, standing = known, self._pages.read(known)
        if not standing.page and not payment.startswith("pay_"):
            return Notice("", item.event, item.id)
        told = news.entry(payment, item, standing, self._clock.now(), self._lifetimes)
        if told is not None:
            standing = self._pages.note(told)
        disputed = standing.disputed(Money(0, item.amount.currency)) if item.event in DISPUTES else None
        return Notice(payment, item.event, item.id, disputed)


def _payable(asked: Entry) -> Entry | Denied:
    return asked if asked.amount.amount > 0 and payable(asked.amount) else Denied("invalid_amount")


def _check(client: Adyen, merchant_account: str, hmac_keys: Collection[str], return_url: str) -> None:
    if not isinstance(cast("object", client), Adyen):
        raise InvalidInput("client", type(client).__name__, "must be an Adyen.Adyen with an API key")
    if not 0 < client.client.http_timeout <= 25:
        raise InvalidInput(
            "http_timeout", client.client.http_timeout, "must be 25 seconds or less: Adyen(http_timeout=)"
        )
    if not merchant_account:
        raise InvalidInput("merchant_account", merchant_account, "must be the name of an account")
    if isinstance(hmac_keys, str) or not hmac_keys or not all(_hexadecimal(key) for key in hmac_keys):
        raise InvalidInput("hmac_keys", "(hidden)", "must be one or more keys in hexadecimal")
    if not return_url.startswith(("https://", "http://")):
        raise InvalidInput("return_url", return_url, "must be an address on the web, or of an app")


def _hexadecimal(key: object) -> bool:
    try:
        return isinstance(key, str) and len(bytes.fromhex(key)) >= 16
    except ValueError:
        return False
