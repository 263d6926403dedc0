"""Whatever is asked, lost, repeated and told late: what the gateway says of the money is what Adyen has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from omniorder.errors import GatewayFault
from omniorder.ports.payments import Approved, Denied, Operation
from omniorder.testing.adyen import FakeAdyen
from tests.adapters.adyen import PAYMENT, asked_for, authorise, capture, gateway_to, refund, void

AMOUNTS = st.sampled_from([1, 300, 400, 600, 1000, 1001])
LUCK = st.sampled_from(["", "", "", "lost", "told", "unheard", "failed"])


class Walk(RuleBasedStateMachine):
    """One payment of 1000 at an account that captures several times. Answers are noted by their key."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[int, object] = {}
        self.asked: dict[int, tuple[Operation, int]] = {}
        self.next = 1

    @initialize(several=st.booleans(), notice=st.booleans(), names=st.booleans(), luck=LUCK)
    def begin(self, several: bool, notice: bool, names: bool, luck: str) -> None:
        self.adyen = FakeAdyen(prompt=False, several_captures=several, names_modifications=names)
        when = "on_notice" if notice else "on_request"
        self.gateway = gateway_to(self.adyen, several_captures=several, captures=when, refunds=when)
        self.ask(Operation.AUTHORISE, 1000, luck, self.gateway.authorise, authorise())

    @rule(amount=AMOUNTS, final=st.booleans(), luck=LUCK)
    def capture(self, amount: int, final: bool, luck: str) -> None:
        self.ask(Operation.CAPTURE, amount, luck, self.gateway.capture, capture(amount, n=self.next, final=final))

    @rule(amount=AMOUNTS, luck=LUCK)
    def refund(self, amount: int, luck: str) -> None:
        self.ask(Operation.REFUND, amount, luck, self.gateway.refund, refund(amount, n=self.next))

    @rule(luck=LUCK)
    def void(self, luck: str) -> None:
        self.ask(Operation.VOID, 0, luck, self.gateway.void, void(self.next))

    @rule(times=st.integers(1, 2), backwards=st.booleans())
    def deliver(self, times: int, backwards: bool) -> None:
        self.adyen.deliver(times=times, backwards=backwards)

    @rule()
    def look_up(self) -> None:
        """What was answered once is answered always, and what is answered is what a look-up finds."""
        for n, (operation, _) in self.asked.items():
            found = self.gateway.look_up(asked_for(operation, n))
            before = self.answers.get(n)
            if isinstance(before, (Approved, Denied)) and operation in (Operation.CAPTURE, Operation.REFUND):
                assert type(found) is type(before)
            if isinstance(found, (Approved, Denied)):
                self.answers[n] = found

    def ask(self, operation: Operation, amount: int, luck: str, call: Callable[[Any], object], request: Any) -> None:
        match luck:
            case "lost" | "told":
                self.adyen.lose_next_reply(told=luck == "told")
            case "unheard":
                self.adyen.drop_next_request()
            case "failed":
                self.adyen.fail_next(500)
            case _:
                pass
        self.asked[self.next] = (operation, amount)
        with suppress(GatewayFault):
            self.answers[self.next] = call(request)
        self.adyen.no_luck()
        self.next += 1

    def said(self, operation: Operation) -> int:
        return sum(
            answer.amount.amount
            for n, answer in self.answers.items()
            if self.asked[n][0] is operation and isinstance(answer, Approved)
        )

    @invariant()
    def adyen_has_what_was_approved(self) -> None:
        """No money was approved that Adyen did not take, or send back; lost answers may be about more."""
        for payment in self.adyen.payments:
            assert 0 <= payment.refunded <= payment.captured <= payment.authorised or payment.cancelled
            assert self.said(Operation.CAPTURE) <= payment.captured
            assert self.said(Operation.REFUND) <= payment.refunded

    @invariant()
    def there_is_one_payment(self) -> None:
        assert sum(payment.reference == PAYMENT for payment in self.adyen.payments) <= 1

    def teardown(self) -> None:
        """Once everything was told, nothing is unknown but what never arrived, and the sums are equal."""
        if not self.asked:
            return
        self.adyen.deliver()
        self.look_up()
        for payment in self.adyen.payments:
            assert self.said(Operation.CAPTURE) == payment.captured
            assert self.said(Operation.REFUND) == payment.refunded


TestWalk = Walk.TestCase
