"""Every refusal says why: each kind is provoked for real, and its reasons are data and sentences."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import evolve

from omniorder import (
    Add,
    Article,
    Associate,
    Bin,
    Card,
    Channel,
    Check,
    CheckKind,
    ExpectedDelivery,
    GiftCard,
    IssuedCard,
    Money,
    Offer,
    PayInStore,
    Price,
    Reason,
    Returned,
    Scope,
    Service,
    Settings,
    Store,
    Taken,
    Tender,
    errors,
    from_json,
    offline,
    say,
    to_json,
    wire,
)
from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.questions import Question
from omniorder.domain.stock import apply, reserve
from omniorder.errors import Refused
from omniorder.exchange import import_file
from omniorder.ports.writes import Expect, Writes
from omniorder.reasons.codes import CODES
from omniorder.reasons.saying import LANGUAGES
from omniorder.testing import FakeInventory, Shop
from tests.services.passing import eva, ticket_for, wrong
from tests.services.sending import CENTRE, EIGHT_LOAVES, awaiting, centre, only_transfer, promised_from_afar
from tests.services.steps import (
    DECLINED,
    MASTERCARD,
    NEEDS_3DS,
    VISA,
    code,
    filled,
    free_slot,
    handed_over,
    part,
    picked,
    placed,
    promised,
    ready,
    wrong_code,
)


class UnknownWallet(Tender):
    """A tender of one's own that nobody's gateway takes."""

    kind = "card"

    @property
    def method(self) -> str:
        return "acorns"


class Voucher(Tender):
    """A tender that nobody takes here."""

    kind = "voucher"


@pytest.fixture
def shop() -> Iterator[Shop]:
    """In memory: what is told depends on the facts alone, and those are the same on every storage."""
    with Shop.example() as one:
        yield one


# --- how each is provoked ---------------------------------------------------------------------------------


def without_a_price(shop: Shop) -> None:
    cart, slot = filled(shop), free_slot(shop, filled(shop))
    shop.office.articles.put(Article("TEA", "Mountain tea"))
    shop.app.carts.add(cart.id, "TEA", 1)
    shop.app.checkout.promise(cart.id, slot=slot)


def more_than_there_is(shop: Shop) -> None:
    cart = filled(shop, {Shop.MILK: 1})
    slot = free_slot(shop, cart)
    shop.app.carts.edit(cart.id, [Add(Shop.BREAD, 6), Add(Shop.MILK, 40), Add(Shop.APPLES, 500)])
    shop.app.checkout.promise(cart.id, slot=slot)


def slot_of(shop: Shop, **after: float) -> None:
    """A slot that starts so much later than now."""
    starts = (shop.clock.now() + timedelta(**after)).astimezone(UTC)
    shop.app.checkout.promise(filled(shop).id, slot=ids.slot_id(Shop.SOFIA, starts))


def full_slot(shop: Shop) -> None:
    taken = promised(shop, {Shop.MILK: 1}, store=Shop.MARKET).slot
    other = filled(shop, {Shop.BREAD: 1}, touch=shop.stranger)
    shop.office.stock.receive(Shop.MARKET, Shop.BREAD, 5)
    shop.stranger.checkout.promise(other.id, slot=taken)


def another_total(shop: Shop) -> None:
    cart = filled(shop)
    shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart), expect=Money(1, "EUR"))


def edited_since(shop: Shop) -> None:
    promise = promised(shop)
    shop.app.carts.add(promise.cart_id, Shop.BREAD, 1)
    shop.app.checkout.place(promise.id, pay=VISA)


def nothing_in_it(shop: Shop) -> None:
    shop.app.checkout.offers(shop.app.carts.start().id)


def seen_before_a_change(shop: Shop) -> None:
    cart = filled(shop)
    shop.web.carts.change(cart.id, cart.lines[0].id, 3)
    shop.app.carts.change(cart.id, cart.lines[0].id, 4, if_version=cart.version)


def one_key_twice(shop: Shop) -> None:
    cart = filled(shop)
    shop.app.carts.edit(cart.id, [Add(Shop.MILK, 1)], key="tap-7")
    shop.app.carts.edit(cart.id, [Add(Shop.MILK, 2)], key="tap-7")


def edit_of_an_ordered_cart(shop: Shop) -> None:
    shop.app.carts.add(placed(shop).cart_id, Shop.MILK, 1)


def picking_before_it_is_paid(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)


def ready_before_it_is_picked(shop: Shop) -> None:
    shop.store.pickups.ready(placed(shop).id)


def cancelling_what_was_collected(shop: Shop) -> None:
    order = ready(shop)
    handed_over(shop, order)
    shop.app.orders.cancel(order.id)


def picking_what_was_collected(shop: Shop) -> None:
    order = ready(shop)
    handed_over(shop, order)
    shop.store.pickups.reset(order.id)


def unready_after_a_part_was_collected(shop: Shop) -> None:
    order = ready(shop)
    handed_over(shop, order, lines=part(order, 1))
    shop.store.pickups.unready(order.id, reason="dropped")


def replaced_promise(shop: Shop) -> None:
    first = promised(shop)
    shop.app.checkout.promise(first.cart_id, slot=free_slot(shop, shop.app.carts.get(first.cart_id), nth=1))
    shop.app.checkout.place(first.id, pay=VISA)


def withdrawn_promise(shop: Shop) -> None:
    promise = promised(shop)
    shop.app.checkout.withdraw(promise.id)
    shop.app.checkout.place(promise.id, pay=VISA)


def lapsed_promise(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.set(promise.expires_at)
    shop.app.checkout.place(promise.id, pay=VISA)


def promise_of_an_expired_order(shop: Shop) -> None:
    promise = promised(shop)
    with pytest.raises(errors.PaymentDeclined):
        shop.app.checkout.place(promise.id, pay=DECLINED)
    shop.advance(minutes=16)
    shop.app.checkout.place(promise.id, pay=VISA)


def paying_handed_over_without_a_promise(shop: Shop) -> None:
    shop.app.handoffs.offer(filled(shop).id, Scope.PAY)


def somebody_elses(shop: Shop) -> None:
    order = placed(shop)
    shop.hub.at(Channel.STORE, Associate("petar", store=shop.SOFIA)).picking.claim(order.id)
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)


def a_full_locker(shop: Shop) -> None:
    sofia = shop.office.stores.get(Shop.SOFIA)
    shop.office.stores.put(evolve(sofia, bins=(Bin("L1", locker=True),)))
    for order in [picked(shop, placed(shop)) for _ in range(2)]:
        shop.store.pickups.ready(order.id, staged_at="L1")


def wine_without_a_look(shop: Shop) -> None:
    sofia = shop.office.stores.get(Shop.SOFIA)
    shop.office.stores.put(evolve(sofia, services={Service.PICKUP, Service.AGE_RESTRICTED}))
    shop.office.articles.put(Article(Shop.MILK, "Egg liqueur", needs=[Service.AGE_RESTRICTED]))
    handed_over(shop, ready(shop), checks=[Check(CheckKind.AGE, passed=False)])


def somebody_unknown(_: Shop) -> None:
    with Shop.example(settings=Settings(identify_proxy=True)) as careful:
        handed_over(careful, ready(careful), by_proxy=True)


def attended_to_already(shop: Shop) -> None:
    order = ready(shop)
    shop.app.orders.arrived(order.id)
    shop.store.arrivals.attend(order.id)
    shop.hub.at(Channel.STORE, Associate("petar", store=Shop.SOFIA)).arrivals.attend(order.id)


def something_else_instead(shop: Shop) -> None:
    order = placed(shop)
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    shop.store.pickups.substitute(order.id, order.lines[0].id, 1, Shop.BREAD)


def extended_twice(shop: Shop) -> None:
    order = ready(shop)
    for _ in range(2):
        shop.app.orders.extend(order.id)


def another_tender_meanwhile(shop: Shop) -> None:
    promise = promised(shop)
    shop.app.checkout.place(promise.id, pay=NEEDS_3DS)
    shop.app.checkout.place(promise.id, pay=MASTERCARD)


def units_that_are_not_held(shop: Shop) -> None:
    held = reserve("rsv_SOF01_1", Shop.SOFIA, {Shop.MILK: 2}, shop.clock.now())
    apply(apply(held, e.Firmed()), e.UnitsConsumed(((Shop.MILK, 3),)))


def never_handed_off(shop: Shop) -> None:
    shop.guest.handoffs.accept("hnd_7K3F9Q_" + "0" * 20)


def wrong_digits(shop: Shop) -> None:
    eva(shop).handoffs.accept(wrong(ticket_for(filled(shop).id, by=shop.app).code))


def used_handoff(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    shop.guest.handoffs.accept(ticket.token)
    shop.stranger.handoffs.accept(ticket.token)


def expired_handoff(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    shop.clock.advance(days=2)
    shop.guest.handoffs.accept(ticket.token)


def withdrawn_handoff(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    shop.app.handoffs.withdraw(ticket.id)
    shop.guest.handoffs.accept(ticket.token)


def locked_handoff(shop: Shop) -> None:
    said = wrong(ticket_for(filled(shop).id, by=shop.app).code)
    for _ in range(5):
        with pytest.raises(errors.HandoffInvalid):
            eva(shop).handoffs.accept(said)
    eva(shop).handoffs.accept(said)


def collected_twice(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.store.pickups.hand_over(order.id, code=said)
    colleague = shop.hub.at(Channel.STORE, Associate("maria", store=Shop.SOFIA))
    colleague.pickups.hand_over(order.id, code=said)


def paid_twice(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.store.pickups.hand_over(order.id, code=said)
    shop.store.pickups.hand_over(order.id, code=said, taken=Taken(Money(498, "EUR")))


def half_picked(shop: Shop) -> None:
    order = placed(shop, {Shop.MILK: 2, Shop.BREAD: 1})
    shop.store.pickups.pick(order.id, part(order, 2))
    shop.store.pickups.ready(order.id)


def pass_of_a_cancelled_order(shop: Shop) -> None:
    order = placed(shop)
    shop.app.orders.cancel(order.id)
    shop.app.orders.pickup_pass(order.id)


def without_the_money(shop: Shop) -> None:
    handed_over(shop, ready(shop, pay=PayInStore()))


def refused_at_the_counter(shop: Shop) -> None:
    handed_over(shop, ready(shop, pay=Card("pm_card_capture_declined_expired_card")))


def wrong_pass(shop: Shop) -> None:
    order = ready(shop)
    shop.store.pickups.hand_over(order.id, code=wrong_code(shop, order))


def locked_pass(shop: Shop) -> None:
    order = ready(shop)
    said = wrong_code(shop, order)
    for _ in range(shop.hub.settings.code_tries):
        with pytest.raises(errors.WrongCode):
            shop.store.pickups.hand_over(order.id, code=said)
    shop.store.pickups.hand_over(order.id, code=said)


def with_a_centre(shop: Shop) -> Shop:
    """The shop with a distribution centre that can send it bread."""
    centre(shop)
    return shop


def without_the_age_check(shop: Shop) -> None:
    cart, slot = filled(shop), free_slot(shop, filled(shop))
    shop.office.articles.put(Article("WINE", "Melnik 55", needs={Service.AGE_RESTRICTED}))
    shop.office.prices.put(Price("WINE", Money(1200, "EUR"), tax="0.20"))
    shop.office.stock.receive(Shop.SOFIA, "WINE", 3)
    shop.office.stores.put(evolve(shop.office.stores.get(Shop.SOFIA), services=frozenset({Service.PICKUP})))
    shop.app.carts.add(cart.id, "WINE", 1)
    shop.app.checkout.promise(cart.id, slot=slot)


def no_desk_at_the_centre(shop: Shop) -> None:
    centre(shop)
    slot = ids.slot_id(CENTRE, shop.clock.now() + timedelta(hours=5))
    shop.app.checkout.promise(filled(shop).id, slot=slot)


def received_before_it_was_shipped(shop: Shop) -> None:
    awaiting(with_a_centre(shop))
    shop.store.transfers.receive(only_transfer(shop).id)


def too_heavy(shop: Shop) -> None:
    order = placed(shop, {Shop.CHEESE: 500})
    shop.store.pickups.pick(order.id, order.lines[0].id, 600)


def another_file(shop: Shop) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "levels.csv"
        for count in (30, 31):
            file.write_text(f"store,sku,on_hand\nSOF01,{Shop.MILK},{count}\n")
            import_file(shop.office, "levels", file, id="monday", resume=True)


def slot_at(store: str, starts: str) -> str:
    """The id of the slot that starts then."""
    return ids.slot_id(store, datetime.fromisoformat(starts))


def card_of(shop: Shop, **options: Any) -> IssuedCard:
    """A gift card with 20 euros on it."""
    return shop.office.gift_cards.issue(Money(2000, "EUR"), **options)


def closed_card(shop: Shop) -> None:
    card = card_of(shop)
    shop.office.gift_cards.close(card.id)
    placed(shop, pay=GiftCard(card.code))


def expired_card(shop: Shop) -> None:
    card = card_of(shop, expires_at=shop.clock.now() + timedelta(minutes=1))
    shop.clock.advance(minutes=1)
    placed(shop, pay=GiftCard(card.code))


Provoke = Callable[[Shop], object]

CASES: Mapping[str, tuple[Provoke, type[Refused], Sequence[str]]] = {
    "more than there is": (
        more_than_there_is,
        errors.OutOfStock,
        ["store.cannot", "stock.short", "stock.short"],
    ),
    "no price": (without_a_price, errors.NoPrice, ["store.cannot", "price.missing"]),
    "past": (lambda shop: slot_of(shop, hours=-1), errors.SlotUnavailable, ["slot.unavailable", "slot.past"]),
    "soon": (lambda shop: slot_of(shop, minutes=1), errors.SlotUnavailable, ["slot.unavailable", "slot.too_soon"]),
    "closed": (lambda shop: slot_of(shop, hours=14), errors.SlotUnavailable, ["slot.unavailable", "slot.closed"]),
    "far": (lambda shop: slot_of(shop, days=99), errors.SlotUnavailable, ["slot.unavailable", "slot.beyond_horizon"]),
    "full": (full_slot, errors.SlotUnavailable, ["slot.unavailable", "slot.full"]),
    "age limit": (without_the_age_check, errors.ServiceMissing, ["store.cannot", "service.missing"]),
    "lockers": (
        lambda shop: promised(shop, collect=Service.LOCKERS),
        errors.ServiceMissing,
        ["store.cannot", "service.not_offered"],
    ),
    "no pick-up": (
        no_desk_at_the_centre,
        errors.SlotUnavailable,
        ["slot.unavailable", "slot.no_pickup"],
    ),
    "before arrival": (
        lambda shop: promised_from_afar(with_a_centre(shop), hours=2),
        errors.SlotUnavailable,
        ["slot.unavailable", "slot.before_arrival"],
    ),
    "nothing asked": (
        lambda shop: shop.app.orders.answer(placed(shop).id, "less"),
        errors.IllegalTransition,
        ["transition.illegal", "pickup.is_to_pick"],
    ),
    "not shipped": (
        received_before_it_was_shipped,
        errors.IllegalTransition,
        ["transition.illegal", "transfer.is_requested"],
    ),
    "total": (another_total, errors.QuoteChanged, ["quote.changed"]),
    "edited": (edited_since, errors.CartChanged, ["cart.changed"]),
    "empty": (nothing_in_it, errors.CartEmpty, ["cart.empty"]),
    "version": (seen_before_a_change, errors.VersionConflict, ["version.conflict"]),
    "key": (one_key_twice, errors.KeyReused, ["key.reused"]),
    "ordered": (edit_of_an_ordered_cart, errors.IllegalTransition, ["transition.illegal", "cart.is_ordered"]),
    "unpaid": (picking_before_it_is_paid, errors.IllegalTransition, ["transition.illegal", "pickup.is_planned"]),
    "unpicked": (ready_before_it_is_picked, errors.IllegalTransition, ["transition.illegal", "pickup.is_to_pick"]),
    "completed": (
        cancelling_what_was_collected,
        errors.IllegalTransition,
        ["transition.illegal", "guard.part_collected"],
    ),
    "over": (picking_what_was_collected, errors.IllegalTransition, ["transition.illegal", "pickup.is_collected"]),
    "guard": (
        unready_after_a_part_was_collected,
        errors.IllegalTransition,
        ["transition.illegal", "guard.part_collected"],
    ),
    "replaced": (replaced_promise, errors.PromiseGone, ["promise.gone", "promise.is_replaced"]),
    "withdrawn": (withdrawn_promise, errors.PromiseGone, ["promise.gone", "promise.is_withdrawn"]),
    "lapsed": (lapsed_promise, errors.PromiseGone, ["promise.gone", "promise.is_lapsed"]),
    "used": (promise_of_an_expired_order, errors.PromiseGone, ["promise.gone", "promise.used"]),
    "none": (paying_handed_over_without_a_promise, errors.PromiseGone, ["promise.none"]),
    "in flight": (another_tender_meanwhile, errors.PaymentInFlight, ["payment.in_flight"]),
    "declined": (lambda shop: placed(shop, pay=DECLINED), errors.PaymentDeclined, ["payment.declined"]),
    "no funds": (
        lambda shop: placed(shop, pay=Card("pm_card_declined_insufficient_funds")),
        errors.PaymentDeclined,
        ["payment.declined", "payment.insufficient_funds"],
    ),
    "tender": (lambda shop: placed(shop, pay=Voucher("v-1")), errors.TenderUnsupported, ["tender.unsupported"]),
    "refund": (
        lambda shop: shop.store.orders.refund(
            handed_over(shop, ready(shop)).order.id, amount=Money(9999, "EUR"), reason="dented"
        ),
        errors.CorrectionRefused,
        ["refund.refused", "refund.above_rest"],
    ),
    "bin": (a_full_locker, errors.BinFull, ["bin.full"]),
    "age": (wine_without_a_look, errors.AgeCheckNeeded, ["check.age", "check.age_failed"]),
    "identity": (somebody_unknown, errors.IdentityCheckNeeded, ["check.identity"]),
    "attended": (attended_to_already, errors.AlreadyAttended, ["arrival.attended"]),
    "no substitute": (
        something_else_instead,
        errors.SubstituteRefused,
        ["substitute.refused", "substitute.no_consent"],
    ),
    "extended": (extended_twice, errors.NotExtended, ["pickup.not_extended", "extension.used"]),
    "claimed": (somebody_elses, errors.AlreadyClaimed, ["pick.claimed"]),
    "scanned for nobody": (
        lambda shop: shop.store.picking.scan("9506000134352"),
        errors.NotToPick,
        ["pick.not_wanted", "pick.no_orders"],
    ),
    "brought back": (
        lambda shop: shop.store.returns.accept(
            (order := handed_over(shop, ready(shop)).order).id, [Returned(order.lines[0].id, 3)], reason="dented"
        ),
        errors.ReturnRefused,
        ["return.refused", "return.more_than_there_is"],
    ),
    "too little money": (
        lambda shop: placed(shop, pay=Card("pm_card_visa", amount=Money(1, "EUR"))),
        errors.NotCovered,
        ["tender.too_little"],
    ),
    "no such card": (
        lambda shop: shop.app.gift_cards.balance("0000-0000-0000-0000"),
        errors.GiftCardInvalid,
        ["gift_card.invalid"],
    ),
    "closed card": (closed_card, errors.GiftCardGone, ["gift_card.gone", "gift_card.closed"]),
    "expired gift card": (expired_card, errors.GiftCardGone, ["gift_card.gone", "gift_card.expired"]),
    "plan": (
        lambda shop: placed(shop, pay=UnknownWallet("w-1")),
        errors.PlanImpossible,
        ["tender.plan_impossible"],
    ),
    "too little on it": (
        lambda shop: shop.office.gift_cards.debit(card_of(shop).id, Money(2001, "EUR"), "paid out"),
        errors.BalanceTooLow,
        ["balance.too_low"],
    ),
    "not held": (units_that_are_not_held, errors.ReservationGone, ["reservation.gone"]),
    "never handed off": (never_handed_off, errors.HandoffInvalid, ["handoff.invalid"]),
    "wrong digits": (wrong_digits, errors.HandoffInvalid, ["handoff.invalid"]),
    "used handoff": (used_handoff, errors.HandoffGone, ["handoff.gone", "handoff.used"]),
    "expired handoff": (expired_handoff, errors.HandoffGone, ["handoff.gone", "handoff.expired"]),
    "withdrawn handoff": (withdrawn_handoff, errors.HandoffGone, ["handoff.gone", "handoff.withdrawn"]),
    "locked handoff": (locked_handoff, errors.HandoffGone, ["handoff.gone", "handoff.locked"]),
    "not ready": (
        lambda shop: shop.app.orders.pickup_pass(picked(shop, placed(shop)).id),
        errors.NotReady,
        ["pickup.not_ready", "pickup.is_picking"],
    ),
    "half picked": (half_picked, errors.NotReady, ["pickup.unpicked"]),
    "too heavy": (too_heavy, errors.WeightOutOfTolerance, ["weight.out_of_tolerance"]),
    "collected": (collected_twice, errors.NotReady, ["pickup.over", "pickup.is_collected"]),
    "paid twice": (paid_twice, errors.NotReady, ["pickup.over", "pickup.is_collected", "payment.return"]),
    "cancelled": (pass_of_a_cancelled_order, errors.NotReady, ["pickup.over", "pickup.is_cancelled"]),
    "unpaid at the counter": (without_the_money, errors.NotPaid, ["payment.missing"]),
    "expired card": (refused_at_the_counter, errors.NotPaid, ["payment.missing", "payment.expired_card"]),
    "wrong pass": (wrong_pass, errors.WrongCode, ["code.wrong"]),
    "no pass": (
        lambda shop: offline.verify("no pass", keys={"keys": []}, store=shop.SOFIA, now=shop.clock.now()),
        errors.PassRefused,
        ["pass.refused", "pass.malformed"],
    ),
    "another file": (another_file, errors.ImportChanged, ["import.changed"]),
    "locked pass": (locked_pass, errors.CodeLocked, ["code.locked"]),
}


def provoked(shop: Shop, case: str) -> Refused:
    """The refusal of this case."""
    provoke, kind, _ = CASES[case]
    with pytest.raises(kind) as raised:
        provoke(shop)
    assert type(raised.value) is kind
    return raised.value


def flat(reason: Reason) -> Iterator[Reason]:
    """The reason and all below it."""
    yield reason
    for cause in reason.because:
        yield from flat(cause)


# --- what holds for each ----------------------------------------------------------------------------------


def test_every_kind_of_refusal_is_provoked_here() -> None:
    kinds = {thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Refused)}
    assert kinds - {Refused} == {kind for _, kind, _ in CASES.values()}


@pytest.mark.parametrize("case", CASES)
def test_it_tells_the_tree_of_its_reasons(case: str, shop: Shop) -> None:
    assert [reason.code for reason in flat(provoked(shop, case).why)] == CASES[case][2]


@pytest.mark.parametrize("case", CASES)
def test_its_facts_are_json_and_those_that_the_table_lists(case: str, shop: Shop) -> None:
    error = provoked(shop, case)
    assert json.loads(json.dumps(dict(error.facts), allow_nan=False)) == error.facts
    for reason in flat(error.why):
        told = CODES[reason.code]
        assert set(told.needs) <= set(reason.facts), reason
        assert set(reason.facts) <= set(told.facts), reason


@pytest.mark.parametrize("case", CASES)
def test_it_is_said_in_every_language_with_nothing_left_out(case: str, shop: Shop) -> None:
    error = provoked(shop, case)
    said = {language: error.sentence(language) for language in LANGUAGES}
    assert len(set(said.values())) == len(said)
    for language, text in said.items():
        assert text == say(error.why, language)
        assert not re.search(r"[{}?\n]|None|  ", text), text
        assert LANGUAGES[language].sentences["refused"][0] not in text, text


@pytest.mark.parametrize("case", CASES)
def test_problem_details_carry_the_tree_and_pickling_keeps_it(case: str, shop: Shop) -> None:
    error = provoked(shop, case)
    again = pickle.loads(pickle.dumps(error))
    assert again.why == error.why
    assert json.loads(json.dumps(again.problem(), allow_nan=False))["why"] == error.why.to_json()
    assert from_json(json.loads(json.dumps(to_json(error.why)))) == error.why


@pytest.mark.parametrize("case", ["more than there is", "no price", "full", "half picked", "wrong pass", "total"])
def test_it_says_what_would_change_the_answer(case: str, shop: Shop) -> None:
    remedies = [remedy.code for reason in flat(provoked(shop, case).why) for remedy in reason.remedies]
    assert (
        remedies
        == {
            "more than there is": ["store.other", "line.reduce", "line.remove", "line.reduce", "line.remove"],
            "no price": ["store.other", "line.remove"],
            "full": ["slot.other"],
            "half picked": ["pick.finish"],
            "wrong pass": ["code.again", "code.reissue"],
            "total": ["quote.accept"],
        }[case]
    )


def test_and_doing_that_does_change_it(shop: Shop) -> None:
    """Each article that is short is reduced to what its remedy names; then the store can promise the basket."""
    error = provoked(shop, "more than there is")
    cart = shop.app.carts.current()
    assert cart is not None
    lines = {line.sku: line.id for line in cart.lines}
    for short in error.why.leaves:
        (reduce,) = (remedy.facts for remedy in short.remedies if remedy.code == "line.reduce")
        shop.app.carts.change(cart.id, lines[reduce["sku"]], reduce["available"])
    shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))


# --- the facts that a remedy needs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "earliest"),
    [
        *((case, "2026-11-23T11:00+02:00") for case in ("past", "soon", "closed", "far")),
        ("full", "2026-11-23T12:00+02:00"),
    ],
)
def test_a_slot_that_cannot_be_chosen_names_the_first_that_can_on_the_stores_clock(
    case: str, earliest: str, shop: Shop
) -> None:
    error = provoked(shop, case)
    assert error.facts["earliest"] == earliest
    (leaf,) = error.why.leaves
    assert [(remedy.code, remedy.facts) for remedy in leaf.remedies] == [("slot.other", {"earliest": earliest})]
    store, _ = ids.parse_slot_id(error.facts["slot"])
    shop.office.stock.receive(store, Shop.MILK, 1)
    shop.app.checkout.promise(filled(shop, {Shop.MILK: 1}).id, slot=slot_at(store, earliest))


def test_a_store_that_never_opens_names_no_next_slot(shop: Shop) -> None:
    shop.office.stores.put(Store("SHUT", zone="Europe/Sofia", hours="off"))
    slot = ids.slot_id("SHUT", shop.clock.now() + timedelta(hours=5))
    with pytest.raises(errors.SlotUnavailable) as raised:
        shop.app.checkout.promise(filled(shop).id, slot=slot)
    assert raised.value.facts.keys() == {"slot", "reason"}
    assert raised.value.sentence().endswith("You can choose another time.")


def test_what_was_declined_says_until_when_on_the_stores_clock(shop: Shop) -> None:
    assert provoked(shop, "declined").sentence().endswith(
        "You can pay in another way before 23 November 2026 at 10:15."
    )  # fmt: skip


def test_money_that_the_counter_took_in_vain_goes_back(shop: Shop) -> None:
    assert provoked(shop, "paid twice").sentence("sv").endswith("4,98\u00a0EUR måste lämnas tillbaka till kunden.")


# --- questions --------------------------------------------------------------------------------------------


def asked(shop: Shop) -> Question:
    """What the customer is asked about a loaf that the store in Sofia can't find, when another store could send one."""
    order = placed(with_a_centre(shop), {Shop.BREAD: 5, Shop.MILK: 1})
    question = shop.store.pickups.reject(order.id, part(order, 1), reason="not_found").pickup.question
    assert question is not None
    return question


def test_each_option_of_a_question_is_one_of_its_remedies(shop: Shop) -> None:
    question = asked(shop)
    assert [reason.code for reason in flat(question.why)] == ["question.open", "line.rejected", "silence.less"]
    assert [remedy.facts["option"] for remedy in question.why.remedies] == [option.id for option in question.options]
    for reason in flat(question.why):
        assert set(reason.facts) <= set(CODES[reason.code].facts)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "Your decision is needed before 23 November 2026 at 11:00. The store can't supply 1 of RYE-BREAD (not to "
            "be found). Without an answer, what is missing is left out and not charged. You can have the rest sent "
            "to the store and collect everything on 24 November 2026 at 08:00, do without what is missing and collect "
            "the rest or cancel the whole order.",
        ),
        (
            "sv",
            "Ditt beslut behövs före den 23 november 2026 kl. 11:00. Butiken kan inte leverera 1 av RYE-BREAD (går "
            "inte att hitta). Utan svar tas det som saknas bort och debiteras inte. Du kan låta resten skickas "
            "till butiken och hämta allt den 24 november 2026 kl. 08:00, avstå från det som saknas och hämta resten "
            "eller avboka hela beställningen.",
        ),
        (
            "bg",
            "Необходимо е Вашето решение преди 23 ноември 2026\u00a0г., 11:00\u00a0ч. Магазинът не може да осигури "
            "1 от RYE-BREAD (не се намира). Без отговор липсващото отпада и не се заплаща. Можете да изчакате "
            "останалото да пристигне в магазина и да получите всичко на 24 ноември 2026\u00a0г., 08:00\u00a0ч., да се "
            "откажете от липсващото и да получите останалото или да откажете цялата поръчка.",
        ),
    ],
)
def test_a_question_is_put_in_words(language: str, said: str, shop: Shop) -> None:
    assert say(asked(shop).why, language, zone=shop.office.stores.get(Shop.SOFIA).tz) == said


def test_a_question_travels_with_its_tree(shop: Shop) -> None:
    question = asked(shop)
    shown = json.loads(json.dumps(to_json(shop.app.orders.page().items[0])))
    assert shown["pickup"]["question"]["why"]["remedies"] == question.why.to_json()["remedies"]


def what_it_says(shop: Shop, order_id: str) -> str:
    """What went wrong with the order, as its open question says it between the time limit and the silence."""
    question = shop.app.orders.get(order_id).pickup.question
    assert question is not None
    zone = shop.office.stores.get(Shop.SOFIA).tz
    return " ".join(say(reason, zone=zone) for reason in question.why.because[:-1])


def test_a_question_about_a_late_delivery_names_what_comes_when(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    dc.transfers.delay(only_transfer(shop).id, shop.clock.now() + timedelta(hours=45), reason="snow")
    said = "The delivery of 3 of RYE-BREAD to the store is late; it is now expected on 25 November 2026 at 07:00."
    assert what_it_says(shop, order.id) == said


def test_a_delivery_that_just_did_not_come_is_late_without_a_new_date(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop)
    shop.advance(hours=20, minutes=1)
    assert what_it_says(shop, order.id) == "The delivery of 3 of RYE-BREAD to the store is late."


def test_a_question_about_an_incomplete_delivery_names_what_did_not_come(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    dc.transfers.ship(transfer.id)
    shop.store.transfers.receive(transfer.id, {Shop.BREAD: 1})
    assert what_it_says(shop, order.id) == "The store didn't receive 2 of RYE-BREAD."


def test_a_question_names_each_article_that_is_missing_and_its_unit(shop: Shop) -> None:
    order = placed(shop, {Shop.BREAD: 2, Shop.APPLES: 1500, Shop.MILK: 1})
    shop.store.pickups.reject(order.id, part(order, 1, 500), reason="damaged")
    question = shop.app.orders.get(order.id).pickup.question
    assert question is not None
    assert [reason.facts for reason in question.why.because[:-1]] == [
        {"sku": Shop.BREAD, "units": 1, "reason": "damaged"},
        {"sku": Shop.APPLES, "units": 500, "unit": "gram", "reason": "damaged"},
    ]


@pytest.mark.parametrize("words", ["cart.empty", "stock.short", "silence.less"])
def test_what_a_store_says_in_its_own_words_is_no_other_reason(words: str, shop: Shop) -> None:
    order = placed(shop, {Shop.BREAD: 5, Shop.MILK: 1})
    question = shop.store.pickups.reject(order.id, part(order, 1), reason=words).pickup.question
    assert question is not None
    assert question.why.because[0] == Reason("line.rejected", {"sku": Shop.BREAD, "units": 1, "reason": words})


def test_a_question_that_was_stored_before_it_named_articles_is_still_asked(shop: Shop) -> None:
    stored = wire.dump(asked(shop))
    del stored["missing"]
    question = wire.load(Question, stored)
    assert question.missing == ()
    assert question.why.because[0] == Reason("line.rejected", {"reason": "not_found"})
    assert say(question.why.because[0]) == "The store can't supply a part of the order (not to be found)."


# --- offers -----------------------------------------------------------------------------------------------


def test_a_full_offer_has_nothing_to_explain(shop: Shop) -> None:
    assert [offer.why for offer in shop.app.checkout.offers(filled(shop).id) if offer.full] == [None, None]


def test_an_offer_that_is_not_full_is_one_tree_with_its_reasons_below_the_store(shop: Shop) -> None:
    shop.office.articles.put(Article("TEA", "Mountain tea"))
    shop.office.prices.put(Price("TEA", Money(500, "EUR"), tax="0.20", store=Shop.SOFIA))
    shop.office.stores.put(Store("SHUT", zone="Europe/Sofia", hours="off"))
    cart = filled(shop, {Shop.MILK: 2, "TEA": 1})
    (shut,) = (offer.why for offer in shop.app.checkout.offers(cart.id) if offer.store.id == "SHUT")
    assert shut is not None
    assert [reason.code for reason in flat(shut)] == [
        *("store.cannot", "stock.short", "stock.short", "price.missing"),
        *("slot.unavailable", "slot.none_free"),
    ]
    assert [leaf.code for leaf in shut.leaves][-1] == "slot.none_free"


def test_what_an_offer_lacks_is_said_like_what_a_refusal_lacks(shop: Shop) -> None:
    cart = filled(shop)
    (market,) = (offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.MARKET)
    with pytest.raises(errors.OutOfStock) as raised:
        shop.app.checkout.promise(cart.id, slot=market.slots[0].id)
    assert raised.value.why == market.why


def test_an_offers_reasons_travel_with_what_would_change_them(shop: Shop) -> None:
    offers = shop.app.checkout.offers(filled(shop).id)
    (shown,) = (to_json(offer) for offer in offers if not offer.full)
    assert shown["reasons"][0]["remedies"][0] == {
        "code": "line.reduce",
        "facts": {"sku": Shop.MILK, "available": 1},
    }
    assert from_json(json.loads(json.dumps(shown))) == next(offer for offer in offers if not offer.full)


def test_what_is_weighed_is_short_in_kilograms(shop: Shop) -> None:
    cart = filled(shop, {Shop.APPLES: 20_500})
    (sofia,) = (offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    with pytest.raises(errors.OutOfStock) as raised:
        shop.app.checkout.promise(cart.id, slot=sofia.slots[0].id)
    assert raised.value.why == sofia.why
    assert "You want 20.5\u00a0kg of APPLES, but the store can offer only 20\u00a0kg." in raised.value.sentence()


SENT = {
    "en": "You can also have what is missing sent by SOFDC and collect everything from 24 November 2026 at 08:00 on or "
    "choose another store.",
    "sv": "Du kan också låta det som saknas skickas från SOFDC och hämta allt från och med den 24 november 2026 "
    "kl. 08:00 eller välja en annan butik.",
    "bg": "Можете също да изчакате липсващото да пристигне от SOFDC и да получите всичко от 24 ноември 2026\u00a0г., "
    "08:00\u00a0ч. нататък или да изберете друг магазин.",
}


def sofia_of(shop: Shop, wishes: dict[str, int]) -> Offer:
    cart = filled(shop, wishes)
    (offer,) = (offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    return offer


def test_what_others_could_send_is_a_remedy_and_names_them(shop: Shop) -> None:
    centre(shop)
    offer = sofia_of(shop, EIGHT_LOAVES)
    assert offer.why is not None
    assert offer.with_transfer is not None
    sending, other = offer.why.remedies
    assert (sending.code, other.code) == ("line.ship", "store.other")
    starts = offer.with_transfer.slots[0].starts
    assert sending.facts == {"earliest": starts.isoformat(timespec="minutes"), "senders": [CENTRE]}
    cart = shop.app.carts.current()
    assert cart is not None
    promise = shop.app.checkout.promise(cart.id, slot=offer.with_transfer.slots[0].id, ship=True)
    assert [leg.store for leg in promise.legs] == [CENTRE]


@pytest.mark.parametrize("language", LANGUAGES)
def test_to_have_it_sent_is_put_in_words(language: str, shop: Shop) -> None:
    centre(shop)
    why = sofia_of(shop, EIGHT_LOAVES).why
    assert why is not None
    assert say(why, language).endswith(SENT[language])


def test_what_nobody_could_send_is_no_remedy(shop: Shop) -> None:
    """The centre hasn't enough."""
    centre(shop, bread=2)
    why = sofia_of(shop, EIGHT_LOAVES).why
    assert why is not None
    assert why.facts == {"store": Shop.SOFIA}
    assert [remedy.code for remedy in why.remedies] == ["store.other"]


def waiting(shop: Shop, wanted: int, *, store: str = Shop.SOFIA) -> tuple[Reason, errors.OutOfStock]:
    """Why this store can't promise so much milk: as an offer says it, and as the promise does."""
    cart = filled(shop, {Shop.MILK: wanted})
    (offer,) = (offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == store)
    with pytest.raises(errors.OutOfStock) as raised:
        shop.app.checkout.promise(cart.id, slot=offer.slots[0].id)
    assert offer.why is not None
    return offer.why, raised.value


def test_what_is_on_its_way_is_told_with_the_day_and_the_number(shop: Shop) -> None:
    at = shop.clock.now() + timedelta(days=1)
    shop.office.stock.expect(Shop.SOFIA, Shop.MILK, 30, at=at, reference="DN-7")
    shop.office.stock.expect(Shop.SOFIA, Shop.MILK, 20, at=at, reference="DN-8")
    shop.office.stock.expect(Shop.SOFIA, Shop.MILK, 90, at=at + timedelta(days=1), reference="DN-9")
    offered, refusal = waiting(shop, 60)
    assert offered == refusal.why
    assert [reason.code for reason in flat(offered)] == ["store.cannot", "stock.short", "stock.expected"]
    local = at.astimezone(shop.office.stores.get(Shop.SOFIA).tz)
    (expected,) = offered.leaves
    assert expected.facts == {"next_at": local.isoformat(timespec="minutes"), "next_units": 50}
    assert [remedy.code for remedy in expected.remedies] == ["stock.wait"]
    day = f"{local.day} {local:%B %Y} at {local:%H:%M}"
    assert f"The next delivery, of 50, is expected on {day}. You can wait for the delivery on {day}." in say(offered)


def test_what_comes_to_another_store_or_is_overdue_is_nothing_to_wait_for(shop: Shop) -> None:
    now, expect = shop.clock.now(), shop.office.stock.expect
    expect(Shop.VARNA, Shop.MILK, 50, at=now + timedelta(days=1), reference="DN-7")
    expect(Shop.SOFIA, Shop.BREAD, 50, at=now + timedelta(days=1), reference="DN-7")
    expect(Shop.SOFIA, Shop.MILK, 50, at=now, reference="DN-8")
    offered, refusal = waiting(shop, 60)
    assert offered == refusal.why
    assert offered.leaves[0].facts == {"sku": Shop.MILK, "wanted": 60, "available": 40}


def test_a_delivery_of_too_little_is_a_fact_and_nobody_is_told_to_wait_for_it(shop: Shop) -> None:
    at = shop.clock.now() + timedelta(days=1)
    shop.office.stock.expect(Shop.SOFIA, Shop.MILK, 19, at=at, reference="DN-7")
    offered, refusal = waiting(shop, 60)
    assert offered == refusal.why
    (short,) = offered.because
    assert (short.facts["next_units"], short.because) == (19, ())
    assert waiting(shop, 59)[0].leaves[0].code == "stock.expected"


def test_what_is_weighed_comes_in_kilograms(shop: Shop) -> None:
    at = shop.clock.now() + timedelta(days=1)
    shop.office.stock.expect(Shop.SOFIA, Shop.APPLES, 2_500, at=at, reference="DN-7")
    cart = filled(shop, {Shop.APPLES: 20_500})
    (sofia,) = (offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    assert sofia.why is not None
    assert "The next delivery, of 2.5\u00a0kg, is expected" in say(sofia.why)


def test_stock_outside_is_expected_by_others(shop: Shop) -> None:
    """What our own books expected before says nothing about it."""
    inventory = FakeInventory()
    with Shop.example(outside=inventory) as one:
        cart = filled(one, {Shop.MILK: 60})
        at = one.clock.now() + timedelta(days=1)
        delivery = ExpectedDelivery(Shop.SOFIA, Shop.MILK, "DN-7", 50, at)
        with one.hub._parts.storage.transaction() as tx:
            tx.write(Writes(expected=(Expect(delivery),)))
        (offer,) = (offer for offer in one.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
        assert offer.why is not None
        assert [reason.code for reason in flat(offer.why)] == ["store.cannot", "stock.short"]


@pytest.mark.parametrize("grams", [4547, 5000, 6000])
def test_what_is_weighed_is_reduced_to_what_fits_at_its_heaviest(grams: int, shop: Shop) -> None:
    """5,000 g are there, and 4,547 g at 10 % may weigh 5,001 g."""
    cart = filled(shop, {Shop.CHEESE: grams})
    (sofia,) = (offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    with pytest.raises(errors.OutOfStock) as raised:
        shop.app.checkout.promise(cart.id, slot=sofia.slots[0].id)
    assert raised.value.why == sofia.why
    (short,) = raised.value.why.leaves
    reduce, remove = short.remedies
    assert dict(reduce.facts) == {"sku": Shop.CHEESE, "available": 4546, "unit": "gram"}
    assert remove.code == "line.remove"
    assert "reduce GOUDA to 4.546\u00a0kg" in raised.value.sentence()
    shop.app.carts.change(cart.id, cart.lines[0].id, reduce.facts["available"])
    shop.app.checkout.promise(cart.id, slot=sofia.slots[0].id)


def test_a_refusal_that_names_its_next_delivery_says_so_article_by_article() -> None:
    short: list[dict[str, Any]] = [
        {"sku": "A", "wanted": 3, "available": 1, "next_at": "2026-12-01T09:00+02:00", "next_units": 24},
        {"sku": "B", "wanted": 2, "available": 0},
    ]
    error = errors.OutOfStock(store="SOF01", short=short)
    assert [reason.code for reason in flat(error.why)] == [
        *("store.cannot", "stock.short", "stock.expected", "stock.short"),
    ]
    assert "wait for the delivery on 1 December 2026 at 09:00" in error.sentence()
