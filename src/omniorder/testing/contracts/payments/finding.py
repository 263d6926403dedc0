"""What a gateway keeps when a reply was lost, and how it is asked later what became of an operation."""

from __future__ import annotations

import pytest

from omniorder.domain.payments import Operation
from omniorder.errors import GatewayTimeout
from omniorder.ports.payments import Absent, Approved, Denied
from omniorder.testing.contracts.payments.bench import Promises, approved


class LostReplies(Promises):
    """Promises about calls whose reply never arrived."""

    def test_an_authorisation_whose_reply_was_lost_is_repeated_without_a_second_effect(self) -> None:
        case = self.case()
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.authorise()
        found = approved(case.look_up(Operation.AUTHORISE, provider_id=""), case.money(1000))
        again = approved(case.authorise(), case.money(1000))
        assert again.provider_id == found.provider_id

    def test_a_capture_whose_reply_was_lost_is_repeated_without_a_second_effect(self) -> None:
        case = self.authorised()
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.capture(1000)
        approved(case.look_up(Operation.CAPTURE), case.money(1000))
        approved(case.capture(1000), case.money(1000))
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
        approved(case.look_up(Operation.REFUND), case.money(amount))
        approved(case.refund(amount), case.money(amount))
        if case.can.partial_refund:
            approved(case.refund(700, key="rest"), case.money(700))


class LookingUp(Promises):
    """Promises about asking again."""

    def test_every_operation_can_be_looked_up(self) -> None:
        case = self.captured()
        case.refund(1000)
        for operation in (Operation.AUTHORISE, Operation.CAPTURE, Operation.REFUND):
            approved(case.look_up(operation), case.money(1000))

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
        approved(case.look_up(Operation.REFUND, key="one"), case.money(300))
        approved(case.look_up(Operation.REFUND, key="other"), case.money(200))

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
