"""What a gateway keeps when it takes what is set aside, or gives it back."""

from __future__ import annotations

import pytest

from omniorder.ports.payments import Absent, Approved, Denied
from omniorder.testing.contracts.payments.bench import Case, Promises, approvals, approved, at_once


class Capturing(Promises):
    """Promises about captures."""

    def test_everything_that_is_set_aside_can_be_captured(self) -> None:
        answer = self.authorised().capture(1000)
        assert isinstance(answer, Approved)
        assert not answer.open

    def test_no_more_is_captured_than_was_set_aside(self) -> None:
        case = self.authorised()
        assert isinstance(case.capture(1001), Denied)
        approved(case.capture(1000, key="again"), case.money(1000))

    def test_capturing_again_under_the_same_key_captures_once(self) -> None:
        case = self.authorised()
        assert case.capture(1000) == case.capture(1000)
        assert isinstance(case.refund(1001), Denied)

    def test_a_part_is_captured_where_the_capabilities_say_so(self) -> None:
        case = self.authorised()
        answer = case.capture(400)
        if case.can.partial_capture:
            approved(answer, case.money(400))
            assert isinstance(case.refund(401), Denied)
        else:
            assert isinstance(answer, Denied)

    def test_a_second_part_is_captured_where_the_capabilities_say_so(self) -> None:
        case = self.authorised()
        if not case.can.partial_capture:
            pytest.skip("the gateway captures no parts")
        first = approved(case.capture(400, final=False), case.money(400))
        second = case.capture(600, key="second")
        assert first.open is case.can.several_captures
        assert isinstance(second, Approved if case.can.several_captures else Denied)

    def test_all_parts_together_are_no_more_than_was_set_aside(self) -> None:
        case = self.authorised()
        _needs_several(case)
        case.capture(400, final=False)
        assert isinstance(case.capture(601, key="second"), Denied)
        approved(case.capture(600, key="third"), case.money(600))

    def test_the_final_capture_gives_the_rest_back(self) -> None:
        case = self.authorised()
        if not case.can.partial_capture:
            pytest.skip("the gateway captures no parts")
        assert not approved(case.capture(400, final=True), case.money(400)).open
        assert isinstance(case.capture(1, key="second"), Denied)

    def test_a_part_under_the_same_key_is_captured_once(self) -> None:
        case = self.authorised()
        _needs_several(case)
        assert case.capture(400, final=False) == case.capture(400, final=False)
        approved(case.capture(600, key="second"), case.money(600))

    def test_captures_from_many_threads_take_no_more_than_was_set_aside(self) -> None:
        case = self.authorised()
        amount, most = (300, 3) if case.can.several_captures and case.can.partial_capture else (1000, 1)
        answers = at_once(lambda n: case.capture(amount, key=f"capture{n}", final=False))
        assert approvals(answers) == most


class Voiding(Promises):
    """Promises about voids."""

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
        approved(case.refund(400), case.money(400))


def _needs_several(case: Case) -> None:
    if not (case.can.several_captures and case.can.partial_capture):
        pytest.skip("the gateway captures once")
