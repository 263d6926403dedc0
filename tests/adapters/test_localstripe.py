"""The gateway over real HTTP, to a Stripe that others wrote: what localstripe knows of a payment's life.

It knows no idempotency keys, no search, no card readers and no increases, so lost replies are tried on our own fake.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue

import pytest
import stripe
from attrs import frozen

from omniorder.adapters.stripe import StripeGateway
from omniorder.domain.payments import Operation
from omniorder.errors import BadWebhook, GatewayTimeout
from omniorder.ports.payments import (
    Absent,
    Answer,
    Approved,
    Authorise,
    Capture,
    Denied,
    LookUp,
    NeedsAction,
    Refund,
    Void,
)
from tests.adapters import localstripe
from tests.adapters.stripe_bench import PAYMENT, euros, key

SECRET = "whsec_local"


@frozen
class There:
    """A gateway to localstripe, and the webhooks that came from it."""

    gateway: StripeGateway
    client: stripe.StripeClient
    came: Queue[tuple[dict[str, str], bytes]]

    def authorise(self, token: str = "pm_card_visa", n: int = 1, *, now: bool = False) -> Answer:
        return self.gateway.authorise(Authorise(PAYMENT, key(n), "SOF01-7K3F9Q", token, euros(1000), now=now))


@pytest.fixture(scope="module")
def there() -> Iterator[There]:
    assert localstripe.installed(), "localstripe belongs to the extra `test`"
    with localstripe.running() as address, localstripe.listening() as (url, came):
        localstripe.tell(address, url, SECRET)
        client = localstripe.client(address)
        yield There(StripeGateway(client, webhook_secret=SECRET), client, came)


def authorised(there: There) -> str:
    """The number of a payment that is set aside."""
    answer = there.authorise()
    assert isinstance(answer, Approved)
    assert answer.amount == euros(1000)
    assert not answer.captured
    return answer.provider_id


def test_money_is_set_aside_and_found_again(there: There) -> None:
    number = authorised(there)
    found = there.gateway.look_up(LookUp(PAYMENT, key(1), Operation.AUTHORISE, number))
    assert isinstance(found, Approved)
    assert (found.provider_id, found.amount) == (number, euros(1000))


@pytest.mark.parametrize("cents", [1000, 400], ids=["all", "a part"])
def test_it_is_captured(there: There, cents: int) -> None:
    number = authorised(there)
    assert there.gateway.capture(Capture(PAYMENT, key(2), number, euros(cents), True)) == Approved(euros(cents), number)


def test_a_deposit_is_taken_at_once(there: There) -> None:
    answer = there.authorise(now=True)
    assert isinstance(answer, Approved)
    assert (answer.captured, answer.amount) == (True, euros(1000))


def test_what_is_set_aside_is_given_back(there: There) -> None:
    number = authorised(there)
    assert isinstance(there.gateway.void(Void(PAYMENT, key(3), number)), Approved)
    assert there.gateway.look_up(LookUp(PAYMENT, key(1), Operation.AUTHORISE, number)) == Denied("voided")


def test_what_was_taken_is_sent_back_and_found_by_its_key(there: There) -> None:
    answer = there.authorise(now=True)
    assert isinstance(answer, Approved)
    refund = there.gateway.refund(Refund(PAYMENT, key(4), answer.provider_id, euros(300)))
    assert isinstance(refund, Approved)
    assert refund.amount == euros(300)
    asked = LookUp(PAYMENT, key(4), Operation.REFUND, answer.provider_id)
    assert there.gateway.look_up(asked) == refund
    assert there.gateway.look_up(LookUp(PAYMENT, key(5), Operation.REFUND, answer.provider_id)) == Absent()


def test_a_declined_card_is_a_denial(there: There) -> None:
    assert there.authorise("pm_card_chargeCustomerFail") == Denied("card_declined")


@pytest.mark.parametrize("success", [True, False], ids=["done", "not done"])
def test_what_the_customer_s_bank_asks_is_waited_for_and_found(there: There, success: bool) -> None:
    method = there.client.v1.payment_methods.create(
        {"type": "card", "card": {"number": "4000002500003155", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}
    )
    waiting = there.authorise(method.id)
    assert isinstance(waiting, NeedsAction)
    told = {"client_secret": waiting.action.client_secret, "success": str(success).lower()}
    there.client.raw_request("post", f"/v1/payment_intents/{waiting.provider_id}/_authenticate", **told)
    found = there.gateway.look_up(LookUp(PAYMENT, key(1), Operation.AUTHORISE, waiting.provider_id))
    assert isinstance(found, Approved if success else Denied)


def test_its_webhooks_are_verified_and_name_our_payment(there: There) -> None:
    there.authorise(now=True)
    headers, body = there.came.get(timeout=20)
    notice = there.gateway.read_webhook(headers, body)
    assert (notice.payment, notice.kind) == (PAYMENT, "payment_intent.succeeded")
    assert notice.id
    with pytest.raises(BadWebhook):
        there.gateway.read_webhook(headers, body + b" ")


def test_a_server_that_is_not_there_is_no_answer() -> None:
    gateway = StripeGateway(localstripe.client("http://127.0.0.1:9"), webhook_secret=SECRET)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(Authorise(PAYMENT, key(1), "SOF01-7K3F9Q", "pm_card_visa", euros(1000)))
