"""A payment of ours beside what its provider lists: what differs, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given

from omniorder.domain.answers import Absent
from omniorder.domain.lifecycle import AttemptState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, Stage
from omniorder.domain.payments import CALL_TAKES, Payment
from omniorder.domain.reconciling import (
    Advice,
    Difference,
    DifferenceKind,
    Listed,
    compared,
    in_motion,
    second,
    set_aside,
    stray,
    unanswered,
)
from omniorder.testing import samples, strategies
from omniorder.testing.samples import HOUR, MINUTE, NOW, every_order
from omniorder.testing.walks import Turn

Told = list[tuple[DifferenceKind, Advice]]
KIND, ADVICE = DifferenceKind, Advice


def as_listed(payment: Payment) -> Listed:
    """The payment as a provider lists it that agrees with us."""
    return Listed(
        payment.provider_id, payment.id, payment.created_at, payment.authorised, payment.captured, payment.refunded,
        set_aside(payment),
    )  # fmt: skip


def sample(name: str) -> tuple[Order, Payment]:
    """An order, and its first payment."""
    order = every_order()[name]
    return order, order.payments[0]


def told(found: Iterable[Difference]) -> Told:
    return [(one.kind, one.advice) for one in found]


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


NOTHING = eur(0)


# --- what agrees ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["confirmed", "partly collected", "completed", "cancelled", "declined"])
def test_a_payment_that_is_listed_as_we_know_it_agrees(name: str) -> None:
    order, payment = sample(name)
    assert list(compared(order, payment, [as_listed(payment)])) == []


@given(strategies.lives(by_card=True))
def test_an_open_order_agrees_with_its_own_list_wherever_it_is(steps: tuple[Turn, ...]) -> None:
    order = steps[-1].after
    for payment in order.payments:
        found = list(compared(order, payment, [as_listed(payment)]))
        if payment.state is not PaymentState.AUTHORISED or order.stage is Stage.PREPARING:
            assert found == []


def test_what_came_to_nothing_need_not_be_listed() -> None:
    for name in ("declined", "cancelled"):
        order, payment = sample(name)
        assert list(compared(order, payment, [])) == []


def test_what_the_counter_took_by_itself_is_on_no_providers_list() -> None:
    order, payment = sample("completed")
    assert list(compared(order, evolve(payment, means="cash", token=""), [])) == []


# --- what differs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["confirmed", "partly collected", "completed"])
def test_money_of_ours_that_is_not_listed_is_to_be_found_there(name: str) -> None:
    order, payment = sample(name)
    [found] = compared(order, payment, [])
    assert (found.kind, found.advice) == (KIND.NOT_LISTED, ADVICE.FIND_IT_THERE)
    assert (found.order, found.payment, found.theirs) == (order.id, payment.id, None)
    assert found.ours == (payment.captured if payment.captured.amount else payment.authorised)


@pytest.mark.parametrize(
    ("sums", "kind"),
    [
        ({"captured": NOTHING}, KIND.CAPTURED_DIFFERS),
        ({"captured": Money(1107, "USD")}, KIND.CAPTURED_DIFFERS),
        ({"refunded": eur(100)}, KIND.REFUNDED_DIFFERS),
    ],
)
def test_money_that_somebody_moved_there_is_to_be_booked_or_undone(sums: dict[str, Any], kind: DifferenceKind) -> None:
    order, payment = sample("completed")
    [found] = compared(order, payment, [evolve(as_listed(payment), **sums)])
    assert (found.kind, found.advice) == (kind, ADVICE.BOOK_BY_HAND)
    [(name, theirs)] = sums.items()
    assert (found.ours, found.theirs) == (getattr(payment, name), theirs)


def test_less_set_aside_than_we_count_on_means_another_tender() -> None:
    order, payment = sample("confirmed")
    lapsed = evolve(as_listed(payment), open=NOTHING)
    assert told(compared(order, payment, [lapsed])) == [(KIND.OPEN_DIFFERS, ADVICE.ASK_FOR_PAYMENT)]


def test_more_set_aside_than_we_know_is_looked_into() -> None:
    order, payment = sample("confirmed")
    listed = as_listed(payment)
    more = evolve(listed, open=listed.open + eur(1), authorised=listed.authorised + eur(1))
    assert told(compared(order, payment, [more])) == [(KIND.OPEN_DIFFERS, ADVICE.BOOK_BY_HAND)]
    other = evolve(listed, authorised=listed.authorised + eur(1))
    assert told(compared(order, payment, [other])) == [(KIND.AUTHORISED_DIFFERS, ADVICE.BOOK_BY_HAND)]


@pytest.mark.parametrize("name", ["completed", "cancelled"])
def test_what_stays_set_aside_for_an_order_that_ended_is_to_be_voided(name: str) -> None:
    order, payment = sample(name)
    kept = evolve(as_listed(payment), open=eur(5))
    assert told(compared(order, payment, [kept])) == [(KIND.STILL_SET_ASIDE, ADVICE.VOID_THERE)]


def test_money_of_an_authorisation_that_was_taken_for_absent_is_looked_at_again() -> None:
    """Which gives it back, by the rules for late news."""
    order = samples.heard(every_order()["expiring"], Absent())
    payment = order.payments[0]
    assert payment.attempts[0].state is AttemptState.ABSENT
    late = Listed("pi_1", payment.id, NOW, order.total, NOTHING, NOTHING, order.total)
    assert told(compared(order, payment, [late])) == [(KIND.STILL_SET_ASIDE, ADVICE.LOOK_AGAIN)]
    taken = evolve(late, captured=order.total, open=NOTHING)
    assert told(compared(order, payment, [taken])) == [(KIND.CAPTURED_DIFFERS, ADVICE.LOOK_AGAIN)]


def test_a_second_payment_for_one_of_ours_is_to_be_given_back() -> None:
    order, payment = sample("completed")
    mine = as_listed(payment)
    double = evolve(mine, provider_id="pi_2")
    for listed in ([mine, double], [double, mine]):
        [found] = compared(order, payment, listed)
        assert (found.kind, found.advice) == (KIND.DUPLICATE, ADVICE.GIVE_BACK_THERE)
        assert (found.provider_id, found.theirs) == ("pi_2", payment.captured)
    assert second(order, payment, double) == found


def test_a_second_one_without_money_is_no_difference() -> None:
    order, payment = sample("completed")
    given_back = evolve(as_listed(payment), provider_id="pi_2", refunded=payment.captured)
    assert list(compared(order, payment, [as_listed(payment), given_back])) == []


def test_what_bears_no_reference_is_somebody_elses_or_nobodys() -> None:
    one = Listed("pi_9", "", NOW, eur(500), eur(500), eur(100), NOTHING)
    found = stray(one)
    assert found is not None
    assert (found.kind, found.advice, found.theirs) == (KIND.UNTAGGED, ADVICE.FIND_ITS_OWNER, eur(400))
    tagged = stray(evolve(one, payment="pay_SOF01_000000_1"))
    assert tagged is not None
    assert (tagged.kind, tagged.advice) == (KIND.UNKNOWN_PAYMENT, ADVICE.FIND_ITS_ORDER)
    assert stray(evolve(one, refunded=eur(500))) is None


# --- what is not known yet --------------------------------------------------------------------------------


def test_a_call_that_is_unanswered_for_too_long_is_looked_at_again() -> None:
    order, payment = sample("unanswered")
    asked = payment.attempts[0].asked_at
    assert list(unanswered(order, payment, asked)) == []
    [found] = unanswered(order, payment, asked + MINUTE)
    assert (found.kind, found.advice, found.attempt) == (KIND.UNANSWERED, ADVICE.LOOK_AGAIN, payment.attempts[0].id)
    assert (found.at, found.ours) == (asked, payment.amount)


def test_waiting_for_the_customer_is_no_silence_of_the_provider() -> None:
    order, payment = sample("action required")
    assert list(unanswered(order, payment, NOW + 24 * HOUR)) == []


def test_what_may_have_changed_since_the_list_was_made_is_in_motion() -> None:
    _, payment = sample("confirmed")
    asked = payment.attempts[-1].asked_at
    assert in_motion(payment, asked)
    assert in_motion(payment, asked + CALL_TAKES)
    assert not in_motion(payment, asked + CALL_TAKES + MINUTE)
    assert in_motion(sample("unanswered")[1], asked + 24 * HOUR)


def test_every_advice_is_told_in_a_sentence_and_only_looking_needs_nobody() -> None:
    assert all(one.sentence.endswith(".") for one in Advice)
    assert [one for one in Advice if one.safe] == [Advice.LOOK_AGAIN]
