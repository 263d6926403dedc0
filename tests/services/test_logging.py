"""Logs: silent until the application wants them, then one line per command, and nobody's personal data in it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from omniorder import Channel, Customer, events
from omniorder.errors import CodeLocked, OmniorderError, WrongCode
from omniorder.testing.shop import Shop
from tests.services.steps import VISA, code, filled, free_slot, placed, ready, refused


class Listener(logging.Handler):
    """Keeps every record."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def lines(shop: Shop) -> Iterator[list[logging.LogRecord]]:
    """What is logged from here on, the shop's own setting up aside."""
    logger, listener = logging.getLogger("omniorder"), Listener()
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield listener.records
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(listener)


def fields(record: logging.LogRecord) -> dict[str, object]:
    names = ("command", "channel", "actor", "aggregate", "outcome")
    return {name: vars(record).get(name) for name in names}


ALWAYS = frozenset(vars(logging.makeLogRecord({}))) - {"msg", "args", "exc_info", "exc_text"}
"""What every record has: where, when and in which thread it was made."""


def everything(records: list[logging.LogRecord]) -> str:
    """All that the application could read in these records, but their durations."""
    told = [{name: value for name, value in vars(record).items() if name not in ALWAYS} for record in records]
    return repr([{name: value for name, value in one.items() if name != "ms"} for one in told])


def test_nothing_is_printed_or_logged_unless_it_is_asked_for() -> None:
    script = (
        "from omniorder.testing import Shop\n"
        "from omniorder import Card\n"
        "shop = Shop.example()\n"
        "order = shop.web.checkout.place(shop.promise().id, pay=Card('pm_card_timeout'))\n"
        "shop.advance(minutes=60)\n"
        "try:\n    shop.app.carts.get('nonsense')\nexcept Exception:\n    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_command_is_one_line(shop: Shop, lines: list[logging.LogRecord]) -> None:
    cart = shop.app.carts.start()
    assert [fields(record) for record in lines] == [
        {"command": "carts.start", "channel": "app", "actor": "customer", "aggregate": cart.id, "outcome": "done"}
    ]
    assert isinstance(vars(lines[0])["ms"], float)


def test_sugar_is_the_same_one_line(shop: Shop, lines: list[logging.LogRecord]) -> None:
    cart = filled(shop)
    lines.clear()
    shop.app.carts.change(cart.id, cart.lines[0].id, 5)
    assert [fields(record)["command"] for record in lines] == ["carts.edit"]


def test_a_refusal_is_logged_by_its_code(shop: Shop, lines: list[logging.LogRecord]) -> None:
    order = placed(shop)
    lines.clear()
    with pytest.raises(OmniorderError):
        shop.store.pickups.ready(order.id)
    assert [(fields(record)["outcome"], fields(record)["aggregate"]) for record in lines] == [
        ("transition.illegal", order.id)
    ]


def test_staff_agents_and_programs_are_named_and_customers_are_not(shop: Shop, lines: list[logging.LogRecord]) -> None:
    order = placed(shop)
    shop.phone.carts.start()
    shop.guest.carts.start()
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    shop.office.stock.receive("SOF01", Shop.MILK, 1)
    assert {str(fields(record)["actor"]) for record in lines} == {
        "customer",
        "guest",
        "agent:petya",
        "associate:ivan@SOF01",
        "system:office",
    }


def test_a_whole_order_leaves_nothing_personal_and_no_secret_in_the_log(
    shop: Shop, lines: list[logging.LogRecord]
) -> None:
    who = shop.hub.at(Channel.WEB, Customer("maria.ivanova@example.com"), via="browser of Maria")
    cart = who.carts.start(metadata={"loyalty": "gold-4711"})
    cart = who.carts.add(cart.id, Shop.MILK, 1, note="ring at Ivanova's")
    promise = who.checkout.promise(cart.id, slot=free_slot(shop, cart, touch=who))
    order = who.checkout.place(promise.id, pay=VISA)
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    shop.store.pickups.ready(order.id, staged_at="C4")
    ticket = who.orders.pickup_pass(order.id)
    with pytest.raises(OmniorderError):
        shop.store.pickups.hand_over(order.id, code="0000000")
    with pytest.raises(OmniorderError):
        shop.store.pickups.hand_over(ticket.code, code=order.id)  # the fields of a form swapped
    with pytest.raises(OmniorderError):
        shop.store.pickups.hand_over(ticket.token, code=order.id)
    with pytest.raises(OmniorderError):
        who.carts.edit("maria.ivanova@example.com", [])
    with pytest.raises(OmniorderError):
        who.checkout.place("4111111111111111", pay=VISA)
    shop.store.pickups.hand_over(order.id, code=ticket.code)

    text = everything(lines)
    secrets = ("maria", "Maria", "Ivanova", "gold-4711", "pm_card_visa", "4111", ticket.code, ticket.token)
    assert [secret for secret in secrets if secret in text] == []
    assert order.id in text


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", "x" * 5000, "\u202eevil"])
def test_what_a_caller_sends_as_an_id_forges_no_line(shop: Shop, lines: list[logging.LogRecord], text: str) -> None:
    with pytest.raises(OmniorderError):
        shop.app.carts.edit(text, [])
    (record,) = lines
    assert fields(record)["aggregate"] == ""


def test_the_sweep_warns_of_what_it_could_not_do(shop: Shop, lines: list[logging.LogRecord]) -> None:
    def object_to(recorded: object, tx: object) -> None:
        raise RuntimeError("not this one")

    shop.hub.on(events.NoShow, object_to)
    order = ready(shop)
    assert code(shop, order)
    lines.clear()
    shop.advance(days=5)
    failed = [record for record in lines if record.levelno >= logging.WARNING]
    assert [vars(record)["subject"] for record in failed] == [order.id]


def test_an_unanswered_provider_call_is_a_warning(shop: Shop, lines: list[logging.LogRecord]) -> None:
    shop.gateway.drop_next_request()
    order = placed(shop)
    (warning,) = [record for record in lines if record.levelno == logging.WARNING]
    assert vars(warning)["attempt"] == order.payments[0].attempts[0].id


def test_a_locked_code_is_told_without_the_code(shop: Shop, lines: list[logging.LogRecord]) -> None:
    order = ready(shop)
    for _ in range(5):
        refused(WrongCode, shop.store.pickups.hand_over, order.id, code="9876543")
    refused(CodeLocked, shop.store.pickups.hand_over, order.id, code="9876543")
    assert "9876543" not in everything(lines)
