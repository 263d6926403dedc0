"""What is kept of a webhook: enough to know it again and to follow it, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import ids
from omniorder.domain import webhooks as news
from omniorder.domain.money import Money
from omniorder.domain.webhooks import LONGEST_PAUSE, Webhook, WebhookState

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
PAYMENT = "pay_SOF01_7K3F9Q_1"
FIRST = timedelta(seconds=30)


def received(
    event: str = "evt_1", *, kind: str = "x", payment: str = PAYMENT, body: bytes = b"", gateway: str = "card"
) -> Webhook:
    return news.received(gateway, event, kind, payment, body, NOW)


def test_the_same_news_has_the_same_id_whatever_it_came_in() -> None:
    assert received(body=b"1").id == received(body=b"2", kind="y").id
    assert received().id.startswith("whk_SOF01_")
    assert ids.store_of(received().id) == "SOF01"


def test_news_is_told_apart_by_gateway_id_and_without_an_id_by_its_body_kind_and_payment() -> None:
    other = PAYMENT[:-1] + "2"
    told = [
        received(), received("evt_2"), received(gateway="voucher"), received(""), received("", body=b"1"),
        received("", kind="y"), received("", payment=other),
    ]  # fmt: skip
    assert len({one.id for one in told}) == len(told)


@pytest.mark.parametrize("payment", ["", "pi_1", "SOF01-7K3F9Q", "att_SOF01_7K3F9Q_1_1", "pay_SOF01_7K3F9Q_1_2", "📦"])
def test_news_about_no_payment_of_ours_is_ignored_and_names_none(payment: str) -> None:
    found = news.received("card", "evt_1", "x", payment, b"", NOW, Money(1, "EUR"))
    assert (found.state, found.payment, found.store, found.disputed) == (WebhookState.IGNORED, "", "", None)


@given(st.text(), st.text())
def test_whatever_a_provider_calls_things_can_be_stored_and_shown(event: str, kind: str) -> None:
    found = received(event, kind=kind)
    for kept in (found.event, found.kind):
        assert len(kept) <= 255
        assert all("!" <= character <= "~" for character in kept)


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_events_are_two_however_little_of_their_names_is_kept(one: str, other: str) -> None:
    assert (received(one).id == received(other).id) == (one == other)


def test_the_pauses_double_up_to_a_limit() -> None:
    found, pauses = received(), [received().pause(FIRST)]
    for _ in range(100):
        found = news.parked(found)
        pauses.append(found.pause(FIRST))
    assert pauses[:5] == [FIRST, FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
