"""Merging carts: the larger quantity of every wish, whatever the order, and a reason for every line."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from itertools import permutations

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import carts
from omniorder.domain import events as e
from omniorder.domain.carts import Cart, CartLine
from omniorder.domain.consents import Consent
from omniorder.domain.merging import Merged, MergedLine, MergeRule, Wish, explain, merge
from omniorder.domain.text import Metadata, metadata
from omniorder.errors import IllegalTransition, InvalidQuantity, TooMany, VersionConflict
from omniorder.testing import samples
from omniorder.testing.samples import NOW, changed, empty_cart

LATER = NOW + timedelta(minutes=5)
GIFT = metadata({"gift": "yes"})


@frozen
class Want:
    """A line as somebody wishes for it."""

    sku: str
    quantity: int
    note: str = ""
    labels: Metadata = field(factory=Metadata)


def basket(number: int, *wants: Want) -> Cart:
    """A cart with a line of its own for each, alike or not: a note that is edited can make two lines alike."""
    lines = [
        e.LineAdded(f"ln_{number}_{place}", one.sku, one.quantity, one.labels, one.note)
        for place, one in enumerate(wants, 1)
    ]
    return changed(empty_cart(number), *lines)


def joined(into: Cart, *others: Cart, most: int = 500, most_units: int = 10**6) -> Merged:
    return merge(into, others, at=LATER, most=most, most_units=most_units)[0]


def content(*of: Cart) -> dict[Wish, int]:
    """Units per wish; of several carts the most that one of them wants."""
    found: dict[Wish, int] = {}
    for cart in of:
        units: dict[Wish, int] = {}
        for line in cart.lines:
            wish = (line.sku, line.note, line.metadata)
            units[wish] = units.get(wish, 0) + line.quantity
        found |= {wish: max(count, found.get(wish, 0)) for wish, count in units.items()}
    return found


def told(merged: Merged) -> list[tuple[str, int, MergeRule, int, int]]:
    """SKU, quantity, rule, here and there of each line."""
    return [(one.line.sku, one.line.quantity, one.rule, one.here, one.there) for one in merged.lines]


# --- the rule, by example ---------------------------------------------------------------------------------


def test_lines_of_both_carts_are_kept() -> None:
    merged = joined(basket(1, Want("MILK", 2)), basket(2, Want("BREAD", 1)))
    assert told(merged) == [("MILK", 2, MergeRule.KEPT, 2, 0), ("BREAD", 1, MergeRule.ADDED, 0, 1)]


def test_of_a_wish_that_both_have_the_larger_quantity_is_wanted() -> None:
    mine = basket(1, Want("MILK", 2), Want("BREAD", 5), Want("APPLES", 3))
    merged = joined(mine, basket(2, Want("MILK", 4), Want("BREAD", 1), Want("APPLES", 3)))
    assert told(merged) == [
        ("MILK", 4, MergeRule.RAISED, 2, 4),
        ("BREAD", 5, MergeRule.COVERED, 5, 1),
        ("APPLES", 3, MergeRule.COVERED, 3, 3),
    ]


@pytest.mark.parametrize("other", [Want("MILK", 3, "cold"), Want("MILK", 3, labels=GIFT)], ids=["note", "metadata"])
def test_another_note_or_other_metadata_is_another_wish(other: Want) -> None:
    merged = joined(basket(1, Want("MILK", 2)), basket(2, other))
    assert [(line.quantity, line.note, line.metadata) for line in merged.cart.lines] == [
        (2, "", Metadata()),
        (3, other.note, other.labels),
    ]


def test_each_line_says_which_carts_wanted_it() -> None:
    one, two, three = (
        basket(1, Want("MILK", 2)),
        basket(2, Want("MILK", 1), Want("BREAD", 1)),
        basket(3, Want("BREAD", 4)),
    )
    merged = joined(one, two, three)
    assert [(line.line.sku, line.sources) for line in merged.lines] == [
        ("MILK", (one.id, two.id)),
        ("BREAD", (two.id, three.id)),
    ]


def test_lines_that_became_alike_count_together() -> None:
    """Two lines of one cart, alike since a note was edited: five are wanted, so four elsewhere raise nothing."""
    mine = basket(1, Want("MILK", 2), Want("MILK", 3))
    assert told(joined(mine, basket(2, Want("MILK", 4)))) == [
        ("MILK", 2, MergeRule.COVERED, 5, 4),
        ("MILK", 3, MergeRule.COVERED, 5, 4),
    ]
    assert [line.quantity for line in joined(mine, basket(2, Want("MILK", 6))).cart.lines] == [3, 3]


def test_a_line_that_comes_over_keeps_its_id() -> None:
    """So a device that shows the other cart can go on naming its lines."""
    other = basket(2, Want("BREAD", 1))
    assert joined(basket(1), other).cart.lines[0].id == other.lines[0].id


def test_language_and_labels_are_those_of_the_cart_that_goes_on() -> None:
    merged = joined(samples.cart(1), empty_cart(2)).cart
    assert (merged.language, merged.metadata) == (samples.cart(1).language, samples.cart(1).metadata)


def test_a_promise_still_covers_a_cart_to_which_nothing_was_added() -> None:
    mine = basket(1, Want("MILK", 2))
    assert joined(mine, basket(2, Want("MILK", 1))).cart.lines_version == mine.lines_version
    assert joined(mine, basket(2, Want("MILK", 3))).cart.lines_version > mine.lines_version


def test_carts_that_met_earlier_are_explained_as_they_are() -> None:
    mine, other = basket(1, Want("MILK", 2)), basket(2, Want("MILK", 1), Want("BREAD", 1))
    now = joined(mine, other).cart
    assert explain(now, [other], now) == (
        MergedLine(now.lines[0], MergeRule.COVERED, 2, 1, (mine.id, other.id)),
        MergedLine(now.lines[1], MergeRule.COVERED, 1, 1, (mine.id, other.id)),
    )


# --- what is refused --------------------------------------------------------------------------------------


def test_more_lines_than_a_cart_may_have_are_refused() -> None:
    with pytest.raises(TooMany) as refused:
        joined(basket(1, Want("MILK", 1), Want("BREAD", 1)), basket(2, Want("BREAD", 2), Want("APPLES", 1)), most=2)
    assert refused.value.facts["field"] == "lines"


def test_as_many_lines_as_a_cart_may_have_are_not() -> None:
    assert len(joined(basket(1, Want("MILK", 1)), basket(2, Want("BREAD", 2)), most=2).lines) == 2


def test_more_units_of_an_article_than_a_cart_may_have_are_refused() -> None:
    """All of its lines summed: six plain and five with a note are eleven."""
    with pytest.raises(InvalidQuantity):
        joined(basket(1, Want("MILK", 6)), basket(2, Want("MILK", 5, "cold")), most_units=10)
    assert joined(basket(1, Want("MILK", 6)), basket(2, Want("MILK", 10)), most_units=10).cart.demand() == {"MILK": 10}


@pytest.mark.parametrize("state", ["ordered", "merged", "abandoned"])
def test_a_cart_that_is_not_open_takes_nothing_in_and_is_not_taken_in(state: str) -> None:
    closed, open_cart = samples.every_cart(1)[state], empty_cart(2)
    for into, other in ((closed, open_cart), (open_cart, closed)):
        with pytest.raises(IllegalTransition) as refused:
            joined(into, other)
        assert (refused.value.facts["machine"], refused.value.facts["state"]) == ("cart", state)


# --- the rule, for any carts ------------------------------------------------------------------------------

wants = st.builds(
    Want, st.sampled_from(["MILK", "BREAD", "APPLES"]), st.integers(1, 5), st.sampled_from(["", "cold"]),
    st.sampled_from([Metadata(), GIFT]),
)  # fmt: skip
"""Few of everything, so that wishes often meet, in one cart too."""


def baskets(least: int, most: int) -> st.SearchStrategy[tuple[Cart, ...]]:
    """Carts with ids and line ids of their own."""
    filled = st.lists(st.lists(wants, max_size=5), min_size=least, max_size=most)
    return filled.map(lambda each: tuple(basket(number, *lines) for number, lines in enumerate(each, 1)))


@given(baskets(2, 4))
def test_of_every_wish_the_largest_quantity_is_wanted_and_no_wish_is_lost(several: tuple[Cart, ...]) -> None:
    into, *others = several
    assert content(joined(into, *others).cart) == content(*several)


@given(baskets(2, 3))
def test_whatever_the_order_the_same_is_wanted(several: tuple[Cart, ...]) -> None:
    """Into which cart the others come, and in which order, one by one or at once."""
    found = [content(joined(into, *others).cart) for into, *others in permutations(several)]
    found += [content(reduce(lambda into, other: joined(into, other).cart, turned)) for turned in permutations(several)]
    assert all(one == found[0] for one in found)


@given(baskets(3, 3))
def test_who_meets_first_makes_no_difference(several: tuple[Cart, ...]) -> None:
    one, two, three = several
    first = joined(joined(one, two).cart, three)
    last = joined(one, joined(two, three).cart)
    assert content(first.cart) == content(last.cart)


@given(baskets(2, 2))
def test_merging_again_changes_nothing(several: tuple[Cart, ...]) -> None:
    into, other = several
    once = joined(into, other).cart
    assert joined(once, other).cart.lines == once.lines
    assert content(joined(once, once).cart) == content(once)


@given(baskets(2, 3))
def test_the_events_lead_to_the_cart_that_is_returned(several: tuple[Cart, ...]) -> None:
    into, *others = several
    merged, events = merge(into, others, at=LATER, most=500)
    after = into
    for event in events:
        after = carts.apply(after, event, LATER)
    assert after == merged.cart
    assert [event.cart for event in events if isinstance(event, e.CartAbsorbed)] == [other.id for other in others]


@given(baskets(2, 3))
def test_every_line_is_explained_and_the_explanation_is_true(several: tuple[Cart, ...]) -> None:
    into, *others = several
    merged = joined(into, *others)
    assert [one.line for one in merged.lines] == list(merged.cart.lines)
    mine, theirs, now = content(into), content(*others), content(merged.cart)
    for one in merged.lines:
        wish = (one.line.sku, one.line.note, one.line.metadata)
        assert (one.here, one.there) == (mine.get(wish, 0), theirs.get(wish, 0))
        assert one.sources == tuple(cart.id for cart in several if wish in content(cart))
        assert (
            one.rule
            is {
                (True, False): MergeRule.KEPT,
                (False, True): MergeRule.ADDED,
                (True, True): MergeRule.RAISED if one.there > one.here else MergeRule.COVERED,
            }[one.here > 0, one.there > 0]
        )
        assert now[wish] == max(one.here, one.there)


@given(baskets(2, 3), st.integers(0, 6), st.integers(1, 12))
def test_a_merge_is_within_the_limits_or_refused(several: tuple[Cart, ...], most: int, most_units: int) -> None:
    into, *others = several
    whole = joined(into, *others).cart
    fits = len(whole.lines) <= most and max(whole.demand().values(), default=0) <= most_units
    try:
        assert joined(into, *others, most=most, most_units=most_units).cart == whole
    except (TooMany, InvalidQuantity):
        assert not fits
    else:
        assert fits


@given(baskets(1, 1))
def test_nothing_to_merge_is_nothing_that_happens(several: tuple[Cart, ...]) -> None:
    merged, events = merge(several[0], [], at=LATER, most=500)
    assert (merged.cart, events) == (several[0], ())


# --- consents ---------------------------------------------------------------------------------------------


def consenting(number: int, consent: Consent, quantity: int = 1) -> Cart:
    """A cart with one line, about whose substitutes its owner said so."""
    line = CartLine(f"ln_{number}_1", "MILK", quantity, consent=consent)
    return changed(empty_cart(number), carts.added(line))


def test_what_came_over_allows_what_it_allowed() -> None:
    asks = Consent.ask(without_allergens=["nuts"])
    (line,) = joined(basket(1), consenting(2, asks)).lines
    assert (line.line.consent, line.rule, line.stricter) == (asks, MergeRule.ADDED, False)


def test_of_what_both_want_the_stricter_consent_holds_and_the_line_says_so() -> None:
    similar, asks = Consent.similar(without_brands=["A"]), Consent.ask(without_allergens=["nuts"])
    (line,) = joined(consenting(1, similar), consenting(2, asks, 3)).lines
    assert (line.line.quantity, line.rule, line.stricter) == (3, MergeRule.RAISED, True)
    assert line.line.consent == Consent.ask(without_allergens=["nuts"], without_brands=["A"])


def test_a_consent_that_is_the_stricter_already_stays_as_it_is() -> None:
    (line,) = joined(consenting(1, Consent.refuse()), consenting(2, Consent.similar())).lines
    assert (line.line.consent, line.rule, line.stricter) == (Consent.refuse(), MergeRule.COVERED, False)


CONSENTS = st.sampled_from([Consent.refuse(), Consent.similar(), Consent.named("A"), Consent.ask(silence_takes=True)])


@given(st.lists(CONSENTS, min_size=3, max_size=3))
def test_the_consent_that_is_left_depends_on_no_order(consents: list[Consent]) -> None:
    baskets = [consenting(number, consent) for number, consent in enumerate(consents, 1)]
    left = {
        reduce(lambda into, other: joined(into, other).cart, order).lines[0].consent for order in permutations(baskets)
    }
    assert len(left) == 1


def test_lines_that_differ_in_their_consent_only_are_not_joined_when_more_is_added() -> None:
    cart = consenting(1, Consent.similar())
    add = carts.Add("MILK", 2, substitutes=Consent.similar())
    other = carts.Add("MILK", 2)
    told = carts.edit(cart, [add, other], new_lines=["ln_new", "ln_newer"], most=10)
    assert [type(event).__name__ for event in told] == ["LineChanged", "LineAdded"]


def test_a_consent_is_changed_once_and_a_device_that_saw_an_older_one_is_told() -> None:
    cart = consenting(1, Consent.similar())
    allow = carts.Allow("ln_1_1", Consent.ask(without_allergens=["nuts"]))
    (told,) = carts.edit(cart, [allow], new_lines=[], most=10)
    assert isinstance(told, e.LineConsented)
    assert told.consent.without_allergens == ()
    after = carts.apply(cart, told, LATER)
    assert after.lines[0].consent == allow.substitutes
    assert after.lines_version == after.version
    assert carts.edit(after, [allow], new_lines=[], most=10) == ()
    with pytest.raises(VersionConflict):
        carts.edit(after, [carts.Allow("ln_1_1", Consent.refuse())], new_lines=[], most=10, if_version=cart.version)
