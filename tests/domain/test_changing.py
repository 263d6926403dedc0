"""What edits of an order's lines come to, and what that costs."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from omniorder import Add, Change, Consent, Money, OrderEdit, PaidBy, Remove, Units
from omniorder.domain import changing, orders, promises
from omniorder.domain import events as e
from omniorder.domain.articles import Article, Price
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.carts import CartLine
from omniorder.domain.changing import Wanted
from omniorder.domain.orders import Order
from omniorder.domain.terms import PLAIN, Terms
from omniorder.domain.text import metadata
from omniorder.errors import InvalidInput, InvalidQuantity, NotFound, TooMany
from omniorder.testing import samples

ORDER = samples.authorised(samples.order(wishes={samples.MILK: 3, samples.BREAD: 2}))
FIRST, SECOND = ORDER.lines
RAISES = Terms({"card": Capabilities(incremental=True)})


def wanted(*edits: OrderEdit, order: Order = ORDER, **limits: Any) -> Wanted:
    given = {"most": 10, "most_units": 100, **limits}
    return changing.wanted(order, edits, fresh=(f"ln_new{n}" for n in range(10)), **given)


def test_less_is_called_off_and_more_comes_as_a_wish_of_its_own() -> None:
    more = Change(SECOND.id, SECOND.quantity + 3)
    assert wanted(Change(FIRST.id, 1), more) == Wanted(
        (Units(FIRST.id, FIRST.quantity - 1),), (CartLine("ln_new0", SECOND.sku, 3, SECOND.note, SECOND.metadata),)
    )


def test_edits_are_made_one_after_the_other() -> None:
    assert wanted(Change(FIRST.id, 9), Remove(FIRST.id), Change(FIRST.id, FIRST.quantity)) == Wanted()


def test_wishes_of_the_same_article_note_and_metadata_are_one() -> None:
    found = wanted(Add("TEA", 1), Add("TEA", 2), Add("TEA", 1, note="loose"), Add("TEA", 1, metadata={"size": "L"}))
    assert [(wish.quantity, wish.note, wish.metadata) for wish in found.added] == [
        (3, "", metadata({})), (1, "loose", metadata({})), (1, "", metadata({"size": "L"})),
    ]  # fmt: skip


def test_more_of_a_line_is_wanted_with_the_consent_of_that_line() -> None:
    order = samples.authorised(samples.order(wishes={samples.MILK: 3, samples.BREAD: 2}, consent=samples.ASK_FIRST))
    found = wanted(*(Change(line.id, line.quantity + 1) for line in order.lines), order=order)
    assert [wish.consent for wish in found.added] == [line.consent for line in order.lines]
    assert found.added[0].consent == samples.ASK_FIRST


def test_wishes_with_different_consents_are_lines_of_their_own() -> None:
    asks = Consent.ask(without_allergens=["nuts"])
    found = wanted(Add("TEA", 1), Add("TEA", 2, substitutes=asks), Add("TEA", 3, substitutes=asks))
    assert [(wish.quantity, wish.consent) for wish in found.added] == [(1, Consent.refuse()), (5, asks)]


def test_what_somebody_can_not_eat_is_told_beside_the_lines_that_come_and_goes_with_the_order() -> None:
    asks = Consent.ask(without_allergens=["nuts"], without_brands=["Oatly"])
    found = wanted(Add("TEA", 2, substitutes=asks))
    price = Price("TEA", Money(200, "EUR"), tax="0.20")
    priced = [promises.priced(wish, Article("TEA", "Tea"), price) for wish in found.added]
    (came,) = changing.steps(ORDER, found, changing.new_lines(found.added, priced), None, "rsv_SOF01_new")
    assert isinstance(came, e.LinesAppended)
    assert "nuts" not in repr(came)
    assert came.lines[0].consent == Consent.ask(without_brands=["Oatly"])
    assert orders.apply(ORDER, came, samples.NOW).added[0].consent == asks


def test_the_quote_of_a_change_has_the_ceiling_that_was_agreed_to_for_what_stays() -> None:
    cap = FIRST.price + Money(51, "EUR")
    order = samples.authorised(samples.order(wishes={samples.MILK: 3}, consent=Consent.similar(cap=cap)))
    quoted = changing.quote(order)
    assert (quoted.ceiling, quoted.ceiling - quoted.total) == (order.may_cost, Money(153, "EUR"))


def test_a_line_that_is_gone_is_not_found() -> None:
    gone = orders.apply(ORDER, e.LinesCancelled((Units(FIRST.id, FIRST.quantity),), "changed"), samples.NOW)
    for edit in (Remove(FIRST.id), Change(FIRST.id, 1), Remove("ln_0")):
        with pytest.raises(NotFound):
            wanted(edit, order=gone)


def test_something_must_be_left() -> None:
    nothing = [Remove(line.id) for line in ORDER.lines]
    with pytest.raises(InvalidInput):
        wanted(*nothing)
    assert wanted(*nothing, Add("TEA")).added


def test_limits_hold_for_all_lines_and_units_that_the_order_has_then() -> None:
    with pytest.raises(TooMany):
        wanted(Add("TEA"), most=len(ORDER.lines))
    with pytest.raises(InvalidQuantity):
        wanted(Add(FIRST.sku, 1), most_units=FIRST.quantity)
    assert wanted(Change(FIRST.id, 1), Add(FIRST.sku, FIRST.quantity - 1), most_units=FIRST.quantity).added


def test_the_ceiling_rises_with_what_is_wanted_and_never_falls() -> None:
    less = orders.apply(ORDER, e.LinesCancelled((Units(FIRST.id, 1),), "changed"), samples.NOW)
    assert (changing.ceiling(ORDER), changing.ceiling(less)) == (None, None)
    assert changing.ceiling(evolve(ORDER, ceiling=ORDER.ceiling - Money(1, "EUR"))) == ORDER.ceiling


def test_what_is_missing_is_raised_where_that_can_be_then_paid_at_the_counter_then_by_another_tender() -> None:
    dearer = evolve(ORDER, added=(), payments=tuple(
        evolve(p, authorised=p.authorised - Money(100, "EUR")) for p in ORDER.payments
    ))  # fmt: skip
    left = changing.missing(dearer, PLAIN, raises=False)
    assert left == Money(100, "EUR")
    ways = [changing.way_to_pay(dearer, left, terms) for terms in (RAISES, PLAIN, Terms(counter=False))]
    assert ways == [PaidBy.RAISED, PaidBy.COUNTER, PaidBy.TENDER]
    assert changing.way_to_pay(dearer, Money(0, "EUR"), PLAIN) is PaidBy.NOTHING
