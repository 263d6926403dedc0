"""The gateways' contract bites: for every promise there is a gateway that breaks it, and the contract notices."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from threading import Barrier, get_ident
from typing import Any

import pytest
from attrs import evolve

from omniorder.domain.payments import Operation
from omniorder.errors import BadWebhook, GatewayFault, GatewayTimeout
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capabilities,
    Capture,
    Collect,
    Denied,
    Extend,
    Increase,
    Listed,
    LookUp,
    NeedsAction,
    NoAnswer,
    Notice,
    Refund,
    Void,
)
from omniorder.testing.contracts.payments import THREADS, GatewayBench, GatewayTokens, PaymentGatewayContract
from omniorder.testing.gateway import FakeGateway, ProviderPayment, ProviderState

TOKENS = GatewayTokens(
    approves="pm_card_visa", declines="pm_card_declined", requires_action="pm_card_3ds", reader="tmr_1"
)


class Broken(FakeGateway):
    """A gateway with some ways to break it; the ones below each break one thing."""

    def __init__(self) -> None:
        super().__init__(several_captures=True, incremental=True, extension=True, lifetimes={"": timedelta(days=7)})
        self.seen: dict[str, Any] = {}
        self.everybody_has_looked = Barrier(THREADS, timeout=10)

    def on_file(self, payment: str) -> ProviderPayment | None:
        return next((one for one in self.payments if one.payment == payment), None)


# --- authorising ---


class ApprovesLess(Broken):
    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        answer = super().authorise(request)
        return evolve(answer, amount=answer.amount.times(0)) if isinstance(answer, Approved) else answer


class KnowsNoKeys(Broken):
    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        self.forget_keys()
        return super().authorise(request)

    def capture(self, request: Capture) -> Approved | Denied:
        self.forget_keys()
        return super().capture(request)

    def refund(self, request: Refund) -> Approved | Denied:
        self.forget_keys()
        return super().refund(request)

    def increase(self, request: Increase) -> Approved | Denied:
        self.forget_keys()
        return super().increase(request)

    def extend(self, request: Extend) -> Approved | Denied:
        self.forget_keys()
        return super().extend(request)

    def collect(self, request: Collect) -> Approved | NeedsAction | Denied:
        self.forget_keys()
        return super().collect(request)


class RacesForKeys(Broken):
    """It looks whether it knows the key, and acts when everybody else has looked as well."""

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        known = request.key in self.seen
        self.everybody_has_looked.wait()
        self.seen[request.key] = request
        return super().authorise(request if known else evolve(request, key=f"{request.key}{get_ident()}"))


class ReadsKeysOnly(Broken):
    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        try:
            return super().authorise(request)
        except GatewayFault:
            return Denied("odd")


class DeclinesWithoutReason(Broken):
    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        answer = super().authorise(request)
        return Denied("") if isinstance(answer, Denied) else answer

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        answer = super().look_up(request)
        return Denied("") if isinstance(answer, Denied) else answer


class CapturesAnything(Broken):
    def capture(self, request: Capture) -> Approved | Denied:
        return Approved(request.amount)


class ForgetsWhoWaits(Broken):
    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        answer = super().look_up(request)
        return Absent() if isinstance(answer, NeedsAction) else answer


class OnlySaysVoided(Broken):
    def void(self, request: Void) -> Approved | Denied | Absent:
        found = self.on_file(request.payment)
        return Absent() if found is None else Approved(found.open)


class OnlySetsAside(Broken):
    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        return super().authorise(evolve(request, now=False))


class TakesAnyWallet(Broken):
    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        return super().authorise(evolve(request, method=""))


class NeedsNobody(Broken):
    """It approves what no customer ever saw."""

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        return super().authorise(evolve(request, token=request.token or TOKENS.approves))


class FindsTokensOnly(Broken):
    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        found = self.on_file(request.payment)
        return super().look_up(request) if found is not None and found.token else Absent()


class SaysNoEnd(Broken):
    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        answer = super().look_up(request)
        return evolve(answer, until=None) if isinstance(answer, Approved) else answer


# --- capturing ---


class NeverCloses(Broken):
    def capture(self, request: Capture) -> Approved | Denied:
        answer = super().capture(request)
        return evolve(answer, open=True) if isinstance(answer, Approved) else answer


class CapturesWhatIsThere(Broken):
    """Asked for too much, it takes all that there is."""

    def capture(self, request: Capture) -> Approved | Denied:
        found = self.on_file(request.payment)
        if found is not None and request.amount > found.open:
            request = evolve(request, amount=found.open)
        return super().capture(request)


class CapturesAll(Broken):
    def capture(self, request: Capture) -> Approved | Denied:
        found = self.on_file(request.payment)
        return super().capture(request if found is None else evolve(request, amount=found.open))


class BoastsOfSeveralCaptures(Broken):
    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(several_captures=True)

    def capture(self, request: Capture) -> Approved | Denied:
        return super().capture(evolve(request, final=True))


class NeverReleases(Broken):
    def capture(self, request: Capture) -> Approved | Denied:
        answer = super().capture(evolve(request, final=False))
        return evolve(answer, open=not request.final) if isinstance(answer, Approved) else answer


class RacesForMoney(Broken):
    """It looks how much there is, and books it when everybody else has looked as well."""

    def capture(self, request: Capture) -> Approved | Denied:
        found = self.on_file(request.payment)
        if found is None or request.amount == found.amount:
            return super().capture(request)
        self.everybody_has_looked.wait()
        super().capture(request)
        return Approved(request.amount, found.id) if request.amount <= found.open else Denied("too_much")

    def refund(self, request: Refund) -> Approved | Denied:
        found = self.on_file(request.payment)
        self.everybody_has_looked.wait()
        super().refund(request)
        enough = found is not None and request.amount <= found.captured - found.refunded
        return Approved(request.amount) if enough else Denied("too_much")


# --- voiding ---


class VoidsOnce(Broken):
    def void(self, request: Void) -> Approved | Denied | Absent:
        found = self.on_file(request.payment)
        if found is not None and found.state is ProviderState.VOIDED:
            return Denied("voided")
        return super().void(request)


class VoidsByItsOwnIdOnly(Broken):
    def void(self, request: Void) -> Approved | Denied | Absent:
        return super().void(request) if request.provider_id else Absent()


class VoidsWhatIsNot(Broken):
    def void(self, request: Void) -> Approved | Denied | Absent:
        answer = super().void(request)
        return Denied("unknown") if isinstance(answer, Absent) else answer


class HidesWhatItTook(Broken):
    def void(self, request: Void) -> Approved | Denied | Absent:
        answer = super().void(request)
        return Denied(answer.reason) if isinstance(answer, Denied) else answer


class VoidsAllOrNothing(Broken):
    def void(self, request: Void) -> Approved | Denied | Absent:
        found = self.on_file(request.payment)
        if found is not None and found.captured.amount:
            return Denied("already_captured", found.captured)
        return super().void(request)


# --- refunding ---


class KeepsAFee(Broken):
    def refund(self, request: Refund) -> Approved | Denied:
        answer = super().refund(request)
        fee = request.amount.times(0)
        return evolve(answer, amount=fee) if isinstance(answer, Approved) else answer


class RefundsWhatIsThere(Broken):
    """Asked for too much, it sends back all that was authorised."""

    def refund(self, request: Refund) -> Approved | Denied:
        found = self.on_file(request.payment)
        return Denied("unknown") if found is None else Approved(min(request.amount, found.authorised))


class RefundsAll(Broken):
    def refund(self, request: Refund) -> Approved | Denied:
        found = self.on_file(request.payment)
        if found is not None and request.amount < found.captured:
            request = evolve(request, amount=found.captured)
        return super().refund(request)


# --- more, and for longer ---


class OnlySaysIncreased(Broken):
    def increase(self, request: Increase) -> Approved | Denied:
        return Approved(request.amount, request.provider_id)


class OnlySaysExtended(Broken):
    def extend(self, request: Extend) -> Approved | Denied:
        return Approved(request.amount, request.provider_id)


# --- at the counter ---


class SetsAsideAtTheReader(Broken):
    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        answer = super().look_up(request)
        return evolve(answer, captured=False) if isinstance(answer, Approved) else answer


class TakesAnyReader(Broken):
    def collect(self, request: Collect) -> Approved | NeedsAction | Denied:
        return super().collect(evolve(request, reader="tmr_1"))


# --- listing ---


class ListsTwice(Broken):
    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        for one in super().listed(since, until):
            yield from (one, one)


class ListsNothingOpen(Broken):
    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        for one in super().listed(since, until):
            yield evolve(one, open=one.open.times(0))


class ListsEverythingOpen(Broken):
    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        for one in super().listed(since, until):
            yield evolve(one, open=one.authorised - one.captured)


class ListsOnePage(Broken):
    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        yield from list(super().listed(since, until))[:2]


class ListsWhatItHas(Broken):
    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        return super().listed(datetime.min.replace(tzinfo=since.tzinfo), datetime.max.replace(tzinfo=until.tzinfo))


# --- lost replies ---


class LosesTheWholeCall(Broken):
    """It says that the reply was lost, where the call never arrived."""

    def lose_next_reply(self) -> None:
        self.drop_next_request()


class ForgetsWhatItLost(Broken):
    """It remembers a key only when its reply was delivered."""

    def capture(self, request: Capture) -> Approved | Denied:
        return self.forgetting(lambda: super(Broken, self).capture(request))

    def refund(self, request: Refund) -> Approved | Denied:
        return self.forgetting(lambda: super(Broken, self).refund(request))

    def increase(self, request: Increase) -> Approved | Denied:
        return self.forgetting(lambda: super(Broken, self).increase(request))

    def forgetting(self, call: Callable[[], Approved | Denied]) -> Approved | Denied:
        try:
            return call()
        except GatewayTimeout:
            self.forget_keys()
            raise


class AuthorisesAgain(Broken):
    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        try:
            return super().authorise(request)
        except GatewayTimeout:
            self.forget_keys()
            raise


# --- looking up ---


class KnowsAuthorisationsOnly(Broken):
    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        return super().look_up(request) if request.operation is Operation.AUTHORISE else Absent()


class FindsTheLatest(Broken):
    """It looks for the operation at the payment, not under its key."""

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        found = self.on_file(request.payment)
        keys = [one.key for one in found.operations if one.operation is request.operation] if found else []
        return super().look_up(evolve(request, key=keys[-1]) if keys else request)


class FilesNoDeclines(Broken):
    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        answer = super().look_up(request)
        return Absent() if isinstance(answer, Denied) else answer


class NeverSaysNever(Broken):
    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        answer = super().look_up(request)
        return NoAnswer() if isinstance(answer, Absent) else answer


# --- webhooks ---


class NamesNobody(Broken):
    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        return evolve(super().read_webhook(headers, body), payment="")


class ReadsKnownKinds(Broken):
    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        notice = super().read_webhook(headers, body)
        if not notice.kind.startswith("payment."):
            raise BadWebhook(gateway="broken", reason="unknown kind")
        return notice


class ReadsOnce(Broken):
    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        if body in self.seen.values():
            raise BadWebhook(gateway="broken", reason="seen")
        self.seen[str(len(self.seen))] = body
        return super().read_webhook(headers, body)


class IsParticularAboutHeaders(Broken):
    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        if "Fake-Signature" not in headers:
            raise BadWebhook(gateway="broken", reason="no_signature")
        return super().read_webhook(headers, body)


class BelievesEverybody(Broken):
    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        told = json.loads(body)
        return Notice(told["data"]["payment"], told["type"])


class ComparesText(Broken):
    """`hmac.compare_digest` on text, as some providers' own libraries do."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        if not all(value.isascii() for value in headers.values()):
            raise TypeError("comparing strings with non-ASCII characters is not supported")
        return super().read_webhook(headers, body)


BREAKS: dict[str, type[Broken]] = {
    "test_an_approval_sets_aside_what_was_asked_for": ApprovesLess,
    "test_authorising_again_under_the_same_key_is_the_same_authorisation": KnowsNoKeys,
    "test_authorising_under_one_key_from_many_threads_is_one_authorisation": RacesForKeys,
    "test_another_request_under_a_key_is_refused_and_changes_nothing": ReadsKeysOnly,
    "test_a_decline_has_a_reason": DeclinesWithoutReason,
    "test_what_was_declined_can_t_be_captured": CapturesAnything,
    "test_what_waits_for_the_customer_can_be_found_and_not_captured": ForgetsWhoWaits,
    "test_what_waits_for_the_customer_can_be_called_off": OnlySaysVoided,
    "test_a_deposit_is_taken_at_once_where_the_capabilities_say_so": OnlySetsAside,
    "test_a_wallet_is_taken_where_the_capabilities_say_so": TakesAnyWallet,
    "test_without_a_token_the_customer_chooses_where_the_capabilities_say_so": NeedsNobody,
    "test_a_customer_who_chose_has_paid_under_the_same_key": FindsTokensOnly,
    "test_an_authorisation_says_until_when_it_lasts_where_the_capabilities_know": SaysNoEnd,
    "test_everything_that_is_set_aside_can_be_captured": NeverCloses,
    "test_no_more_is_captured_than_was_set_aside": CapturesWhatIsThere,
    "test_capturing_again_under_the_same_key_captures_once": KnowsNoKeys,
    "test_a_part_is_captured_where_the_capabilities_say_so": CapturesAll,
    "test_a_second_part_is_captured_where_the_capabilities_say_so": BoastsOfSeveralCaptures,
    "test_all_parts_together_are_no_more_than_was_set_aside": CapturesAnything,
    "test_the_final_capture_gives_the_rest_back": NeverReleases,
    "test_a_part_under_the_same_key_is_captured_once": KnowsNoKeys,
    "test_captures_from_many_threads_take_no_more_than_was_set_aside": RacesForMoney,
    "test_what_was_voided_can_t_be_captured": OnlySaysVoided,
    "test_voiding_twice_is_voiding_once": VoidsOnce,
    "test_a_payment_is_voided_by_our_reference_when_its_answer_was_lost": VoidsByItsOwnIdOnly,
    "test_voiding_what_never_arrived_is_answered_as_absent": VoidsWhatIsNot,
    "test_voiding_what_was_captured_is_denied_and_tells_how_much_was": HidesWhatItTook,
    "test_voiding_the_rest_leaves_what_was_captured": VoidsAllOrNothing,
    "test_everything_that_was_captured_can_be_refunded": KeepsAFee,
    "test_no_more_is_refunded_than_was_captured": RefundsWhatIsThere,
    "test_what_was_never_captured_is_not_refunded": RefundsWhatIsThere,
    "test_a_part_is_refunded_where_the_capabilities_say_so": RefundsAll,
    "test_all_refunds_together_are_no_more_than_was_captured": RefundsWhatIsThere,
    "test_refunding_again_under_the_same_key_refunds_once": KnowsNoKeys,
    "test_refunds_from_many_threads_give_back_no_more_than_was_captured": RacesForMoney,
    "test_an_authorisation_whose_reply_was_lost_is_repeated_without_a_second_effect": AuthorisesAgain,
    "test_a_capture_whose_reply_was_lost_is_repeated_without_a_second_effect": ForgetsWhatItLost,
    "test_a_void_whose_reply_was_lost_is_repeated": LosesTheWholeCall,
    "test_a_refund_whose_reply_was_lost_is_repeated_without_a_second_effect": ForgetsWhatItLost,
    "test_every_operation_can_be_looked_up": KnowsAuthorisationsOnly,
    "test_a_void_can_be_looked_up": KnowsAuthorisationsOnly,
    "test_each_of_several_refunds_is_found_by_its_own_key": FindsTheLatest,
    "test_a_decline_can_be_looked_up": FilesNoDeclines,
    "test_what_never_arrived_is_absent": NeverSaysNever,
    "test_an_operation_that_never_arrived_at_a_known_payment_is_absent": FindsTheLatest,
    "test_a_genuine_webhook_names_our_payment": NamesNobody,
    "test_a_webhook_of_an_unknown_kind_is_read_all_the_same": ReadsKnownKinds,
    "test_a_webhook_that_comes_twice_reads_the_same_twice": ReadsOnce,
    "test_the_names_of_headers_may_come_in_any_case": IsParticularAboutHeaders,
    "test_a_webhook_whose_body_was_changed_is_refused": BelievesEverybody,
    "test_a_webhook_without_a_signature_is_refused": BelievesEverybody,
    "test_a_garbled_signature_is_refused": ComparesText,
    "test_a_signature_with_a_letter_outside_ascii_is_refused": ComparesText,
    "test_a_webhook_that_is_an_hour_old_is_refused": BelievesEverybody,
    "test_a_webhook_from_the_future_is_refused": BelievesEverybody,
    "test_a_body_that_is_none_is_refused": BelievesEverybody,
    "test_more_can_be_captured_after_an_increase": OnlySaysIncreased,
    "test_no_more_is_captured_than_the_increase_allows": CapturesAnything,
    "test_increasing_again_under_the_same_key_increases_once": KnowsNoKeys,
    "test_what_is_not_set_aside_is_not_increased": OnlySaysIncreased,
    "test_an_increase_can_be_looked_up": KnowsAuthorisationsOnly,
    "test_an_increase_whose_reply_was_lost_is_repeated_without_a_second_effect": ForgetsWhatItLost,
    "test_what_was_extended_stays_set_aside_for_as_long_as_the_answer_says": OnlySaysExtended,
    "test_extending_again_under_the_same_key_is_the_same_extension": KnowsNoKeys,
    "test_what_is_not_set_aside_is_not_extended": OnlySaysExtended,
    "test_an_extension_can_be_looked_up": KnowsAuthorisationsOnly,
    "test_a_reader_that_waits_for_a_card_can_be_found": ForgetsWhoWaits,
    "test_a_card_at_the_reader_is_taken_at_once": SetsAsideAtTheReader,
    "test_what_a_reader_took_is_not_captured_again": CapturesAnything,
    "test_collecting_again_under_the_same_key_takes_the_money_once": KnowsNoKeys,
    "test_a_card_that_a_reader_declines_has_a_reason_and_another_card_may_follow": DeclinesWithoutReason,
    "test_a_reader_that_nobody_has_is_denied": TakesAnyReader,
    "test_a_reader_that_waits_can_be_stopped_and_serves_the_next": OnlySaysVoided,
    "test_a_reader_that_took_the_money_is_stopped_too_late_and_tells_how_much_it_took": HidesWhatItTook,
    "test_what_a_reader_took_can_be_refunded": KeepsAFee,
    "test_a_request_to_a_reader_whose_reply_was_lost_is_found_and_not_made_twice": LosesTheWholeCall,
    "test_what_no_reader_was_ever_asked_for_is_absent": NeverSaysNever,
    "test_a_payment_is_listed_once_with_its_totals": ListsTwice,
    "test_what_is_set_aside_is_listed_as_open": ListsNothingOpen,
    "test_what_was_voided_is_not_listed_as_open": ListsEverythingOpen,
    "test_each_of_several_payments_is_listed_once": ListsOnePage,
    "test_only_what_was_created_in_time_is_listed": ListsWhatItHas,
}


def promise(name: str, gateway: FakeGateway) -> Callable[[], None]:
    """One promise of the contract, to be called, with all of its parameters, on this gateway."""

    class Contract(PaymentGatewayContract):
        def open(self) -> GatewayBench:
            return GatewayBench(
                gateway,
                TOKENS,
                lose_next_reply=gateway.lose_next_reply,
                signed_webhook=gateway.signed_webhook,
                complete_action=gateway.complete_action,
                present_card=gateway.present_card,
                decline_card=gateway.decline_card,
            )

    method = getattr(Contract(), name)
    marks = getattr(method, "pytestmark", [])
    if not marks:
        return lambda: method()
    [mark] = marks
    arguments = [getattr(one, "values", (one,)) for one in mark.args[1]]

    def every() -> None:
        for argument in arguments:
            method(*argument)

    return every


def kept(name: str, gateway: FakeGateway) -> bool:
    """Whether the gateway keeps this promise; a skip keeps nothing and breaks nothing, so it is an error here."""
    try:
        promise(name, gateway)()
    except (pytest.skip.Exception, KeyboardInterrupt):
        raise
    except (Exception, pytest.fail.Exception):
        return False
    return True


def test_there_is_a_broken_gateway_for_every_promise() -> None:
    assert set(BREAKS) == {name for name in dir(PaymentGatewayContract) if name.startswith("test_")}


@pytest.mark.parametrize(("name", "kind"), BREAKS.items(), ids=BREAKS)
def test_the_contract_notices(name: str, kind: type[Broken]) -> None:
    assert not kept(name, kind())


@pytest.mark.parametrize("name", BREAKS)
def test_it_is_the_breakage_that_is_noticed(name: str) -> None:
    assert kept(name, Broken())
