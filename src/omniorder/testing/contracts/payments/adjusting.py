"""What a gateway keeps when more is to be set aside, or for longer; for those that have the capability."""

from __future__ import annotations

import pytest

from omniorder.domain.payments import Operation
from omniorder.errors import GatewayTimeout
from omniorder.ports.payments import Absent, Approved, Denied
from omniorder.testing.contracts.payments.bench import Case, Promises, approved


class Increasing(Promises):
    """Promises about raising what is set aside: capability `incremental`."""

    def raised(self) -> Case:
        """A payment for which 1000 minor units were set aside, and 1500 are."""
        case = self.able("incremental")
        approved(case.authorise(), case.money(1000))
        approved(case.increase(1500), case.money(1500))
        return case

    def test_more_can_be_captured_after_an_increase(self) -> None:
        case = self.raised()
        approved(case.capture(1500), case.money(1500))

    def test_no_more_is_captured_than_the_increase_allows(self) -> None:
        assert isinstance(self.raised().capture(1501), Denied)

    def test_increasing_again_under_the_same_key_increases_once(self) -> None:
        case = self.raised()
        approved(case.increase(1500), case.money(1500))
        approved(case.capture(1500), case.money(1500))

    def test_what_is_not_set_aside_is_not_increased(self) -> None:
        case = self.able("incremental")
        case.authorise()
        case.void()
        assert isinstance(case.increase(1500), Denied)

    def test_an_increase_can_be_looked_up(self) -> None:
        case = self.raised()
        approved(case.look_up(Operation.INCREASE), case.money(1500))
        assert isinstance(case.look_up(Operation.INCREASE, key="never"), Absent)

    def test_an_increase_whose_reply_was_lost_is_repeated_without_a_second_effect(self) -> None:
        case = self.able("incremental")
        case.authorise()
        case.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            case.increase(1500)
        approved(case.look_up(Operation.INCREASE), case.money(1500))
        approved(case.increase(1500), case.money(1500))


class Extending(Promises):
    """Promises about keeping money set aside for longer: capability `extension`."""

    def test_what_was_extended_stays_set_aside_for_as_long_as_the_answer_says(self) -> None:
        case = self.able("extension")
        first = approved(case.authorise(), case.money(1000))
        longer = case.extend()
        assert isinstance(longer, Approved)
        assert first.until is not None
        assert longer.until is not None
        assert longer.until >= first.until
        approved(case.capture(1000), case.money(1000))

    def test_extending_again_under_the_same_key_is_the_same_extension(self) -> None:
        case = self.able("extension")
        case.authorise()
        assert case.extend() == case.extend()

    def test_what_is_not_set_aside_is_not_extended(self) -> None:
        case = self.able("extension")
        case.authorise()
        case.void()
        assert isinstance(case.extend(), Denied)

    def test_an_extension_can_be_looked_up(self) -> None:
        case = self.able("extension")
        case.authorise()
        answer = case.extend()
        assert isinstance(answer, Approved)
        found = case.look_up(Operation.EXTEND)
        assert isinstance(found, Approved)
        assert found.until == answer.until
        assert isinstance(case.look_up(Operation.EXTEND, key="never"), Absent)
