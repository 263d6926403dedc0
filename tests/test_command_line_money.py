"""The operator's commands about money: `reconcile` and `ledger`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omniorder import Card
from omniorder.cli import main
from omniorder.testing.shop import Shop

Told = Callable[[], tuple[str, str]]

APPLICATION = """
from datetime import timedelta

from omniorder import Money, OrderHub
from omniorder.ports.payments import Listed
from omniorder.testing import Shop

shop = Shop.example()
PAID = []


def with_payment():
    from omniorder import Card
    PAID.append(shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_instant")))
    shop.clock.advance(hours=1)
    return shop.hub


def with_stray():
    hub = with_payment()
    found = list(shop.gateway.listed(shop.clock.now() - timedelta(days=1), shop.clock.now()))
    none = Money(0, "EUR")
    stray = Listed("=pi_9\\x1b", "", shop.clock.now() - timedelta(minutes=5), none, Money(700, "EUR"), none, none)
    shop.gateway.listed = lambda since, until: iter([*found, stray])
    return hub


def without_list():
    from omniorder.testing import FakeGateway
    return Shop.example(gateway=FakeGateway(lists=False)).hub
"""
SINCE = ["--since", "2026-11-01"]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return read


@pytest.fixture(autouse=True)
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "money_shop.py").write_text(APPLICATION)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("money_shop", None)


# --- reconcile --------------------------------------------------------------------------------------------


def test_a_shop_that_agrees_with_its_provider_exits_with_0(told: Told) -> None:
    assert main(["reconcile", "--hub", "money_shop:with_payment", "--gateway", "card", *SINCE]) == 0
    lines = told()[0].splitlines()
    assert lines == [
        "ours    captured 4.98 EUR, refunded 0.00 EUR, open 0.00 EUR",
        "theirs  captured 4.98 EUR, refunded 0.00 EUR, open 0.00 EUR",
        "1 payments, 1 listed: 1 agree, 0 differences, 0 in motion",
    ]


def test_a_difference_is_told_with_what_to_do_and_exits_with_1(told: Told) -> None:
    assert main(["reconcile", "--hub", "money_shop:with_stray", "--gateway", "card", *SINCE]) == 1
    lines = told()[0].splitlines()
    assert lines[0] == "untagged  '=pi_9\\x1b': theirs 7.00 EUR"
    assert lines[1].startswith("    Find out which system made it")
    assert lines[-1] == "1 payments, 2 listed: 1 agree, 1 differences, 0 in motion"


def test_as_json_each_line_is_an_object_and_the_last_the_totals(told: Told) -> None:
    assert main(["reconcile", "--hub", "money_shop:with_stray", "--gateway", "card", *SINCE, "--json"]) == 1
    difference, totals = map(json.loads, told()[0].splitlines())
    assert (difference["kind"], difference["advice"], difference["ours"]) == ("untagged", "find_its_owner", None)
    assert difference["theirs"] == {"amount": 700, "currency": "EUR"}
    assert totals["differences"] == {"untagged": 1}
    assert totals["theirs"] == {"EUR": {"captured": 1198, "refunded": 0, "open": 0}}


def test_differences_go_into_a_file_for_accountants(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "differences.csv"
    asked = ["reconcile", "--hub", "money_shop:with_stray", "--gateway", "card", *SINCE, "--csv", str(path)]
    assert main(asked) == 1
    with path.open(newline="", encoding="utf-8") as file:
        [row] = csv.DictReader(file)
    assert (row["provider_id"], row["theirs"]) == ("'=pi_9\x1b", "7.00")
    assert len(told()[0].splitlines()) == 3


def test_only_the_window_that_is_given_is_compared(told: Told) -> None:
    window = ["--since", "2026-11-01", "--until", "2026-11-02T00:00:00+02:00"]
    assert main(["reconcile", "--hub", "money_shop:with_payment", "--gateway", "card", *window]) == 0
    assert told()[0] == "0 payments, 0 listed: 0 agree, 0 differences, 0 in motion\n"


@pytest.mark.parametrize(
    ("hub", "kind", "why"),
    [
        ("money_shop:without_list", "card", "tender.unsupported"),
        ("money_shop:with_payment", "giro", "tender.unsupported"),
        ("money_shop:nothing", "card", "--hub"),
    ],
)
def test_what_cant_be_compared_is_told_in_a_line_and_exits_with_2(told: Told, hub: str, kind: str, why: str) -> None:
    assert main(["reconcile", "--hub", hub, "--gateway", kind, *SINCE]) == 2
    out, err = told()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(why)


@pytest.mark.parametrize("when", ["yesterday", "2026-11-22T08:00:00", "2026-02-30", "20261122T000000Z0", "2500-01-01"])
def test_a_time_without_a_meaning_is_refused(told: Told, when: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["reconcile", "--hub", "money_shop:with_payment", "--gateway", "card", "--since", when])
    assert ended.value.code == 2
    assert "must be a date" in told()[1]


# --- ledger -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    with Shop.example(found) as shop:
        first = shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_instant"))
        shop.app.orders.cancel(first.id)
        shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_instant"))
    return found


def test_the_ledger_of_all_orders_goes_into_a_file(url: str, told: Told, tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    assert main(["ledger", str(path), "--database", url]) == 0
    assert told()[0] == "4 lines\n"
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert sorted(row["what"] for row in found) == ["Paid", "Paid", "RefundRequested", "Refunded"]
    assert {row["amount"] for row in found} == {"4.98"}


def test_the_ledger_of_one_order_goes_to_standard_output(url: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with Shop.example(url, migrate=False, stocked=False) as shop:
        order = shop.app.orders.page().items[0]
    assert main(["ledger", "-", "--order", order.id, "--database", url]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    with Shop.example(url, migrate=False, stocked=False) as shop:
        expected = [entry.what for entry in shop.office.orders.ledger(order.id)]
    assert [line.split(",")[1:4:2] for line in lines] == [["order", "what"], *([order.id, what] for what in expected)]


def test_a_ledger_of_an_order_that_is_not_there_exits_with_2(url: str, told: Told) -> None:
    assert main(["ledger", "-", "--order", "SOF01-000000", "--database", url]) == 2
    assert told()[1].startswith("not_found")
