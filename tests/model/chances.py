"""What Hypothesis may choose from: mostly what is usual, now and then what is not."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from omniorder import Capabilities, Card, Consent, Money, PayInStore, Tender
from tests.model.world import BREAD, MILK, ORGANIC, SKUS, SOY, STORES

usually = st.sampled_from([True, True, True, False])
some = st.integers(0, 5)
owners = st.integers(0, 3)
customers = st.integers(0, 1)
guests = st.integers(2, 3)
channels = st.integers(0, 2)
skus = st.sampled_from(SKUS)
stores = st.sampled_from(STORES)
counts = st.sampled_from([1, 1, 1, 2, 3, 250, 500])
notes = st.sampled_from(["", "", "ripe ones, please", "no nuts"])

misbehaving_cards = st.sampled_from(
    [
        *("pm_card_instant", "pm_card_3ds", "pm_card_pending", "pm_card_unheard_of"),
        *("pm_card_declined", "pm_card_declined_insufficient_funds", "pm_card_timeout", "pm_card_timeout_after"),
        *("pm_card_capture_timeout", "pm_card_capture_timeout_after", "pm_card_capture_declined"),
        *("pm_card_void_timeout", "pm_card_void_timeout_after"),
        *("pm_card_refund_declined", "pm_card_refund_timeout_after"),
    ]
).map(Card)
one_tender: st.SearchStrategy[Tender] = st.one_of(
    st.sampled_from([Card("pm_card_visa"), Card("pm_card_mastercard"), PayInStore()]), misbehaving_cards
)
_parts: st.SearchStrategy[Tender] = st.builds(
    Card,
    st.sampled_from(["pm_card_visa", "pm_card_3ds", "pm_card_declined", "pm_card_timeout_after"]),
    amount=st.sampled_from([1, 100, 249]).map(lambda amount: Money(amount, "EUR")),
    now=st.booleans(),
)
tenders: st.SearchStrategy[Sequence[Tender]] = st.one_of(
    one_tender.map(lambda one: (one,)), one_tender.map(lambda one: (one,)), st.tuples(_parts, one_tender)
)
"""One tender, or a part of the money first (a deposit where it is taken at once) and the rest by another one."""

weights = st.sampled_from(["as ordered", "as ordered", "least", "most", "too little", "too much"])
"""What the scales show of something that is weighed."""

luck = st.one_of(*([st.just("")] * 3), st.sampled_from(["reply lost", "never arrived", "failed", "failed for good"]))
"""What happens to the next call of the provider."""

capabilities = st.sampled_from(
    [Capabilities(), Capabilities(several_captures=True), Capabilities(partial_capture=False)]
)
minutes = st.sampled_from([0, 1, 3, 11, 16, 31, 400, 3000])

# --- at the store's desk ---

consents = st.sampled_from(
    [
        Consent.refuse(),
        Consent.similar(),
        Consent.similar(cap=Money(350, "EUR"), without_allergens=["soy"]),
        Consent.named(ORGANIC, cap=Money(320, "EUR")),
        Consent.ask(cap=Money(500, "EUR")),
        Consent.ask(cap=Money(500, "EUR"), silence_takes=True, without_brands=["Vita"]),
    ]
)
substitutes = st.sampled_from([SOY, ORGANIC, MILK, BREAD])
speakers = st.sampled_from(["customer", "customer", "agent", "store"])
refusals = st.sampled_from(["unwanted", "damaged", "too_dear"])
"""Why a customer leaves something at the counter."""
