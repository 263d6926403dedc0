"""What a gateway keeps when its card readers take money at the counter: capability `in_person`."""

from __future__ import annotations

import pytest

from omniorder.domain.payments import Operation
from omniorder.errors import GatewayTimeout
from omniorder.ports.payments import Absent, Approved, Denied, NeedsAction
from omniorder.testing.contracts.payments.bench import Case, Promises, approved


class Collecting(Promises):
    """Promises about card readers."""

    def waiting(self) -> Case:
        """A payment of 1000 minor units that a card reader waits for a card for."""
        case = self.able("in_person")
        assert isinstance(case.collect(), NeedsAction)
        return case

    def paid(self) -> Case:
        """A payment of 1000 minor units that was taken at a card reader."""
        case = self.waiting()
        case.present_card()
        answer = approved(case.look_up(Operation.COLLECT), case.money(1000))
        case.provider_id = answer.provider_id
        return case

    def test_a_reader_that_waits_for_a_card_can_be_found(self) -> None:
        assert isinstance(self.waiting().look_up(Operation.COLLECT, provider_id=""), NeedsAction)

    def test_a_card_at_the_reader_is_taken_at_once(self) -> None:
        answer = approved((case := self.paid()).look_up(Operation.COLLECT), case.money(1000))
        assert answer.captured
        assert answer.provider_id

    def test_what_a_reader_took_is_not_captured_again(self) -> None:
        case = self.paid()
        assert isinstance(case.capture(1000), Denied)

    def test_collecting_again_under_the_same_key_takes_the_money_once(self) -> None:
        case = self.waiting()
        case.collect()
        case.present_card()
        case.collect()
        case.provider_id = approved(case.look_up(Operation.COLLECT), case.money(1000)).provider_id
        assert isinstance(case.refund(1001), Denied)

    def test_a_card_that_a_reader_declines_has_a_reason_and_another_card_may_follow(self) -> None:
        case = self.waiting()
        case.decline_card()
        refused = case.look_up(Operation.COLLECT)
        assert isinstance(refused, Denied)
        assert refused.reason
        case.collect(key="another")
        case.present_card()
        approved(case.look_up(Operation.COLLECT, key="another"), case.money(1000))
        assert isinstance(case.look_up(Operation.COLLECT), Denied)

    def test_a_reader_that_nobody_has_is_denied(self) -> None:
        case = self.able("in_person")
        answer = case.collect(reader="nobody_has_this_reader")
        assert isinstance(answer, Denied)
        assert answer.reason

    def test_a_reader_that_waits_can_be_stopped_and_serves_the_next(self) -> None:
        case = self.waiting()
        case.provider_id = ""
        assert isinstance(case.void(), Approved)
        assert isinstance(case.look_up(Operation.COLLECT), (Denied, Absent))
        following = Case(case.bench, self.currency)
        assert isinstance(following.collect(), NeedsAction)
        following.present_card()
        approved(following.look_up(Operation.COLLECT), case.money(1000))
        assert isinstance(case.look_up(Operation.COLLECT), (Denied, Absent))

    def test_a_reader_that_took_the_money_is_stopped_too_late_and_tells_how_much_it_took(self) -> None:
        case = self.paid()
        answer = case.void()
        assert isinstance(answer, Denied)
        assert answer.captured == case.money(1000)

    def test_what_a_reader_took_can_be_refunded(self) -> None:
        case = self.paid()
        approved(case.refund(1000), case.money(1000))
        approved(case.look_up(Operation.REFUND), case.money(1000))

    def test_a_request_to_a_reader_whose_reply_was_lost_is_found_and_not_made_twice(self) -> None:
        case = self.able("in_person")
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.collect()
        assert isinstance(case.look_up(Operation.COLLECT, provider_id=""), NeedsAction)
        case.present_card()
        found = approved(case.look_up(Operation.COLLECT, provider_id=""), case.money(1000))
        case.provider_id = found.provider_id
        assert isinstance(case.refund(1001), Denied)

    def test_what_no_reader_was_ever_asked_for_is_absent(self) -> None:
        assert isinstance(self.able("in_person").look_up(Operation.COLLECT), Absent)
