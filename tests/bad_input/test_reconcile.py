"""Questions about a provider's list that nobody could mean, and ledgers of orders that are not there."""

from __future__ import annotations

from datetime import timedelta

from omniorder.errors import InvalidInput, InvalidInstant, NotFound, TenderUnsupported
from omniorder.testing.samples import NOW
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World
from tests.bad_input.test_text import IDS
from tests.bad_input.test_time import INSTANTS

DAY = timedelta(days=1)


@parametrised(
    each("since", lambda w, v: w.shop.hub.reconcile("card", since=v), INSTANTS, InvalidInstant, field="since"),
    each("until", lambda w, v: w.shop.hub.reconcile("card", since=NOW, until=v), {
        name: value for name, value in INSTANTS.items() if value is not None
    }, InvalidInstant, field="until"),
    each("kind", lambda w, v: w.shop.hub.reconcile(v, since=NOW), [None, 5, b"card"], InvalidInput, field="kind"),
    each("look_again", lambda w, v: w.shop.hub.reconcile("card", since=NOW, look_again=v), [None, 1, "yes"],
         InvalidInput, field="look_again"),
    [
        Case("an unknown kind", lambda w: w.shop.hub.reconcile("giro", since=NOW), TenderUnsupported,
             {"tender": "giro"}),
        Case("a window backwards", lambda w: w.shop.hub.reconcile("card", since=NOW, until=NOW - DAY), InvalidInstant,
             {"field": "since"}),
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(world: World, case: Case) -> None:
    judge(world, case)


@parametrised(each("order", lambda w, v: w.shop.office.orders.ledger(v), IDS, NotFound, value=None))
def test_the_ledger_of_no_order_is_not_found(world: World, case: Case) -> None:
    judge(world, case)
