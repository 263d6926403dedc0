"""What a gateway keeps when it sends money back."""

from __future__ import annotations

from omniorder.ports.payments import Denied
from omniorder.testing.contracts.payments.bench import Promises, approvals, approved, at_once


class Refunding(Promises):
    """Promises about refunds."""

    def test_everything_that_was_captured_can_be_refunded(self) -> None:
        case = self.captured()
        approved(case.refund(1000), case.money(1000))

    def test_no_more_is_refunded_than_was_captured(self) -> None:
        assert isinstance(self.captured().refund(1001), Denied)

    def test_what_was_never_captured_is_not_refunded(self) -> None:
        assert isinstance(self.authorised().refund(1000), Denied)

    def test_a_part_is_refunded_where_the_capabilities_say_so(self) -> None:
        case = self.captured()
        answer = case.refund(300)
        if case.can.partial_refund:
            approved(answer, case.money(300))
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
        approved(case.refund(700, key="rest"), case.money(700))

    def test_refunds_from_many_threads_give_back_no_more_than_was_captured(self) -> None:
        case = self.captured()
        amount, most = (300, 3) if case.can.partial_refund else (1000, 1)
        assert approvals(at_once(lambda n: case.refund(amount, key=f"refund{n}"))) == most
