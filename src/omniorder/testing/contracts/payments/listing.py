"""What a gateway keeps when it lists what it has on file: capability `lists`."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from omniorder.ports.payments import Listed, ListingGateway
from omniorder.testing.contracts.payments.bench import Case, Promises

HOUR = timedelta(hours=1)


class Listing(Promises):
    """Promises about lists."""

    def test_a_payment_is_listed_once_with_its_totals(self) -> None:
        case = self.able("lists")
        case.authorise()
        case.capture(1000)
        case.refund(1000)
        [found] = _listed(case)
        totals = (found.authorised, found.captured, found.refunded, found.open)
        assert totals == tuple(case.money(amount) for amount in (1000, 1000, 1000, 0))
        assert found.provider_id == case.provider_id

    def test_what_is_set_aside_is_listed_as_open(self) -> None:
        case = self.able("lists")
        case.authorise()
        [found] = _listed(case)
        assert (found.open, found.captured) == (case.money(1000), case.money(0))

    def test_what_was_voided_is_not_listed_as_open(self) -> None:
        case = self.able("lists")
        case.authorise()
        case.void()
        assert [found.open.amount for found in _listed(case)] in ([0], [])

    def test_each_of_several_payments_is_listed_once(self) -> None:
        first = self.able("lists")
        cases = [first, *(Case(first.bench, self.currency) for _ in range(3))]
        for case in cases:
            case.authorise()
        assert [len(_listed(case)) for case in cases] == [1, 1, 1, 1]

    def test_only_what_was_created_in_time_is_listed(self) -> None:
        case = self.able("lists")
        case.authorise()
        assert _listed(case, ago=2 * HOUR) == []


def _listed(case: Case, *, ago: timedelta = timedelta(0)) -> list[Listed]:
    """What is listed of this payment, of the hour around now or around `ago`."""
    around = case.bench.now() - ago
    gateway = cast(ListingGateway, case.gateway)
    return [one for one in gateway.listed(around - HOUR / 2, around + HOUR / 2) if one.payment == case.payment]
