"""Invariants hold for a shop that was lived in, and each notices the corruption that it is for.

What the library itself would refuse is written past it: into the tables in memory, and with SQL into SQLite.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from copy import copy
from pathlib import Path
from typing import Any, cast
from weakref import finalize

import pytest
from attrs import evolve, frozen
from sqlalchemy.exc import InternalError

from omniorder import (
    Article,
    Bin,
    Card,
    Cart,
    CartState,
    Consent,
    GiftCard,
    Guest,
    Level,
    Money,
    Order,
    OrderState,
    Payment,
    PaymentState,
    Pick,
    Pickup,
    PickupState,
    Price,
    Promise,
    PromiseState,
    StoreCredit,
    Tender,
    events,
)
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.domain.accounts import Account, AccountKind, Hold, HoldState, Posting
from omniorder.domain.handoffs import Scope
from omniorder.domain.lifecycle import AttemptState, ReservationState, TransferState
from omniorder.domain.payments import Operation
from omniorder.domain.stock import MovementKind, Reservation
from omniorder.domain.webhooks import WebhookState
from omniorder.errors import GiftCardInvalid, HandoffInvalid, WrongCode
from omniorder.ports.inspection import Inspection
from omniorder.testing import FakeClock, FakeInventory
from omniorder.testing.invariants import (
    INVARIANTS,
    Invariant,
    InvariantBroken,
    Rows,
    check_all,
    examine,
    inspecting,
    nothing_is_held_past_its_grace,
    nothing_is_overdue,
    nothing_stays_unknown,
    viewing,
)
from omniorder.testing.provider import ProviderPayment
from omniorder.testing.shop import Shop
from tests.services import sending

GUEST = Guest("a-token-of-22-characters-or-more")
"""The one behind `shop.guest`."""


def lived_in(shop: Shop) -> str:
    """Orders and promises in many states; the code of the order that waits at the counter."""

    def order(pay: str | Tender) -> Order:
        return shop.app.checkout.place(shop.promise().id, pay=Card(pay) if isinstance(pay, str) else pay)

    def ready(pay: str | Tender) -> tuple[Order, str]:
        placed = order(pay)
        shop.store.pickups.pick(placed.id, [Pick(line.id, line.quantity) for line in placed.lines])
        shop.store.pickups.ready(placed.id, staged_at="C4")
        return placed, shop.app.orders.pickup_pass(placed.id).code

    shop.hub.journal.subscribe("warehouse")
    shop.office.stores.put(evolve(shop.office.stores.get(Shop.SOFIA), bins=[Bin("C4", holds=9)]))
    shop.promise()
    shop.advance(minutes=16)
    collected, code = ready("pm_card_visa")
    shop.store.pickups.hand_over(collected.id, code=code)
    shop.store.orders.refund(collected.id, units=[Pick(collected.lines[0].id, 1)], reason="dented")
    waiting, code = ready("pm_card_visa")
    with pytest.raises(WrongCode):
        shop.store.pickups.hand_over(waiting.id, code="0000000" if code != "0000000" else "1111111")
    order("pm_card_visa")
    order("pm_card_3ds")
    shop.app.orders.cancel(order("pm_card_visa").id)
    shop.office.orders.cancel(order("pm_card_visa").id, fee=Money(100, "EUR"))
    shop.app.orders.cancel(order("pm_card_instant").id, key="once")
    shop.web.checkout.withdraw(shop.promise().id)
    held = shop.promise()
    shop.app.carts.note(held.cart_id, held.quote.lines[0].line, "cold, please")
    shop.guest.carts.add(shop.guest.carts.start().id, Shop.BREAD)
    shop.app.carts.claim(GUEST)
    shop.store.stock.quarantine(Shop.SOFIA, Shop.MILK, 2, reason="dented")
    shop.store.stock.expect(Shop.SOFIA, Shop.MILK, 24, at=shop.clock.now(), reference="DN-7")
    handoff = shop.app.handoffs.offer(held.cart_id, Scope.VIEW)
    said = f"{handoff.code[:-1]}{(int(handoff.code[-1]) + 1) % 10}"
    with pytest.raises(HandoffInvalid):
        shop.stranger.handoffs.accept(said)
    card = shop.office.gift_cards.issue(Money(2000, "EUR"))
    shop.office.credit.grant("anna", Money(300, "EUR"), "late twice")
    with pytest.raises(GiftCardInvalid):
        shop.stranger.gift_cards.balance("0000-0000-0000-0000")
    paid_by_card, said_too = ready(GiftCard(card.code))
    shop.store.pickups.hand_over(paid_by_card.id, code=said_too)
    shop.app.checkout.place(shop.promise(1).id, pay=StoreCredit())
    sending.centre(shop)
    sending.awaiting(shop, {Shop.BREAD: 6})
    for payment in (waiting.payments[0].id, "pi_of_somebody_else", "pay_SOF01_7K3F9Q_1"):
        headers, body = shop.gateway.signed_webhook(payment, "payment.updated")
        assert shop.hub.webhook("card", headers=headers, body=body).status == 200
    substituted(shop)
    return code


def substituted(shop: Shop) -> None:
    """An order of which one carton was replaced, and something is proposed for the other."""
    shop.office.articles.put(Article("SOY-MILK", "Soy milk 1 l"))
    shop.office.prices.put(Price("SOY-MILK", Money(229, "EUR"), tax="0.20"))
    shop.office.stock.receive(Shop.SOFIA, "SOY-MILK", 9)
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.MILK, 2, substitutes=Consent.ask(without_allergens=["nuts"]))
    slot = next(one for one in shop.app.checkout.offers(cart.id) if one.store.id == Shop.SOFIA).slots[0].id
    order = shop.app.checkout.place(shop.app.checkout.promise(cart.id, slot=slot).id, pay=Card("pm_card_visa"))
    asked = shop.store.pickups.substitute(order.id, order.lines[0].id, 1, "SOY-MILK")
    shop.app.orders.accept(order.id, asked.pickup.proposals[0].id)
    shop.store.pickups.substitute(order.id, order.lines[0].id, 1, "SOY-MILK")


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop.example() as example:
        yield example


@pytest.fixture(scope="module")
def lived_in_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("invariants") / "shop.db"
    with Shop.example(f"sqlite:///{path.as_posix()}") as example:
        code = lived_in(example)
        check_all(example.hub)
    return path, code


def test_everything_holds_for_a_shop_that_was_lived_in(database_url: str) -> None:
    with Shop.example(database_url) as shop:
        lived_in(shop)
        check_all(shop.hub, secrets=["only-for-the-example-shop"])


def test_tables_in_a_schema_are_found(postgres_url: str) -> None:
    with Shop.example(postgres_url, schema="shop") as shop:
        lived_in(shop)
        check_all(shop.hub)


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_an_inspection_sees_one_state_while_others_write(request: pytest.FixtureRequest, database: str) -> None:
    with Shop.example(request.getfixturevalue(database)) as shop:
        shop.app.carts.start()
        with inspecting(shop.hub.journal.parts.storage) as rows:
            assert len(list(rows.carts())) == 1
            shop.app.carts.start()
            assert len(list(rows.carts())) == 1
        with inspecting(shop.hub.journal.parts.storage) as rows:
            assert len(list(rows.carts())) == 2


TABLES = [name for name in vars(Inspection) if not name.startswith(("_", "find_", "sizes"))]


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_every_table_reads_alike_in_memory_and_in_a_database(request: pytest.FixtureRequest, database: str) -> None:
    with Shop.example() as model, Shop.example(request.getfixturevalue(database)) as shop:
        for one in (model, shop):
            lived_in(one)
        with (
            inspecting(model.hub.journal.parts.storage) as expected,
            inspecting(shop.hub.journal.parts.storage) as found,
        ):
            assert len(TABLES) == 30
            for name in TABLES:
                read, right = list(getattr(found, name)()), list(getattr(expected, name)())
                if name in ("held", "bookings"):  # several of one key, in no order of their own
                    read, right = sorted(read, key=repr), sorted(right, key=repr)
                assert read == right, name
            assert found.sizes() == expected.sizes()


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_what_rows_name_is_found_alike_in_memory_and_in_a_database(
    request: pytest.FixtureRequest, database: str
) -> None:
    with Shop.example() as model, Shop.example(request.getfixturevalue(database)) as shop:
        for one in (model, shop):
            lived_in(one)
        with (
            inspecting(model.hub.journal.parts.storage) as expected,
            inspecting(shop.hub.journal.parts.storage) as found,
        ):
            everything = list(expected.orders())
            promises = list(expected.promises())
            carts = [cart.id for cart in expected.carts()]
            asked: Mapping[str, list[Any]] = {
                "find_carts": carts,
                "find_made": carts,
                "find_customers": [one.owner for one in expected.customers()],
                "find_handoffs": [one.id for one in expected.handoffs()],
                "find_orders": [order.id for order in everything],
                "find_promises": [promise.id for promise in promises],
                "find_reservations": [promise.reservation_id for promise in promises],
                "find_holds": [(one.account, one.payment) for one in expected.holds()],
                "find_transfers": [one.id for one in expected.transfers()],
                "find_webhooks": [one.id for one in expected.webhooks()],
                "find_timers": [(order.store, order.id) for order in everything],
                "find_listings": [(order.owner, order.id) for order in everything],
                "find_lengths": [*((order.store, order.id) for order in everything), *((cart, cart) for cart in carts)],
            }
            assert asked.keys() == {name for name in vars(Inspection) if name.startswith("find_")}
            for name, keys in asked.items():
                assert getattr(expected, name)(keys), name
                for some in (keys, keys[:1], []):
                    assert getattr(found, name)(some) == getattr(expected, name)(some), name


def test_an_inspection_of_postgresql_can_write_nothing(postgres_url: str) -> None:
    with Shop.example(postgres_url) as shop, inspecting(shop.hub.journal.parts.storage) as rows:
        list(rows.carts())
        connection: Any = vars(rows)["_link"].connection
        with pytest.raises(InternalError, match="read-only transaction"):
            connection.exec_driver_sql("DELETE FROM omniorder_cart")


class Held:
    """Counts how many aggregates that came out of an inspection are still held by somebody."""

    def __init__(self, rows: Inspection) -> None:
        self.rows = rows
        self.now = self.most = self.ever = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        read = getattr(self.rows, name)

        def counted(*args: Any) -> Any:
            found = read(*args)
            if isinstance(found, Mapping):
                return {key: self.count(one) for key, one in found.items()}
            return map(self.count, found)

        return counted

    def count(self, one: Any) -> Any:
        if isinstance(one, (Cart, Order, Promise, Reservation)):
            one = copy(one)  # memory hands out its own
            self.ever += 1
            self.now += 1
            self.most = max(self.most, self.now)
            finalize(one, self.forget)
        return one

    def forget(self) -> None:
        self.now -= 1


def judged_by_pages_of(page: int, shop: Shop) -> Held:
    with viewing(shop.hub) as view:
        held = Held(view.everything)
        everything = cast("Inspection", held)
        examine(evolve(view, everything=everything, rows=Rows(everything)), INVARIANTS, page=page)
    return held


def test_a_database_is_judged_holding_a_few_pages_of_it(shop: Shop) -> None:
    """Of each page: its rows, what they name, and the page that is read while the last one is still held."""
    page = 4
    for _ in range(10 * page):
        shop.app.checkout.withdraw(shop.promise(1).id)
    held = judged_by_pages_of(page, shop)
    assert held.most <= 8 * page < held.ever / 8


def test_in_one_page_everything_is_held_at_once(shop: Shop) -> None:
    """The control of the test above: the counter counts."""
    for _ in range(40):
        shop.app.checkout.withdraw(shop.promise(1).id)
    assert judged_by_pages_of(1000, shop).most >= 80


# --- each invariant, and what it notices ------------------------------------------------------------------

InMemory = Callable[[Database, str], None]


@frozen
class Damage:
    """The same damage twice: in memory, and in SQL, where `:code` is the code of the order that waits."""

    memory: InMemory
    sql: str


def first(table: str, change: Callable[[Any], Any], where: Callable[[Any], bool] = lambda row: True) -> InMemory:
    """Change (or, for None, drop) the first row of a table that fits."""

    def damage(db: Database, _: str) -> None:
        rows = getattr(db, table)
        key, row = next((key, row) for key, row in rows.items() if where(row))
        rows.place(key, change(row))

    return damage


def in_state(state: object) -> Callable[[Any], bool]:
    return lambda row: row.state is state


def open_and_promised(cart: Cart) -> bool:
    return cart.state is CartState.OPEN and cart.promise_id is not None


def milk(level: Level) -> bool:
    return (level.store, level.sku) == (Shop.SOFIA, Shop.MILK)


def waiting(order: Order) -> bool:
    return order.pickup.state is PickupState.READY


def asked_about(order: Order) -> bool:
    return bool(order.pickup.proposals)


def paid(state: PaymentState) -> Callable[[Order], bool]:
    return lambda order: bool(order.payments) and order.payments[0].state is state


def lines(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The row with each of its lines changed."""
    return lambda row: evolve(row, lines=tuple(change(line) for line in row.lines))


def payment(change: Callable[[Payment], Payment]) -> Callable[[Order], Order]:
    return lambda order: evolve(order, payments=(change(order.payments[0]), *order.payments[1:]))


def pickup(change: Callable[[Pickup], Pickup]) -> Callable[[Order], Order]:
    return lambda order: evolve(order, pickup=change(order.pickup))


def refuse_captures(found: Payment) -> Payment:
    refused = AttemptState.REFUSED
    attempts = [evolve(one, state=refused) if one.operation is Operation.CAPTURE else one for one in found.attempts]
    return evolve(found, attempts=tuple(attempts))


def renamed(found: Payment) -> Payment:
    first, *rest = found.attempts
    return evolve(found, attempts=(evolve(first, id=f"{first.id}1"), *rest))


def handed_over_elsewhere(db: Database, _: str) -> None:
    key, entry = next((key, entry) for key, entry in db.journal.items() if entry.recorded.name == "HandOverStarted")
    stamp = evolve(entry.recorded.stamp, actor="associate:vera@VAR01")
    db.journal.place(key, evolve(entry, recorded=evolve(entry.recorded, stamp=stamp)))


def reminded_out_of_turn(db: Database, _: str) -> None:
    key, entry = next((key, entry) for key, entry in db.journal.items() if entry.recorded.name == "MadeReady")
    db.journal.place(key, evolve(entry, recorded=evolve(entry.recorded, event=events.Reminded(1))))


def renumbered(db: Database, _: str) -> None:
    (consumer, (home, stream, seq)), entry = next(iter(db.deliveries.items()))
    db.deliveries.place((consumer, (home, stream, seq + 1000)), entry)


def orphan(db: Database, _: str) -> None:
    found = next(db.reservations.rows())
    db.reservations.place("rsv_SOF01_" + "0" * 26, evolve(found, id="rsv_SOF01_" + "0" * 26))


def emptied(table: str) -> InMemory:
    def damage(db: Database, _: str) -> None:
        rows = getattr(db, table)
        for key in list(rows):
            rows.place(key, None)

    return damage


def stage_under_the_code(db: Database, code: str) -> None:
    first("orders", pickup(lambda found: evolve(found, staged_at=code)), waiting)(db, code)


LEVEL = "WHERE store_id = 'SOF01' AND sku = 'OAT-MILK-1L'"
WAITING = "WHERE state = 'ready'"


def redeemed(posting: Posting) -> bool:
    return posting.credit == "redeemed"


def gift_card(account: Account) -> bool:
    return account.kind is AccountKind.GIFT_CARD


def captured(hold: Hold) -> bool:
    return hold.state is HoldState.CAPTURED


DAMAGES: Mapping[str, Damage] = {
    # gift cards
    "balances_are_what_was_posted": Damage(
        first("accounts", lambda one: evolve(one, balance=one.balance + Money(1, "EUR")), gift_card),
        "UPDATE omniorder_account SET balance = balance + 1 WHERE kind = 'gift_card'",
    ),
    "postings_have_two_sides": Damage(
        first("postings", lambda one: evolve(one, debit=one.credit)),
        "UPDATE omniorder_posting SET debit = credit",
    ),
    "what_is_held_is_held_by_payments": Damage(
        first("accounts", lambda one: evolve(one, held=Money(1, "EUR")), gift_card),
        "UPDATE omniorder_account SET held = 1 WHERE kind = 'gift_card'",
    ),
    "what_payments_took_is_posted": Damage(
        first("postings", lambda one: evolve(one, reference="pay_SOF01_000000_1"), redeemed),
        "UPDATE omniorder_posting SET reference = 'pay_SOF01_000000_1' WHERE credit = 'redeemed'",
    ),
    "accounts_and_orders_agree": Damage(
        first("holds", lambda one: evolve(one, order="SOF01-000000"), captured),
        "UPDATE omniorder_hold SET order_id = 'SOF01-000000' WHERE state = 'captured'",
    ),
    # stock
    "stock_is_the_sum_of_its_movements": Damage(
        first("levels", lambda level: evolve(level, on_hand=level.on_hand + 1), milk),
        f"UPDATE omniorder_stock SET on_hand = on_hand + 1 {LEVEL}",
    ),
    "movements_go_their_kinds_way": Damage(
        first("movements", lambda move: evolve(move, kind=MovementKind.COLLECT), lambda move: move.quantity > 0),
        "UPDATE omniorder_movement SET kind = 'collect' WHERE quantity > 0",
    ),
    "reserved_is_what_reservations_hold": Damage(
        first("levels", lambda level: evolve(level, reserved=level.reserved - 1), milk),
        f"UPDATE omniorder_stock SET reserved = reserved - 1 {LEVEL}",
    ),
    "levels_are_never_negative": Damage(
        first("levels", lambda level: evolve(level, safety=-1), milk),
        f"UPDATE omniorder_stock SET safety = -1 {LEVEL}",
    ),
    "no_unit_leaves_twice": Damage(
        first(
            "reservations", lines(lambda line: evolve(line, released=line.consumed)), in_state(ReservationState.SETTLED)
        ),
        "UPDATE omniorder_reservation_line SET released = consumed WHERE consumed > 0",
    ),
    "collected_goods_left_the_books": Damage(
        first(
            "reservations", lines(lambda line: evolve(line, consumed=0, released=2)), in_state(ReservationState.SETTLED)
        ),
        "UPDATE omniorder_reservation_line SET consumed = 0, released = 2 WHERE consumed > 0",
    ),
    "open_units_are_held": Damage(
        first("reservations", lines(lambda line: evolve(line, released=1)), in_state(ReservationState.FIRM)),
        "UPDATE omniorder_reservation_line SET released = 1 "
        "WHERE reservation_id IN (SELECT id FROM omniorder_reservation WHERE state = 'firm')",
    ),
    "reservations_belong_to_promises": Damage(
        first("reservations", lines(lambda line: evolve(line, quantity=line.quantity + 1))),
        "UPDATE omniorder_reservation_line SET quantity = quantity + 1",
    ),
    "a_reservation_is_somebodys": Damage(
        orphan,
        "INSERT INTO omniorder_reservation (store_id, id, state, moved) "
        "VALUES ('SOF01', 'rsv_SOF01_00000000000000000000000000', 'released', 0)",
    ),
    "transfers_hold_what_they_send": Damage(
        first("transfers", lines(lambda line: evolve(line, quantity=line.quantity + 1))),
        "UPDATE omniorder_transfer_line SET quantity = quantity + 1",
    ),
    "what_is_awaited_is_on_its_way": Damage(
        first("transfers", lambda found: evolve(found, order=None)),
        "UPDATE omniorder_transfer SET order_id = NULL",
    ),
    "what_is_held_has_a_limit": Damage(
        first("reservations", lambda found: evolve(found, until=None), in_state(ReservationState.HELD)),
        "UPDATE omniorder_reservation SET until = NULL WHERE state = 'held'",
    ),
    # money
    "totals_are_the_sum_of_their_lines": Damage(
        first("orders", lambda order: evolve(order, total=order.total + order.total)),
        "UPDATE omniorder_order SET total = 2 * total, ceiling = 2 * ceiling",
    ),
    "no_tender_gives_more_than_it_has": Damage(
        first("orders", payment(lambda p: evolve(p, refunded=p.amount)), paid(PaymentState.VOIDED)),
        "UPDATE omniorder_payment SET refunded = amount WHERE state = 'voided'",
    ),
    "nobody_is_charged_above_the_ceiling": Damage(
        first("orders", payment(lambda p: evolve(p, authorised=p.amount + p.amount)), waiting),
        "UPDATE omniorder_payment SET authorised = 2 * amount WHERE state = 'authorised'",
    ),
    "what_left_is_paid": Damage(
        first("orders", payment(lambda p: evolve(p, refunded=p.amount)), in_state(OrderState.COMPLETED)),
        "UPDATE omniorder_payment SET refunded = captured "
        "WHERE order_id IN (SELECT id FROM omniorder_order WHERE state = 'completed')",
    ),
    "no_more_is_credited_than_was_charged": Damage(
        first("orders", lambda order: evolve(order, corrections=order.corrections * 9), in_state(OrderState.COMPLETED)),
        "UPDATE omniorder_order SET corrections = replace(corrections, '\"quantity\":1', '\"quantity\":9')",
    ),
    "what_was_called_off_costs_nothing": Damage(
        first("orders", payment(lambda p: evolve(p, state=PaymentState.AUTHORISED)), paid(PaymentState.VOIDED)),
        "UPDATE omniorder_payment SET state = 'authorised' WHERE state = 'voided'",
    ),
    "money_in_flight_is_asked_after": Damage(
        first("orders", payment(lambda p: evolve(p, state=PaymentState.CAPTURING)), waiting),
        "UPDATE omniorder_payment SET state = 'capturing' WHERE state = 'authorised'",
    ),
    "a_key_is_of_one_call": Damage(
        first("orders", payment(renamed), waiting),
        "UPDATE omniorder_attempt SET id = id || '1' WHERE operation = 'capture'",
    ),
    "entries_agree_with_the_sums": Damage(
        first("orders", payment(lambda p: evolve(p, captured=p.captured - p.captured)), in_state(OrderState.COMPLETED)),
        "UPDATE omniorder_payment SET refunded = captured, captured = captured WHERE captured > 0",
    ),
    # substitutes
    "substitutes_were_agreed_to": Damage(
        first("orders", lines(lambda line: evolve(line, consent=Consent.refuse())), asked_about),
        "UPDATE omniorder_order_line SET consent = NULL",
    ),
    "what_was_replaced_came_otherwise": Damage(
        first("orders", pickup(lines(lambda line: evolve(line, replaced=0))), asked_about),
        "UPDATE omniorder_pickup_line SET replaced = 0 WHERE replaced > 0",
    ),
    "what_is_proposed_is_held": Damage(
        first("orders", pickup(lambda found: evolve(found, holds=())), asked_about),
        "UPDATE omniorder_pickup SET holds = '[]' WHERE proposals <> '[]'",
    ),
    # orders, carts, promises, slots, codes
    "joint_states_are_legal": Damage(
        first("orders", lambda order: evolve(order, state=OrderState.PLACED), waiting),
        "UPDATE omniorder_order SET state = 'placed' WHERE state = 'confirmed'",
    ),
    "a_cart_is_ordered_once": Damage(
        first("carts", lambda cart: evolve(cart, order_id=None), in_state(CartState.ORDERED)),
        "UPDATE omniorder_cart SET order_id = NULL WHERE state = 'ordered'",
    ),
    "a_promise_is_its_carts": Damage(
        first("carts", lambda cart: evolve(cart, promise_id=None), open_and_promised),
        "UPDATE omniorder_cart SET promise_id = NULL WHERE state = 'open'",
    ),
    "what_hangs_on_a_cart_is_its_owners": Damage(
        first("carts", lambda cart: evolve(cart, owner="customer:boris"), in_state(CartState.ORDERED)),
        "UPDATE omniorder_cart SET owner = 'customer:boris' WHERE state = 'ordered'",
    ),
    "merged_carts_lead_to_their_lines": Damage(
        first("carts", lambda cart: evolve(cart, merged_into=cart.id), in_state(CartState.MERGED)),
        "UPDATE omniorder_cart SET merged_into = id WHERE state = 'merged'",
    ),
    "orders_are_listed_beside_their_owner": Damage(
        emptied("orders_of"),
        "DELETE FROM omniorder_customer_order",
    ),
    "no_more_is_collected_than_bought": Damage(
        first("orders", pickup(lines(lambda line: evolve(line, collected=line.quantity + 1))), waiting),
        "UPDATE omniorder_pickup_line SET collected = quantity + 1",
    ),
    "slots_count_their_bookings": Damage(
        first("slots", lambda slot: evolve(slot, places=slot.places + 1)),
        "UPDATE omniorder_slot SET booked = booked + 1",
    ),
    "slots_are_not_overbooked": Damage(
        first("stores", lambda store: evolve(store, slot_capacity=1), lambda store: store.id == Shop.SOFIA),
        "UPDATE omniorder_store SET slot_capacity = 1",
    ),
    "bins_count_their_orders": Damage(
        first("bins", lambda orders: orders + 1),
        "UPDATE omniorder_bin SET orders = orders + 1",
    ),
    "wrong_codes_are_limited": Damage(
        first("tries", lambda tries: 99),
        "UPDATE omniorder_code_tries SET tries = 99",
    ),
    # the journal
    "streams_have_no_gaps": Damage(
        first("journal", lambda entry: None, lambda entry: entry.recorded.seq == 2),
        "DELETE FROM omniorder_event WHERE seq = 2",
    ),
    "carts_are_what_the_journal_tells": Damage(
        first("carts", lines(lambda line: evolve(line, quantity=line.quantity + 1))),
        "UPDATE omniorder_cart_line SET quantity = quantity + 1",
    ),
    "promises_are_what_the_journal_tells": Damage(
        first("promises", lambda found: evolve(found, state=PromiseState.WITHDRAWN), in_state(PromiseState.HELD)),
        "UPDATE omniorder_promise SET state = 'withdrawn' WHERE state = 'held'",
    ),
    "transfers_are_what_the_journal_tells": Damage(
        first("transfers", lambda found: evolve(found, reference="VAN 3")),
        "UPDATE omniorder_transfer SET reference = 'VAN 3'",
    ),
    "handoffs_are_what_the_journal_tells": Damage(
        first("handoffs", lambda found: evolve(found, offered_by="customer:boris")),
        "UPDATE omniorder_handoff SET offered_by = 'customer:boris'",
    ),
    "orders_are_what_the_journal_tells": Damage(
        first("orders", pickup(lambda found: evolve(found, staged_at="C5")), waiting),
        f"UPDATE omniorder_pickup SET staged_at = 'C5' {WAITING}",
    ),
    "hand_overs_have_an_actor_and_a_place": Damage(
        handed_over_elsewhere,
        "UPDATE omniorder_event SET actor = 'associate:vera@VAR01' WHERE name = 'HandOverStarted'",
    ),
    "an_answer_has_its_effect_once": Damage(
        first("orders", payment(refuse_captures), in_state(OrderState.COMPLETED)),
        "UPDATE omniorder_attempt SET state = 'refused' WHERE operation = 'capture'",
    ),
    "deliveries_are_of_events": Damage(
        renumbered,
        "UPDATE omniorder_delivery SET seq = seq + 1000",
    ),
    "every_deadline_has_its_timer": Damage(
        emptied("timers"),
        "DELETE FROM omniorder_timer",
    ),
    "nobody_is_reminded_twice": Damage(
        reminded_out_of_turn,
        """UPDATE omniorder_event SET name = 'Reminded', payload = '{"number": 1}' WHERE name = 'MadeReady'""",
    ),
    # privacy
    "nothing_secret_is_stored": Damage(
        first("carts", lines(lambda line: evolve(line, note="4242 4242 4242 4242"))),
        "UPDATE omniorder_note SET text = '4242 4242 4242 4242'",
    ),
    "codes_are_stored_nowhere": Damage(
        stage_under_the_code,
        f"UPDATE omniorder_pickup SET staged_at = :code {WAITING}",
    ),
}

AGAINST_THE_PROVIDER = {"the_provider_agrees", "one_key_has_one_effect"}


def by_name(name: str) -> Invariant:
    return next(one for one in INVARIANTS if one.name == name)


def notices(invariant: Invariant, shop: Shop, **given: Any) -> None:
    """It raises, and says which rows."""
    with pytest.raises(InvariantBroken) as raised:
        invariant(shop.hub, **given)
    (broken,) = raised.value.broken
    assert broken.name == invariant.name
    assert broken.rows
    with pytest.raises(InvariantBroken, match=invariant.name):
        check_all(shop.hub, **given)


def test_every_invariant_is_tried() -> None:
    assert {one.name for one in INVARIANTS} == DAMAGES.keys() | AGAINST_THE_PROVIDER


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_in_memory_is_noticed(shop: Shop, name: str) -> None:
    code = lived_in(shop)
    with shop.hub.journal.parts.storage.reading() as tx:
        assert isinstance(tx, MemoryTransaction)
        DAMAGES[name].memory(tx.database, code)
    notices(by_name(name), shop)


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_in_sqlite_is_noticed(lived_in_file: tuple[Path, str], tmp_path: Path, name: str) -> None:
    template, code = lived_in_file
    path = Path(shutil.copy(template, tmp_path / "shop.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        changed = connection.execute(DAMAGES[name].sql, {"code": code} if ":code" in DAMAGES[name].sql else {})
        assert changed.rowcount > 0
    with Shop.example(f"sqlite:///{path.as_posix()}", migrate=False, stocked=False) as shop:
        notices(by_name(name), shop)


def test_a_level_that_is_not_its_movements_is_named_with_both(shop: Shop) -> None:
    """What is quarantined as well as what is on hand: whoever looks for the difference begins here."""
    lived_in(shop)
    with shop.hub.journal.parts.storage.reading() as tx:
        assert isinstance(tx, MemoryTransaction)
        first("levels", lambda level: evolve(level, quarantined=5), milk)(tx.database, "")
    with pytest.raises(InvariantBroken) as raised:
        by_name("stock_is_the_sum_of_its_movements")(shop.hub)
    assert raised.value.broken[0].rows == (
        "SOF01 OAT-MILK-1L: stored as 32 on hand and 5 quarantined, its movements give 32 on hand and 2 quarantined",
    )


@pytest.mark.parametrize("table", ["levels", "movements"])
def test_a_level_without_movements_and_movements_without_a_level_are_noticed(shop: Shop, table: str) -> None:
    lived_in(shop)
    with shop.hub.journal.parts.storage.reading() as tx:
        assert isinstance(tx, MemoryTransaction)
        emptied(table)(tx.database, "")
    with pytest.raises(InvariantBroken, match=f"{Shop.SOFIA} {Shop.MILK}"):
        by_name("stock_is_the_sum_of_its_movements")(shop.hub)


def test_an_expectation_of_nothing_is_noticed(shop: Shop) -> None:
    lived_in(shop)
    with shop.hub.journal.parts.storage.reading() as tx:
        assert isinstance(tx, MemoryTransaction)
        first("expected", lambda found: evolve(found, quantity=0))(tx.database, "")
    notices(by_name("levels_are_never_negative"), shop)


# --- against the provider, and time -----------------------------------------------------------------------


@frozen
class Books:
    """What a provider has on file, as it should not be."""

    payments: tuple[ProviderPayment, ...]
    effects: Mapping[str, int]


def test_a_payment_that_only_the_provider_knows_is_noticed(shop: Shop) -> None:
    lived_in(shop)
    stray = evolve(shop.gateway.payments[0], id="pi_stray", payment="pay_SOF01_0000000_1")
    books = Books((*shop.gateway.payments, stray), shop.gateway.effects)
    notices(by_name("the_provider_agrees"), shop, gateways={"card": books})


def test_a_payment_of_which_the_provider_says_otherwise_is_noticed(shop: Shop) -> None:
    lived_in(shop)
    first, *others = shop.gateway.payments
    books = Books((evolve(first, captured=first.captured - first.captured), *others), shop.gateway.effects)
    notices(by_name("the_provider_agrees"), shop, gateways={"card": books})


def test_a_key_that_moved_money_twice_is_noticed(shop: Shop) -> None:
    lived_in(shop)
    books = Books(shop.gateway.payments, dict.fromkeys(shop.gateway.effects, 2))
    notices(by_name("one_key_has_one_effect"), shop, gateways={"card": books})


def test_what_no_sweep_came_for_is_noticed(shop: Shop) -> None:
    lived_in(shop)
    nothing_is_overdue(shop.hub)
    shop.clock.advance(minutes=16)
    with pytest.raises(InvariantBroken, match="nothing_is_overdue"):
        nothing_is_overdue(shop.hub)
    shop.hub.sweep()
    nothing_is_overdue(shop.hub)


def test_a_provider_that_stays_silent_is_noticed_and_one_that_waits_for_the_customer_is_not(shop: Shop) -> None:
    """Not at once: the sweep asks again, and for a day that may take."""
    shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_3ds"))
    shop.gateway.drop_next_request()
    order = shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_visa"))
    nothing_stays_unknown(shop.hub)
    shop.clock.advance(hours=25)
    with pytest.raises(InvariantBroken, match=order.payments[0].attempts[0].id) as raised:
        nothing_stays_unknown(shop.hub)
    assert raised.value.broken[0].count == 1
    shop.hub.sweep()
    nothing_stays_unknown(shop.hub)


def test_a_secret_of_the_application_is_noticed(shop: Shop) -> None:
    lived_in(shop)
    shop.app.carts.start(metadata={"device": "token-0123456789"})
    notices(by_name("nothing_secret_is_stored"), shop, secrets=["token-0123456789"])


def test_a_pass_that_is_kept_is_noticed(shop: Shop) -> None:
    lived_in(shop)
    shop.app.carts.start(metadata={"pass": f"OMNI:SOF01-7K3F9Q:eyJ{'a' * 40}.eyJ{'b' * 100}.{'c' * 86}"})
    notices(by_name("nothing_secret_is_stored"), shop)


def test_a_barcode_that_could_be_a_card_number_is_none(shop: Shop) -> None:
    """One in ten of them passes the check of card numbers; in any other place it is noticed."""
    shop.office.articles.put(Article("BUTTER", "Butter", gtins=["9520000000073"]))
    by_name("nothing_secret_is_stored")(shop.hub)
    shop.office.articles.put(Article("BUTTER", "Butter 9520000000073"))
    notices(by_name("nothing_secret_is_stored"), shop)


# --- goods for a shelf ------------------------------------------------------------------------------------


def unsent(timer: Callable[[Database, tuple[str, str]], None]) -> Iterator[Shop]:
    """A shop with goods for a shelf that are not sent yet, and what became of their timer."""
    with Shop.example() as shop:
        sending.centre(shop)
        transfer = shop.office.transfers.request(sending.CENTRE, Shop.SOFIA, {Shop.BREAD: 2})
        check_all(shop.hub)
        timer(cast("Any", shop.hub._parts.storage)._db, (transfer.source, transfer.id))
        yield shop


def lost(db: Database, key: tuple[str, str]) -> None:
    db.timers.place(key, None)


def moved_to_the_destination(db: Database, key: tuple[str, str]) -> None:
    db.timers.place((Shop.SOFIA, key[1]), db.timers.get(key))


def sent_meanwhile(db: Database, key: tuple[str, str]) -> None:
    found = db.transfers.get(key[1])
    assert found is not None
    db.transfers.place(key[1], evolve(found, state=TransferState.CANCELLED))


@pytest.mark.parametrize("damage", [lost, moved_to_the_destination, sent_meanwhile])
def test_goods_for_a_shelf_have_one_timer_at_their_source_until_they_are_sent(
    damage: Callable[[Database, tuple[str, str]], None],
) -> None:
    for shop in unsent(damage):
        with pytest.raises(InvariantBroken, match="every_deadline_has_its_timer"):
            by_name("every_deadline_has_its_timer")(shop.hub)


def test_goods_for_a_shelf_that_are_held_for_ever_are_noticed() -> None:
    for shop in unsent(lost):
        nothing_is_held_past_its_grace(shop.hub)
        shop.advance(days=60)
        with pytest.raises(InvariantBroken, match="nothing_is_held_past_its_grace"):
            nothing_is_held_past_its_grace(shop.hub)


# --- webhooks ---------------------------------------------------------------------------------------------


def parked(db: Database) -> tuple[str, str]:
    (webhook,) = (one for one in db.webhooks.rows() if one.state is WebhookState.PARKED)
    return webhook.store, webhook.id


def without_its_timer(db: Database, _: str) -> None:
    db.timers.place(parked(db), None)


def followed_meanwhile(db: Database, _: str) -> None:
    _, id = parked(db)
    found = db.webhooks.get(id)
    assert found is not None
    db.webhooks.place(id, evolve(found, state=WebhookState.FOLLOWED))


def forgotten(db: Database, _: str) -> None:
    db.webhooks.place(parked(db)[1], None)


@pytest.mark.parametrize("damage", [without_its_timer, followed_meanwhile, forgotten])
def test_a_parked_webhook_has_a_timer_and_no_other_has(shop: Shop, damage: InMemory) -> None:
    lived_in(shop)
    check_all(shop.hub)
    notices(by_name("every_deadline_has_its_timer"), damaged(shop, damage))


# --- stock outside ----------------------------------------------------------------------------------------


@pytest.fixture
def outside() -> Iterator[Shop]:
    """A shop whose stock is in a system of its own, with a promise and an order of which that was told."""
    clock = FakeClock()
    with Shop.example(clock=clock, outside=FakeInventory(clock=clock)) as shop:
        shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_visa"))
        shop.hub.sweep()
        shop.promise()
        yield shop


def damaged(shop: Shop, damage: InMemory) -> Shop:
    damage(cast("Any", shop.hub._parts.storage)._db, "")
    return shop


def test_what_is_held_outside_is_in_no_level_and_all_else_holds(outside: Shop) -> None:
    check_all(outside.hub)
    nothing_is_overdue(outside.hub)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("reserved_is_what_reservations_hold", first("reservations", lambda found: evolve(found, outside=False))),
        ("open_units_are_held", first("reservations", lambda found: evolve(found, lines=()))),
        ("a_reservation_is_somebodys", orphan),
    ],
)
def test_damage_to_what_is_held_outside_is_noticed(outside: Shop, name: str, damage: InMemory) -> None:
    notices(by_name(name), damaged(outside, damage))


def test_an_id_that_was_given_up_is_of_no_promise_and_holds_nothing(outside: Shop) -> None:
    def given_up(db: Database, _: str) -> None:
        orphan(db, "")
        name = "rsv_SOF01_" + "0" * 26
        state = ReservationState.RELEASED
        db.reservations.place(name, Reservation(name, Shop.SOFIA, state, (), None, outside=True))

    check_all(damaged(outside, given_up).hub)


def test_a_timer_of_a_reservation_is_at_its_own_store(outside: Shop) -> None:
    key = next(key for key in cast("Any", outside.hub._parts.storage)._db.timers)

    def misplaced(db: Database, _: str) -> None:
        db.timers.place((Shop.VARNA, "rsv_SOF01_" + "0" * 26), db.timers.get(key))

    notices(by_name("every_deadline_has_its_timer"), damaged(outside, misplaced))
