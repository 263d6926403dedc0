"""Card readers at the counter: asked by the server, answered by a card, and stopped before anything is taken."""

from __future__ import annotations

import pytest

from omniorder.adapters.stripe import Enabled
from omniorder.domain.payments import Operation
from omniorder.errors import GatewayTimeout
from omniorder.ports.payments import Absent, Approved, Denied, NeedsAction
from omniorder.testing.provider import ProviderState
from tests.adapters.stripe_bench import PAYMENT, READER, Bench, euros, key, opened


def at_the_counter() -> Bench:
    """A shop with readers."""
    return opened(Enabled(readers=True))


def waiting() -> Bench:
    """The reader asks for a card."""
    bench = at_the_counter()
    assert isinstance(bench.collect(), NeedsAction)
    return bench


def became(bench: Bench, n: int = 6) -> object:
    return bench.look_up(Operation.COLLECT, n)


def test_the_reader_waits_until_a_card_is_presented() -> None:
    bench = waiting()
    assert isinstance(became(bench), NeedsAction)
    bench.stripe.present_card(READER)
    answer = became(bench)
    assert isinstance(answer, Approved)
    assert (answer.amount, answer.captured) == (euros(1000), True)
    assert bench.stripe.effects == {key(6): 1}


def test_no_tip_is_asked_for_and_the_customer_may_cancel() -> None:
    """A tip would be another amount than the one that was asked for."""
    sent = waiting().stripe.requests[-1].form["process_config"]
    assert sent == {"enable_customer_cancellation": "true", "skip_tipping": "true"}


@pytest.mark.parametrize(
    ("number", "reason"), [("4000000000000002", "generic_decline"), ("4000000000009995", "insufficient_funds")]
)
def test_a_declined_card_is_a_denial_and_another_may_follow(number: str, reason: str) -> None:
    bench = waiting()
    bench.stripe.present_card(READER, number)
    assert became(bench) == Denied(reason)
    assert isinstance(bench.collect(n=7), NeedsAction)
    bench.stripe.present_card(READER)
    assert isinstance(became(bench, 7), Approved)
    assert became(bench, 6) == Denied(reason)


def test_the_red_key_is_a_denial() -> None:
    bench = waiting()
    bench.stripe.cancel_at_reader(READER)
    assert became(bench) == Denied("customer_canceled")


def test_without_readers_nothing_is_sent_to_one() -> None:
    bench = opened()
    assert bench.collect() == Denied("in_person_unsupported")
    assert bench.stripe.requests == ()


def test_a_reader_that_is_offline_is_a_denial() -> None:
    bench = at_the_counter()
    bench.stripe.unplug(READER)
    assert bench.collect() == Denied("terminal_reader_offline")


def test_a_reader_that_is_busy_is_a_denial_and_goes_on_with_the_other() -> None:
    bench = waiting()
    assert bench.collect(n=7) == Denied("terminal_reader_busy")
    bench.stripe.present_card(READER)
    assert isinstance(became(bench), Approved)
    assert became(bench, 7) == Absent()


def test_asking_again_under_the_same_key_asks_once() -> None:
    bench = waiting()
    assert bench.collect() == bench.collect()
    bench.stripe.present_card(READER)
    assert len(bench.stripe.payments) == 1
    assert bench.stripe.effects == {key(6): 1}


@pytest.mark.parametrize("well", [0, 1], ids=["the payment", "the reader"])
def test_a_lost_reply_is_repeated_without_a_second_effect(well: int) -> None:
    bench = at_the_counter()
    for _ in range(well):
        bench.stripe.go_well_next()
    bench.stripe.lose_next_reply()
    with pytest.raises(GatewayTimeout):
        bench.collect()
    found = became(bench)
    assert isinstance(found, NeedsAction if well else Absent)
    assert isinstance(bench.collect(), NeedsAction)
    bench.stripe.present_card(READER)
    assert bench.stripe.effects == {key(6): 1}


def test_a_reader_that_may_have_heard_is_no_denial() -> None:
    bench = at_the_counter()
    bench.stripe.go_well_next()
    bench.stripe.time_out_reader_next()
    with pytest.raises(GatewayTimeout):
        bench.collect()
    assert isinstance(became(bench), NeedsAction)
    bench.stripe.present_card(READER)
    assert isinstance(became(bench), Approved)


def test_a_crash_before_the_reader_was_asked_leaves_nothing_that_happened() -> None:
    """The payment is there, but no card was asked for: so it may be sent again."""
    bench = at_the_counter()
    bench.stripe.go_well_next()
    bench.stripe.drop_next_request()
    with pytest.raises(GatewayTimeout):
        bench.collect()
    assert became(bench) == Absent()


def test_calling_off_stops_the_reader() -> None:
    bench = waiting()
    assert isinstance(bench.void(number=""), Approved)
    assert became(bench) == Denied("voided")
    assert isinstance(bench.collect(n=7), NeedsAction)


def test_calling_off_by_our_reference_finds_the_one_that_is_still_open() -> None:
    """Of two cards that were tried, the later was called off already."""
    bench = waiting()
    bench.stripe.cancel_at_reader(READER)
    bench.clock.advance(seconds=5)
    bench.collect(n=7)
    first, second = bench.stripe.payments
    bench.void(n=8, number=second.id)
    bench.void(n=9, number="")
    assert [one.state for one in bench.stripe.payments] == 2 * [ProviderState.VOIDED]
    assert first.id != second.id


def test_calling_off_too_late_tells_what_was_taken() -> None:
    bench = waiting()
    bench.stripe.present_card(READER)
    assert bench.void(number="") == Denied("already_captured", euros(1000))


def test_calling_off_leaves_another_customer_s_payment_on_the_reader() -> None:
    bench = waiting()
    bench.stripe.cancel_at_reader(READER)
    assert isinstance(bench.collect(n=8), NeedsAction)
    assert isinstance(bench.void(number=bench.stripe.payments[0].id), Approved)
    bench.stripe.present_card(READER)
    assert isinstance(became(bench, 8), Approved)


def test_a_reader_that_does_not_answer_holds_up_no_void() -> None:
    """Once the payment is called off, no card can pay it."""
    bench = waiting()
    bench.stripe.go_well_next()
    bench.stripe.drop_next_request()
    assert isinstance(bench.void(number=bench.stripe.payments[0].id), Approved)
    bench.stripe.present_card(READER)
    assert became(bench) == Denied("voided")


def test_what_was_collected_can_be_refunded() -> None:
    bench = waiting()
    bench.stripe.present_card(READER)
    assert isinstance(bench.refund(1000), Approved)
    assert bench.stripe.payments[0].payment == PAYMENT
