"""What a gateway keeps when it sets money aside."""

from __future__ import annotations

import pytest

from omniorder.domain.payments import Operation
from omniorder.errors import GatewayFault
from omniorder.ports.payments import Absent, Approved, Denied, NeedsAction
from omniorder.testing.contracts.payments.bench import Case, Promises, approved, at_once


class Authorising(Promises):
    """Promises about authorisations."""

    def test_an_approval_sets_aside_what_was_asked_for(self) -> None:
        case = self.case()
        answer = approved(case.authorise(), case.money(1000))
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
        approved(case.look_up(Operation.AUTHORISE), case.money(1000))

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
        answer = case.authorise(token=case.token("requires_action", case.bench.tokens.requires_action))
        assert isinstance(answer, NeedsAction)
        assert answer.action.client_secret or answer.action.redirect_url
        assert isinstance(case.look_up(Operation.AUTHORISE), NeedsAction)
        assert isinstance(case.capture(1000), Denied)

    def test_what_waits_for_the_customer_can_be_called_off(self) -> None:
        case = self.case()
        case.authorise(token=case.token("requires_action", case.bench.tokens.requires_action))
        assert isinstance(case.void(), Approved)
        assert isinstance(case.look_up(Operation.AUTHORISE), (Denied, Absent))

    # --- what not every gateway can ---

    def test_a_deposit_is_taken_at_once_where_the_capabilities_say_so(self) -> None:
        case = self.case()
        answer = case.authorise(now=True)
        if not case.can.immediate:
            assert isinstance(answer, Denied)
            return
        assert approved(answer, case.money(1000)).captured
        assert isinstance(case.capture(1000), Denied)
        approved(case.refund(1000), case.money(1000))

    def test_a_wallet_is_taken_where_the_capabilities_say_so(self) -> None:
        case = self.case()
        token = case.bench.tokens.wallet
        for wallet in sorted(case.can.wallets):
            approved(Case(case.bench, self.currency).authorise(token=token, method=wallet), case.money(1000))
        assert isinstance(case.authorise(method="nobody_knows_this_wallet"), Denied)

    def test_without_a_token_the_customer_chooses_where_the_capabilities_say_so(self) -> None:
        case = self.case()
        answer = case.authorise(token="")
        if not case.can.links:
            assert isinstance(answer, Denied)
            return
        assert isinstance(answer, NeedsAction)
        assert answer.action.client_secret or answer.action.redirect_url
        assert isinstance(case.look_up(Operation.AUTHORISE), NeedsAction)
        assert isinstance(case.void(), Approved)
        assert isinstance(case.look_up(Operation.AUTHORISE), (Denied, Absent))

    def test_a_customer_who_chose_has_paid_under_the_same_key(self) -> None:
        case = self.able("links")
        case.authorise(token="")
        case.complete_action()
        approved(case.look_up(Operation.AUTHORISE), case.money(1000))
        approved(case.capture(1000), case.money(1000))

    def test_an_authorisation_says_until_when_it_lasts_where_the_capabilities_know(self) -> None:
        case = self.authorised()
        answer = case.look_up(Operation.AUTHORISE)
        assert isinstance(answer, Approved)
        if "" in case.can.lifetimes:
            assert answer.until is not None
            assert answer.until > case.bench.now()
            assert answer.until.tzinfo is not None
        elif not case.can.lifetimes:
            assert answer.until is None
