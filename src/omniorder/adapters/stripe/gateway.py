"""`StripeGateway`: the payment port on Stripe's PaymentIntents, refunds and card readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import stripe

from omniorder.adapters.stripe import webhooks
from omniorder.adapters.stripe.amounts import Unrepresentable, to_stripe
from omniorder.adapters.stripe.calling import NO_SUCH_PAYMENT, Refused, ask, timeout
from omniorder.adapters.stripe.enabled import Enabled
from omniorder.adapters.stripe.finding import Finder
from omniorder.adapters.stripe.listing import listed, readable
from omniorder.adapters.stripe.reading import (
    authorisation,
    capture_refused,
    noted_answer,
    refund_answer,
    released,
    taken,
    until,
    voided,
    worth,
)
from omniorder.adapters.stripe.references import KEY, LINK, ORDER, PAYMENT, READER, Note, metadata
from omniorder.adapters.stripe.terminal import Readers
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.payments import Operation
from omniorder.errors import InvalidInput
from omniorder.ports.clock import Clock, SystemClock
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capture,
    Collect,
    Denied,
    Increase,
    Listed,
    LookUp,
    NeedsAction,
    NoAnswer,
    Notice,
    Refund,
    Void,
)

__all__ = ["StripeGateway"]

_UNREPRESENTABLE: Final = "amount_unrepresentable"
_CHARGE: Final = ["latest_charge"]


class StripeGateway:
    """Stripe, for cards and wallets online and for card readers at the counter.

    `client` is configured by the application (key, time limit, retries); nothing is read from the environment. Let it
    give up well before 30 seconds. `webhook_secret` is the signing secret of the endpoint. `account` is the connected
    account that this gateway acts for, if it acts for one; `livemode` refuses webhooks of the other mode. `enabled`
    says what the merchant has beyond the ordinary, `search_lag` how far Stripe's search may be behind. Thread-safe.

    Raises `InvalidInput` for a client that is none, an empty secret (with which anybody could sign), a negative lag.
    """

    def __init__(
        self,
        client: stripe.StripeClient,
        *,
        webhook_secret: str,
        account: str | None = None,
        livemode: bool | None = None,
        enabled: Enabled | None = None,
        search_lag: timedelta = timedelta(minutes=5),
        clock: Clock | None = None,
    ) -> None:
        given: object = client
        if not isinstance(given, stripe.StripeClient):
            raise InvalidInput("client", type(given).__name__, "must be a stripe.StripeClient")
        if not webhook_secret.strip():
            raise InvalidInput("webhook_secret", "(hidden)", "must be the signing secret of the endpoint")
        if search_lag < timedelta(0):
            raise InvalidInput("search_lag", search_lag, "must not be negative")
        self._client = client
        self._enabled = enabled or Enabled()
        self._capabilities = self._enabled.capabilities
        self._clock = clock or SystemClock()
        self._options: stripe.RequestOptions = {"stripe_account": account} if account else {}
        self._address = webhooks.Address(webhook_secret, account or "", livemode)
        self._finder = Finder(client, self._options, self._clock, search_lag)
        self._readers = Readers(client, self._options)

    @property
    def capabilities(self) -> Capabilities:
        """What Stripe can do for this merchant."""
        return self._capabilities

    # --- setting aside ---

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        """Create and confirm a PaymentIntent. Without a token it waits for the customer, who is shown its secret."""
        if request.method and request.method not in self._capabilities.wallets:
            return Denied("wallet_unsupported")
        try:
            params = self._asked(request)
            answer = authorisation(self._created(params, request.key))
        except Unrepresentable:
            return Denied(_UNREPRESENTABLE)
        except Refused as why:
            return Denied(why.reason)
        if isinstance(answer, NoAnswer):
            raise timeout("still processing")
        return answer

    def increase(self, request: Increase) -> Approved | Denied:
        """Raise what is set aside to `amount`, where the card allows it."""
        number = self._number(request)
        if not number:
            return Denied(NO_SUCH_PAYMENT)
        service, options = self._client.v1.payment_intents, self._keyed(request.key)
        try:
            units = to_stripe(request.amount)
            note = Note(Operation.INCREASE, units, request.key)
            params: stripe.params.PaymentIntentIncrementAuthorizationParams = {
                "amount": units, "metadata": note.metadata, "expand": _CHARGE,
            }  # fmt: skip
            raised = ask(lambda: service.increment_authorization(number, params=params, options=options))
        except Unrepresentable:
            return Denied(_UNREPRESENTABLE)
        except Refused as why:
            return Denied(why.reason)
        return Approved(worth(raised, "amount"), str(raised["id"]), until=until(raised))

    def collect(self, request: Collect) -> NeedsAction | Denied:
        """Create a payment for a card at the counter, and have the reader ask for it."""
        if not self._capabilities.in_person:
            return Denied("in_person_unsupported")
        try:
            params: stripe.params.PaymentIntentCreateParams = {
                "amount": to_stripe(request.amount),
                "currency": request.amount.currency.lower(),
                "allowed_payment_method_types": ["card_present"],
                "capture_method": "automatic",
                "description": request.order,
                "metadata": {
                    PAYMENT: request.payment, KEY: request.key, ORDER: request.order, READER: request.reader,
                },
            }  # fmt: skip
            intent = self._created(params, request.key)
        except Unrepresentable:
            return Denied(_UNREPRESENTABLE)
        except Refused as why:
            return Denied(why.reason)
        return self._readers.send(request.reader, str(intent["id"]), request.key)

    # --- taking, giving back, sending back ---

    def capture(self, request: Capture) -> Approved | Denied:
        """Take a part or all of what is set aside; the rest stays for later where multicapture was granted."""
        number, stays = request.provider_id, False
        if not number or (self._capabilities.several_captures and not request.final):
            intent = self._finder.one(request.payment, number)
            if intent is None:
                return Denied(NO_SUCH_PAYMENT)
            number, stays = str(intent["id"]), not request.final and _several(intent)
        try:
            note = Note(Operation.CAPTURE, to_stripe(request.amount), request.key, open=stays)
            params: stripe.params.PaymentIntentCaptureParams = {
                "amount_to_capture": note.units, "metadata": note.metadata,
            }  # fmt: skip
            if stays:
                params["final_capture"] = False
            return taken(self._captured(number, params, request.key), request.key)
        except Unrepresentable:
            return Denied(_UNREPRESENTABLE)
        except Refused as why:
            # it may have been done before, and Stripe has forgotten the key since
            done = noted_answer(why.intent or {}, Operation.CAPTURE, request.key)
            return done if isinstance(done, Approved) else capture_refused(why.intent, why.reason)

    def void(self, request: Void) -> Approved | Denied | Absent:
        """Cancel the payment; of one that was captured in part, release the rest."""
        number, rest = request.provider_id, 0
        if not number or self._capabilities.several_captures:
            intent = self._finder.one(request.payment, number)
            if intent is None:
                return Absent()
            if isinstance(done := noted_answer(intent, Operation.VOID, request.key), Approved):
                return done
            number, rest = str(intent["id"]), _rest(intent)
        try:
            left: Mapping[str, Any] = (
                self._released(number, rest, request.key) if rest else self._cancelled(number, request.key)
            )
        except Refused:
            # it ended before, or there is none: what it is now says which
            left = self._finder.named(number) or {}
            if not left:
                return Absent()
        answer = released(left)
        if isinstance(answer, NoAnswer):
            raise timeout("still processing")
        if READER in metadata(left):
            self._readers.stop(left)
        return answer

    def refund(self, request: Refund) -> Approved | Denied:
        """Send money back. It may still fail at the customer's bank later: `look_up` tells then."""
        number = self._number(request)
        if not number:
            return Denied(NO_SUCH_PAYMENT)
        service, options = self._client.v1.refunds, self._keyed(request.key)
        try:
            params: stripe.params.RefundCreateParams = {
                "payment_intent": number,
                "amount": to_stripe(request.amount),
                "metadata": {PAYMENT: request.payment, KEY: request.key},
            }
            return refund_answer(ask(lambda: service.create(params=params, options=options)))
        except Unrepresentable:
            return Denied(_UNREPRESENTABLE)
        except Refused as why:
            return Denied(why.reason)

    # --- finding out ---

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        """What became of an operation, by our reference on what it made or changed."""
        if request.operation in (Operation.AUTHORISE, Operation.COLLECT):
            intent = self._finder.made_by(request.payment, request.key, request.provider_id)
        else:
            intent = self._finder.one(request.payment, request.provider_id)
        if intent is None:
            return Absent()
        match request.operation:
            case Operation.AUTHORISE:
                return authorisation(intent)
            case Operation.COLLECT:
                return self._readers.became(intent)
            case Operation.VOID:
                return voided(intent, request.key)
            case Operation.REFUND:
                refunds = self._finder.refunds(str(intent["id"]))
                found = (one for one in refunds if metadata(one).get(KEY) == request.key)
                return next((refund_answer(one) for one in found), Absent())
            case Operation.CAPTURE | Operation.INCREASE | Operation.EXTEND:
                return noted_answer(intent, request.operation, request.key)

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        """Every payment on the account that was created in this time, the latest first; foreign ones too."""
        for intent in self._finder.recent(since, until):
            if readable(intent):
                yield listed(self._finder, intent)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify a webhook, and say which payment it is about.

        Raises `BadWebhook`, and `GatewayTimeout` or `GatewayFault` where that has to be asked for and isn't answered:
        Stripe sends it again then.
        """
        event = webhooks.verified(self._address, headers, body, self._clock.now())
        return webhooks.notice(event, self._finder.named, self._finder.disputed)

    # --- requests ---

    def _number(self, request: Increase | Refund) -> str:
        """Stripe's number of the payment, empty where there is none."""
        found = None if request.provider_id else self._finder.one(request.payment, "")
        return request.provider_id or str((found or {}).get("id", ""))

    def _asked(self, request: Authorise) -> stripe.params.PaymentIntentCreateParams:
        """The PaymentIntent to create. Always the same for the same request: Stripe compares repeats."""
        mine = {PAYMENT: request.payment, KEY: request.key, ORDER: request.order}
        params: stripe.params.PaymentIntentCreateParams = {
            "amount": to_stripe(request.amount),
            "currency": request.amount.currency.lower(),
            "allowed_payment_method_types": list(self._enabled.payment_methods),
            "capture_method": "automatic" if request.now else "manual",
            "description": request.order,
            "metadata": mine if request.token else {**mine, LINK: request.method or "any"},
            "expand": _CHARGE,
        }
        if request.token:
            params["confirm"] = True
            if request.token.startswith("ctoken_"):
                params["confirmation_token"] = request.token
            else:
                params["payment_method"] = request.token
            if self._enabled.return_url:
                params["return_url"] = self._enabled.return_url
        if not request.now and (wishes := self._wishes()):
            params["payment_method_options"] = {"card": wishes}
        return params

    def _wishes(self) -> stripe.params.PaymentIntentCreateParamsPaymentMethodOptionsCard:
        """What an authorisation is to be able to do, as far as the card allows it."""
        wishes: stripe.params.PaymentIntentCreateParamsPaymentMethodOptionsCard = {}
        if self._enabled.multicapture:
            wishes["request_multicapture"] = "if_available"
        if self._enabled.incremental:
            wishes["request_incremental_authorization"] = "if_available"
        if self._enabled.extended:
            wishes["request_extended_authorization"] = "if_available"
        return wishes

    def _created(self, params: stripe.params.PaymentIntentCreateParams, key: str) -> dict[str, Any]:
        service, options = self._client.v1.payment_intents, self._keyed(key)
        return ask(lambda: service.create(params=params, options=options))

    def _captured(self, number: str, params: stripe.params.PaymentIntentCaptureParams, key: str) -> dict[str, Any]:
        service, options = self._client.v1.payment_intents, self._keyed(key)
        return ask(lambda: service.capture(number, params=params, options=options))

    def _cancelled(self, number: str, key: str) -> dict[str, Any]:
        service, options = self._client.v1.payment_intents, self._keyed(key)
        return ask(lambda: service.cancel(number, params={}, options=options))

    def _released(self, number: str, rest: int, key: str) -> dict[str, Any]:
        """Give the rest back: a payment of which something was taken is closed by a capture of nothing."""
        note = Note(Operation.VOID, rest, key)
        return self._captured(number, {"amount_to_capture": 0, "final_capture": True, "metadata": note.metadata}, key)

    def _keyed(self, key: str) -> stripe.RequestOptions:
        return {**self._options, "idempotency_key": key}


def _several(intent: Mapping[str, Any]) -> bool:
    """Whether multicapture was granted to this payment."""
    match intent.get("latest_charge"):
        case {"payment_method_details": {"card": {"multicapture": {"status": "available"}}}}:
            return True
        case _:
            return False


def _rest(intent: Mapping[str, Any]) -> int:
    """What is still set aside of a payment that was captured in part."""
    partly = intent.get("status") == "requires_capture" and intent.get("amount_received")
    return int(intent["amount_capturable"]) if partly else 0
