"""What every payment gateway must keep, told as tests: for authors of adapters.

    class TestMyGateway(PaymentGatewayContract):
        def open(self) -> GatewayBench:
            return GatewayBench(MyGateway(...), GatewayTokens(approves="tok_1", declines="tok_2"))

Each promise opens a bench of its own and uses references of its own, so that a provider's sandbox, which
forgets nothing, will do. What the gateway's capabilities exclude must be refused; a promise that needs a lever
which the bench lacks is skipped, and the skip names the lever.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Final, Protocol, TypeVar

import pytest
from attrs import frozen

from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.errors import BadWebhook, GatewayFault, GatewayTimeout
from omniorder.ports.payments import (
    Absent,
    Answer,
    Approved,
    Authorise,
    Capabilities,
    Capture,
    Denied,
    LookUp,
    NeedsAction,
    Notice,
    PaymentGateway,
    Refund,
    Void,
)

__all__ = ["GatewayBench", "GatewayTokens", "PaymentGatewayContract", "SignsWebhooks"]

THREADS: Final = 4
GARBAGE: Final = [
    *("", "é", "t=,v1=", "t=1,v1=é", "t=٣,v1=0", ",=,="),
    pytest.param("☃" * 64, id="snowmen"),
    pytest.param("\udcff", id="lone surrogate"),
    pytest.param("x" * 100_000, id="long"),
]
IMPOSSIBLE: Final = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[" * 10_000, id="deep list"),
    pytest.param(b'{"a":' * 10_000, id="deep object"),
    pytest.param(b" " * 10_000_000, id="10 MB"),
]
T = TypeVar("T")


class SignsWebhooks(Protocol):
    """A lever: headers and body of a genuine webhook about our `payment`, sent `age` ago."""

    def __call__(self, payment: str, kind: str, /, *, age: timedelta) -> tuple[Mapping[str, str], bytes]: ...


@frozen
class GatewayTokens:
    """Tokens of the provider's test mode, by what happens when they are authorised."""

    approves: str
    declines: str
    requires_action: str | None = None


@frozen
class GatewayBench:
    """A gateway on the bench, and the levers that there are.

    `lose_next_reply`: the next call takes effect, but the gateway sees no reply and raises `GatewayTimeout`.
    `dated`: the signature of a webhook covers when it was sent. Where it doesn't, none is too old or from the future.
    """

    gateway: PaymentGateway
    tokens: GatewayTokens
    lose_next_reply: Callable[[], None] | None = None
    signed_webhook: SignsWebhooks | None = None
    dated: bool = True


class Case:
    """One payment at a gateway. Keys are short names here, and unique beyond this case at the provider."""

    def __init__(self, bench: GatewayBench, currency: str) -> None:
        self.bench = bench
        self.gateway = bench.gateway
        self.currency = currency
        self.payment = f"pay_TEST_{secrets.token_hex(8)}_1"
        self.provider_id = ""

    @property
    def can(self) -> Capabilities:
        return self.gateway.capabilities

    def money(self, amount: int) -> Money:
        return Money(amount, self.currency)

    def key(self, name: str) -> str:
        return f"{self.payment}_{name}"

    def authorise(
        self, amount: int = 1000, *, key: str = "authorise", token: str = ""
    ) -> Approved | NeedsAction | Denied:
        request = Authorise(
            self.payment,
            self.key(key),
            "TEST-7K3F9Q",
            token or self.bench.tokens.approves,
            self.money(amount),
        )
        answer = self.gateway.authorise(request)
        if isinstance(answer, (Approved, NeedsAction)):
            self.provider_id = answer.provider_id
        return answer

    def capture(self, amount: int, *, key: str = "capture", final: bool = True) -> Approved | Denied:
        request = Capture(self.payment, self.key(key), self.provider_id, self.money(amount), final)
        return self.gateway.capture(request)

    def void(self, *, key: str = "void") -> Approved | Denied | Absent:
        return self.gateway.void(Void(self.payment, self.key(key), self.provider_id))

    def refund(self, amount: int, *, key: str = "refund") -> Approved | Denied:
        return self.gateway.refund(Refund(self.payment, self.key(key), self.provider_id, self.money(amount)))

    def look_up(self, operation: Operation, *, key: str = "", provider_id: str | None = None) -> Answer:
        known = self.provider_id if provider_id is None else provider_id
        return self.gateway.look_up(LookUp(self.payment, self.key(key or operation.value), operation, known))

    def webhook(self, kind: str, *, age: timedelta = timedelta(0)) -> tuple[Mapping[str, str], bytes]:
        if self.bench.signed_webhook is None:
            pytest.skip("the bench has no lever signed_webhook")
        return self.bench.signed_webhook(self.payment, kind, age=age)

    def lose_next_reply(self) -> None:
        if self.bench.lose_next_reply is None:
            pytest.skip("the bench has no lever lose_next_reply")
        self.bench.lose_next_reply()


class PaymentGatewayContract:
    """Subclass it as `Test...` and say in `open` how to open your gateway."""

    currency = "EUR"
    """A currency that the gateway takes."""

    def open(self) -> GatewayBench:
        """A gateway on a bench; called for each promise."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its gateway")

    def case(self) -> Case:
        """A payment that nobody has heard of yet."""
        return Case(self.open(), self.currency)

    def authorised(self) -> Case:
        """A payment for which 1000 minor units are set aside."""
        case = self.case()
        assert_approved(case.authorise(), case.money(1000))
        return case

    def captured(self) -> Case:
        """A payment of which 1000 minor units, all of it, are taken."""
        case = self.authorised()
        assert_approved(case.capture(1000), case.money(1000))
        return case

    # --- authorising ---

    def test_an_approval_sets_aside_what_was_asked_for(self) -> None:
        case = self.case()
        answer = assert_approved(case.authorise(), case.money(1000))
        assert answer.provider_id
        assert not answer.captured

    def test_authorising_again_under_the_same_key_is_the_same_authorisation(self) -> None:
        case = self.case()
        assert case.authorise() == case.authorise()

    def test_authorising_under_one_key_from_many_threads_is_one_authorisation(self) -> None:
        case = self.case()
        ids = {answer.provider_id for answer in at_once(lambda _: case.authorise()) if isinstance(answer, Approved)}
        assert len(ids) == 1

    def test_another_request_under_a_key_is_refused_and_changes_nothing(self) -> None:
        case = self.authorised()
        with pytest.raises(GatewayFault):
            case.authorise(1001)
        assert_approved(case.look_up(Operation.AUTHORISE), case.money(1000))

    def test_a_decline_has_a_reason(self) -> None:
        case = self.case()
        answer = case.authorise(token=case.bench.tokens.declines)
        assert isinstance(answer, Denied)
        assert answer.reason

    def test_what_was_declined_can_t_be_captured(self) -> None:
        case = self.case()
        case.authorise(token=case.bench.tokens.declines)
        assert isinstance(case.capture(1000), Denied)

    def test_what_waits_for_the_customer_can_be_found_and_not_captured(self) -> None:
        case = self.case()
        answer = case.authorise(token=_token(case))
        assert isinstance(answer, NeedsAction)
        assert answer.action.client_secret or answer.action.redirect_url
        assert isinstance(case.look_up(Operation.AUTHORISE), NeedsAction)
        assert isinstance(case.capture(1000), Denied)

    def test_what_waits_for_the_customer_can_be_called_off(self) -> None:
        case = self.case()
        case.authorise(token=_token(case))
        assert isinstance(case.void(), Approved)
        assert isinstance(case.look_up(Operation.AUTHORISE), (Denied, Absent))

    # --- capturing ---

    def test_everything_that_is_set_aside_can_be_captured(self) -> None:
        answer = self.authorised().capture(1000)
        assert isinstance(answer, Approved)
        assert not answer.open

    def test_no_more_is_captured_than_was_set_aside(self) -> None:
        case = self.authorised()
        assert isinstance(case.capture(1001), Denied)
        assert_approved(case.capture(1000, key="again"), case.money(1000))

    def test_capturing_again_under_the_same_key_captures_once(self) -> None:
        case = self.authorised()
        assert case.capture(1000) == case.capture(1000)
        assert isinstance(case.refund(1001), Denied)

    def test_a_part_is_captured_where_the_capabilities_say_so(self) -> None:
        case = self.authorised()
        answer = case.capture(400)
        if case.can.partial_capture:
            assert_approved(answer, case.money(400))
            assert isinstance(case.refund(401), Denied)
        else:
            assert isinstance(answer, Denied)

    def test_a_second_part_is_captured_where_the_capabilities_say_so(self) -> None:
        case = self.authorised()
        if not case.can.partial_capture:
            pytest.skip("the gateway captures no parts")
        first = assert_approved(case.capture(400, final=False), case.money(400))
        second = case.capture(600, key="second")
        assert first.open is case.can.several_captures
        assert isinstance(second, Approved if case.can.several_captures else Denied)

    def test_all_parts_together_are_no_more_than_was_set_aside(self) -> None:
        case = self.authorised()
        _needs_several(case)
        case.capture(400, final=False)
        assert isinstance(case.capture(601, key="second"), Denied)
        assert_approved(case.capture(600, key="third"), case.money(600))

    def test_the_final_capture_gives_the_rest_back(self) -> None:
        case = self.authorised()
        if not case.can.partial_capture:
            pytest.skip("the gateway captures no parts")
        assert not assert_approved(case.capture(400, final=True), case.money(400)).open
        assert isinstance(case.capture(1, key="second"), Denied)

    def test_a_part_under_the_same_key_is_captured_once(self) -> None:
        case = self.authorised()
        _needs_several(case)
        assert case.capture(400, final=False) == case.capture(400, final=False)
        assert_approved(case.capture(600, key="second"), case.money(600))

    def test_captures_from_many_threads_take_no_more_than_was_set_aside(self) -> None:
        case = self.authorised()
        amount, most = (300, 3) if case.can.several_captures and case.can.partial_capture else (1000, 1)
        answers = at_once(lambda n: case.capture(amount, key=f"capture{n}", final=False))
        assert approvals(answers) == most

    # --- voiding ---

    def test_what_was_voided_can_t_be_captured(self) -> None:
        case = self.authorised()
        assert isinstance(case.void(), Approved)
        assert isinstance(case.capture(1000), Denied)

    def test_voiding_twice_is_voiding_once(self) -> None:
        case = self.authorised()
        assert isinstance(case.void(), Approved)
        assert isinstance(case.void(), Approved)
        assert isinstance(case.void(key="again"), Approved)

    def test_a_payment_is_voided_by_our_reference_when_its_answer_was_lost(self) -> None:
        case = self.authorised()
        case.provider_id = ""
        assert isinstance(case.void(), Approved)
        assert isinstance(case.capture(1000), Denied)

    def test_voiding_what_never_arrived_is_answered_as_absent(self) -> None:
        assert isinstance(self.case().void(), Absent)

    def test_voiding_what_was_captured_is_denied_and_tells_how_much_was(self) -> None:
        case = self.captured()
        answer = case.void()
        assert isinstance(answer, Denied)
        assert answer.captured == case.money(1000)

    def test_voiding_the_rest_leaves_what_was_captured(self) -> None:
        case = self.authorised()
        _needs_several(case)
        case.capture(400, final=False)
        assert isinstance(case.void(), Approved)
        assert isinstance(case.capture(1, key="second"), Denied)
        assert_approved(case.refund(400), case.money(400))

    # --- refunding ---

    def test_everything_that_was_captured_can_be_refunded(self) -> None:
        case = self.captured()
        assert_approved(case.refund(1000), case.money(1000))

    def test_no_more_is_refunded_than_was_captured(self) -> None:
        assert isinstance(self.captured().refund(1001), Denied)

    def test_what_was_never_captured_is_not_refunded(self) -> None:
        assert isinstance(self.authorised().refund(1000), Denied)

    def test_a_part_is_refunded_where_the_capabilities_say_so(self) -> None:
        case = self.captured()
        answer = case.refund(300)
        if case.can.partial_refund:
            assert_approved(answer, case.money(300))
        else:
            assert isinstance(answer, Denied)

    def test_all_refunds_together_are_no_more_than_was_captured(self) -> None:
        case = self.captured()
        amount, rest = (300, 700) if case.can.partial_refund else (1000, 0)
        case.refund(amount)
        assert isinstance(case.refund(rest + 1, key="second"), Denied)

    def test_refunding_again_under_the_same_key_refunds_once(self) -> None:
        case = self.captured()
        if not case.can.partial_refund:
            assert case.refund(1000) == case.refund(1000)
            return
        assert case.refund(300) == case.refund(300)
        assert_approved(case.refund(700, key="rest"), case.money(700))

    def test_refunds_from_many_threads_give_back_no_more_than_was_captured(self) -> None:
        case = self.captured()
        amount, most = (300, 3) if case.can.partial_refund else (1000, 1)
        assert approvals(at_once(lambda n: case.refund(amount, key=f"refund{n}"))) == most

    # --- lost replies ---

    def test_an_authorisation_whose_reply_was_lost_is_repeated_without_a_second_effect(self) -> None:
        case = self.case()
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.authorise()
        found = assert_approved(case.look_up(Operation.AUTHORISE, provider_id=""), case.money(1000))
        again = assert_approved(case.authorise(), case.money(1000))
        assert again.provider_id == found.provider_id

    def test_a_capture_whose_reply_was_lost_is_repeated_without_a_second_effect(self) -> None:
        case = self.authorised()
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.capture(1000)
        assert_approved(case.look_up(Operation.CAPTURE), case.money(1000))
        assert_approved(case.capture(1000), case.money(1000))
        assert isinstance(case.refund(1001), Denied)

    def test_a_void_whose_reply_was_lost_is_repeated(self) -> None:
        case = self.authorised()
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.void()
        assert isinstance(case.look_up(Operation.VOID), Approved)
        assert isinstance(case.void(), Approved)

    def test_a_refund_whose_reply_was_lost_is_repeated_without_a_second_effect(self) -> None:
        case = self.captured()
        amount = 300 if case.can.partial_refund else 1000
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.refund(amount)
        assert_approved(case.look_up(Operation.REFUND), case.money(amount))
        assert_approved(case.refund(amount), case.money(amount))
        if case.can.partial_refund:
            assert_approved(case.refund(700, key="rest"), case.money(700))

    # --- looking up ---

    def test_every_operation_can_be_looked_up(self) -> None:
        case = self.captured()
        case.refund(1000)
        for operation in (Operation.AUTHORISE, Operation.CAPTURE, Operation.REFUND):
            assert_approved(case.look_up(operation), case.money(1000))

    def test_a_void_can_be_looked_up(self) -> None:
        case = self.authorised()
        case.void()
        assert isinstance(case.look_up(Operation.VOID), Approved)

    def test_each_of_several_refunds_is_found_by_its_own_key(self) -> None:
        case = self.captured()
        if not case.can.partial_refund:
            pytest.skip("the gateway refunds no parts")
        case.refund(300, key="one")
        case.refund(200, key="other")
        assert_approved(case.look_up(Operation.REFUND, key="one"), case.money(300))
        assert_approved(case.look_up(Operation.REFUND, key="other"), case.money(200))

    def test_a_decline_can_be_looked_up(self) -> None:
        case = self.case()
        case.authorise(token=case.bench.tokens.declines)
        assert isinstance(case.look_up(Operation.AUTHORISE), Denied)

    def test_what_never_arrived_is_absent(self) -> None:
        case = self.case()
        for operation in (Operation.AUTHORISE, Operation.CAPTURE, Operation.VOID, Operation.REFUND):
            assert isinstance(case.look_up(operation), Absent)

    def test_an_operation_that_never_arrived_at_a_known_payment_is_absent(self) -> None:
        case = self.captured()
        assert isinstance(case.look_up(Operation.REFUND), Absent)
        assert isinstance(case.look_up(Operation.CAPTURE, key="never"), Absent)

    # --- webhooks ---

    def test_a_genuine_webhook_names_our_payment(self) -> None:
        case = self.authorised()
        notice = case.gateway.read_webhook(*case.webhook("payment.authorised"))
        assert notice.payment == case.payment

    def test_a_webhook_of_an_unknown_kind_is_read_all_the_same(self) -> None:
        case = self.authorised()
        assert isinstance(case.gateway.read_webhook(*case.webhook("nobody.knows.this")), Notice)

    def test_a_webhook_that_comes_twice_reads_the_same_twice(self) -> None:
        case = self.authorised()
        sent = case.webhook("payment.authorised")
        assert case.gateway.read_webhook(*sent) == case.gateway.read_webhook(*sent)

    def test_the_names_of_headers_may_come_in_any_case(self) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        for spelt in (str.lower, str.upper):
            notice = case.gateway.read_webhook({spelt(name): headers[name] for name in headers}, body)
            assert notice.payment == case.payment

    def test_a_webhook_whose_body_was_changed_is_refused(self) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(headers, body.replace(case.payment.encode(), b"pay_TEST_OTHER_1"))

    def test_a_webhook_without_a_signature_is_refused(self) -> None:
        case = self.authorised()
        _, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook({}, body)

    @pytest.mark.parametrize("garbage", GARBAGE)
    def test_a_garbled_signature_is_refused(self, garbage: str) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(dict.fromkeys(headers, garbage), body)

    def test_a_signature_with_a_letter_outside_ascii_is_refused(self) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook({name: value[:-1] + "é" for name, value in headers.items()}, body)

    def test_a_webhook_that_is_an_hour_old_is_refused(self) -> None:
        case = self.authorised()
        _needs_dates(case)
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(*case.webhook("payment.authorised", age=timedelta(hours=1)))

    def test_a_webhook_from_the_future_is_refused(self) -> None:
        case = self.authorised()
        _needs_dates(case)
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(*case.webhook("payment.authorised", age=timedelta(days=-365)))

    @pytest.mark.parametrize("body", IMPOSSIBLE)
    def test_a_body_that_is_none_is_refused(self, body: bytes) -> None:
        case = self.authorised()
        headers, _ = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(headers, body)


def assert_approved(answer: Answer, amount: Money) -> Approved:
    """The answer, which must be an approval of exactly this amount."""
    assert isinstance(answer, Approved), f"{answer} instead of an approval of {amount}"
    assert answer.amount == amount
    return answer


def at_once(call: Callable[[int], T]) -> list[T]:
    """What `call` returns to each of several threads that start together."""
    start = Barrier(THREADS)

    def run(number: int) -> T:
        start.wait(timeout=10)
        return call(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def approvals(answers: list[Approved | Denied]) -> int:
    """How many of the answers are approvals."""
    return sum(isinstance(answer, Approved) for answer in answers)


def _token(case: Case) -> str:
    if case.bench.tokens.requires_action is None:
        pytest.skip("the bench has no token requires_action")
    return case.bench.tokens.requires_action


def _needs_dates(case: Case) -> None:
    if not case.bench.dated:
        pytest.skip("the provider signs no time")


def _needs_several(case: Case) -> None:
    if not (case.can.several_captures and case.can.partial_capture):
        pytest.skip("the gateway captures once")
