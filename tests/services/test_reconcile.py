"""Reconciling with a provider, in both directions: what is found, what is not, and that nothing moves by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from omniorder import Money, OrderState, PaymentState, Settings
from omniorder.domain.reconciling import Advice, Difference, DifferenceKind
from omniorder.errors import GatewayFault, InvalidInstant, NeedsOwnTransaction, TenderUnsupported
from omniorder.ports.payments import Authorise, Listed
from omniorder.services import listings, reconciling
from omniorder.services.reconciling import Sums, Totals
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import INSTANT, REPLY_LOST, handed_over, placed, ready

KIND, ADVICE = DifferenceKind, Advice
Change = Callable[[list[Listed]], Iterable[Listed]]


class Doctored(FakeGateway):
    """A provider whose list is not what it should be."""

    change: Change = staticmethod(lambda found: found)

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        yield from self.change(list(super().listed(since, until)))


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    clock = FakeClock()
    return open_shop(clock=clock, gateway=Doctored(clock=clock))


def doctored(shop: Shop, change: Change) -> None:
    gateway = shop.gateway
    assert isinstance(gateway, Doctored)
    gateway.change = change


def reconciled(shop: Shop, *, look_again: bool = False, **window: datetime) -> tuple[list[Difference], Totals]:
    """The differences of the last day, or of this window, and the totals; an hour after all that happened."""
    shop.clock.advance(hours=1)
    since = window.pop("since", shop.clock.now() - timedelta(days=1))
    report = shop.hub.reconcile("card", since=since, look_again=look_again, **window)
    return list(report), report.totals


def kinds(shop: Shop) -> list[DifferenceKind]:
    return [one.kind for one in reconciled(shop)[0]]


def stray(**changes: Any) -> Listed:
    money = Money(700, "EUR")
    none = Money(0, "EUR")
    one = Listed("pi_other", "", FakeClock().now() + timedelta(minutes=1), money, money, none, none)
    return evolve(one, **changes)


# --- both agree -------------------------------------------------------------------------------------------


def test_a_shop_and_its_provider_agree(shop: Shop) -> None:
    handed_over(shop, ready(shop))
    shop.app.orders.cancel(placed(shop).id)
    shop.app.orders.cancel(placed(shop, pay=INSTANT).id)
    placed(shop)
    found, totals = reconciled(shop)
    assert found == []
    assert (totals.payments, totals.listed, totals.agreed, totals.in_motion) == (4, 4, 4, 0)
    assert totals.ours == totals.theirs == {"EUR": Sums(captured=996, refunded=498, open=498)}


def test_what_moved_since_the_list_was_begun_is_counted_and_not_judged(shop: Shop) -> None:
    placed(shop)
    doctored(shop, lambda found: [])
    soon = shop.clock.now() + timedelta(minutes=1)
    report = shop.hub.reconcile("card", since=soon - timedelta(days=1), until=soon)
    assert list(report) == []
    assert (report.totals.payments, report.totals.in_motion, report.totals.ours) == (1, 1, {})


# --- the provider has what we have not --------------------------------------------------------------------


def test_money_without_a_reference_of_ours_is_told(shop: Shop) -> None:
    doctored(shop, lambda found: [stray()])
    [found], totals = reconciled(shop)
    assert (found.kind, found.advice, found.provider_id) == (KIND.UNTAGGED, ADVICE.FIND_ITS_OWNER, "pi_other")
    assert found.theirs == Money(700, "EUR")
    assert totals.theirs == {"EUR": Sums(captured=700)}


@pytest.mark.parametrize("reference", ["pay_SOF01_000000_1", "invoice 4711", "pay_\x00'; --"])
def test_a_reference_that_nobody_here_knows_is_told(shop: Shop, reference: str) -> None:
    doctored(shop, lambda found: [stray(payment=reference)])
    [found], _ = reconciled(shop)
    assert (found.kind, found.payment) == (KIND.UNKNOWN_PAYMENT, reference)


def test_a_reference_to_another_payment_of_an_order_that_is_there_is_told(shop: Shop) -> None:
    order = placed(shop)
    doctored(shop, lambda found: [*found, stray(payment=order.payments[0].id[:-1] + "9")])
    assert kinds(shop) == [KIND.UNKNOWN_PAYMENT]


def test_a_second_payment_for_ours_is_told_also_when_it_was_made_much_later(shop: Shop) -> None:
    order = placed(shop)
    again = stray(payment=order.payments[0].id)
    doctored(shop, lambda found: [*found, again])
    assert kinds(shop) == [KIND.DUPLICATE]
    shop.clock.advance(days=3)
    later = evolve(again, created_at=shop.clock.now())
    doctored(shop, lambda found: [later])
    assert kinds(shop) == [KIND.DUPLICATE]


def test_what_was_set_aside_and_given_up_by_us_is_told_and_given_back_by_looking_again(shop: Shop) -> None:
    """The provider had never heard of it when it was asked; now the money is there."""
    shop.gateway.drop_next_request()
    order = placed(shop)
    shop.app.orders.cancel(order.id)
    shop.advance(minutes=2)
    order = shop.app.orders.get(order.id)
    assert (order.state, order.payments[0].state) == (OrderState.CANCELLED, PaymentState.DECLINED)
    late = shop.gateway.requests[0]
    assert isinstance(late, Authorise)
    assert late.key == order.payments[0].attempts[0].id
    shop.gateway.authorise(late)  # the request arrives after all
    [found], _ = reconciled(shop)
    assert (found.kind, found.advice) == (KIND.STILL_SET_ASIDE, ADVICE.LOOK_AGAIN)
    told, totals = reconciled(shop, look_again=True)
    assert (told, totals.looked) == ([], 1)
    assert [one.open.amount for one in shop.gateway.payments] == [0]
    check_all(shop.hub)


# --- we have what the provider has not --------------------------------------------------------------------


def test_money_of_ours_that_is_not_listed_is_told(shop: Shop) -> None:
    order = placed(shop)
    doctored(shop, lambda found: [])
    [found], totals = reconciled(shop)
    assert (found.kind, found.order, found.payment) == (KIND.NOT_LISTED, order.id, order.payments[0].id)
    assert found.ours == Money(498, "EUR")
    assert (totals.ours, totals.theirs) == ({"EUR": Sums(open=498)}, {})


def test_amounts_that_differ_are_told_with_both(shop: Shop) -> None:
    handed_over(shop, ready(shop))
    doctored(shop, lambda found: [evolve(one, captured=Money(500, "EUR")) for one in found])
    [found], totals = reconciled(shop)
    assert (found.kind, found.ours, found.theirs) == (KIND.CAPTURED_DIFFERS, Money(498, "EUR"), Money(500, "EUR"))
    assert dict(totals.differences) == {KIND.CAPTURED_DIFFERS: 1}


def test_an_authorisation_that_ended_at_the_provider_is_told(shop: Shop) -> None:
    shop.gateway.expire(placed(shop).payments[0])
    [found], _ = reconciled(shop)
    assert (found.kind, found.advice) == (KIND.OPEN_DIFFERS, ADVICE.ASK_FOR_PAYMENT)


def test_what_stays_set_aside_after_the_order_ended_is_told(shop: Shop) -> None:
    handed_over(shop, ready(shop))
    doctored(shop, lambda found: [evolve(one, open=Money(2, "EUR")) for one in found])
    assert kinds(shop) == [KIND.STILL_SET_ASIDE]


# --- silence ----------------------------------------------------------------------------------------------


def test_a_provider_that_was_silent_for_days_is_reconciled_by_looking_again(open_shop: OpenShop) -> None:
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=Doctored(clock=clock), settings=Settings(unknown_longest=timedelta(hours=2)))
    order = placed(shop, pay=REPLY_LOST)
    assert kinds(shop) == []  # not for so long yet
    shop.clock.advance(hours=2)
    [found], _ = reconciled(shop)
    assert (found.kind, found.attempt) == (KIND.UNANSWERED, order.payments[0].attempts[0].id)
    told, totals = reconciled(shop, look_again=True)
    assert (told, totals.looked) == ([], 1)
    assert shop.app.orders.get(order.id).payments[0].state is not PaymentState.AUTHORISING
    assert reconciled(shop)[0] == []
    check_all(shop.hub)


def test_a_provider_that_is_silent_still_is_told_of_as_before(open_shop: OpenShop) -> None:
    clock = FakeClock()
    shop = open_shop(
        clock=clock, gateway=Doctored(clock=clock), settings=Settings(unknown_longest=timedelta(minutes=1))
    )
    placed(shop, pay=REPLY_LOST)
    for _ in range(3):
        shop.gateway.drop_next_request()
    [found], totals = reconciled(shop, look_again=True)
    assert (found.kind, totals.looked, totals.in_motion) == (KIND.UNANSWERED, 1, 1)


# --- time and size ----------------------------------------------------------------------------------------


def test_only_what_was_created_in_the_window_is_compared(shop: Shop) -> None:
    first = placed(shop)
    shop.clock.advance(hours=2)
    between = shop.clock.now()
    second = placed(shop)
    shop.clock.advance(hours=2)
    doctored(shop, lambda found: [])
    early, _ = reconciled(shop, until=between)
    late, _ = reconciled(shop, since=between)
    assert [one.order for one in early] == [first.id]
    assert [one.order for one in late] == [second.id]


def test_a_payment_at_the_edge_is_found_on_the_other_side_of_it(shop: Shop) -> None:
    """The provider's clock is ahead: for it the payment is of the next window, in which it is not told of either."""
    placed(shop)
    edge = shop.clock.now() + timedelta(seconds=1)
    ahead = edge + timedelta(seconds=1)
    doctored(shop, lambda found: [evolve(one, created_at=ahead) for one in found])
    assert reconciled(shop, until=edge)[0] == []
    assert reconciled(shop, since=edge)[0] == []


def test_any_number_of_payments_is_compared_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (listings, reconciling):
        monkeypatch.setattr(module, "BATCH", 2)
    orders = [placed(shop, {Shop.MILK: 1}) for _ in range(5)]
    strays = [stray(provider_id=f"pi_{number}", payment="") for number in range(5)]
    doctored(shop, lambda found: [*found[1:], *strays])
    found, totals = reconciled(shop)
    assert [one.kind for one in found] == [KIND.NOT_LISTED, *[KIND.UNTAGGED] * 5]
    assert (found[0].order, totals.agreed, totals.listed) == (orders[0].id, 4, 9)


def test_what_is_listed_twice_counts_once(shop: Shop) -> None:
    """As when it moves to the next page while that is fetched."""
    placed(shop)
    doctored(shop, lambda found: [*found, *found])
    found, totals = reconciled(shop)
    assert (found, totals.listed) == ([], 1)


def test_reconciling_writes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    placed(shop)
    doctored(shop, lambda found: [stray()])
    before = stored()
    assert len(reconciled(shop)[0]) == 2
    assert stored() == before


# --- what is refused --------------------------------------------------------------------------------------


def test_a_provider_that_cant_list_is_refused(open_shop: OpenShop) -> None:
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, lists=False))
    with pytest.raises(TenderUnsupported, match="can't list"):
        shop.hub.reconcile("card", since=clock.now() - timedelta(days=1))
    with pytest.raises(TenderUnsupported):
        shop.hub.reconcile("giro", since=clock.now() - timedelta(days=1))


def test_a_window_that_is_none_is_refused(shop: Shop) -> None:
    now = shop.clock.now()
    for since, until in ((now, now), (now, now - timedelta(days=1)), (now + timedelta(days=1), None)):
        with pytest.raises(InvalidInstant):
            shop.hub.reconcile("card", since=since, until=until)
    with pytest.raises(InvalidInstant):
        shop.hub.reconcile("card", since=now.replace(tzinfo=None))


def test_a_list_that_breaks_off_is_told_as_the_providers_fault(shop: Shop) -> None:
    def broken(found: list[Listed]) -> Iterator[Listed]:
        yield stray()
        raise GatewayFault(gateway="fake", reason="page 2 failed")

    doctored(shop, broken)
    with pytest.raises(GatewayFault):
        reconciled(shop)


def test_no_provider_is_called_inside_a_callers_transaction(sqlite_url: str) -> None:
    with (
        Shop.example(sqlite_url) as shop,
        shop.hub.journal.parts.storage.transaction() as tx,
        shop.hub.joined(tx.connection) as joined,
        pytest.raises(NeedsOwnTransaction),
    ):
        joined.reconcile("card", since=shop.clock.now() - timedelta(days=1))
