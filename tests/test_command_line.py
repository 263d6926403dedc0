"""The operator's commands: what they print, and with which code they exit."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from omniorder import Card, Pick
from omniorder.cli import main
from omniorder.cli.timeline import _facts
from omniorder.domain import events as e
from omniorder.testing import samples
from omniorder.testing.invariants import INVARIANTS
from omniorder.testing.shop import Shop

Told = Callable[[], tuple[str, str]]
"""What was printed since the last call, on standard output and on standard error."""


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return read


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database that outlives a process."""
    found: str = request.getfixturevalue(request.param)
    return found


def one_line(text: str) -> bool:
    return text.endswith("\n") and text.count("\n") == 1


def collected(shop: Shop) -> tuple[str, str]:
    """An order with a note that was handed over; its id and its code."""
    cart = shop.app.carts.start()
    cart = shop.app.carts.add(cart.id, Shop.MILK, 2, note="the ripe ones")
    offer = next(offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    promise = shop.app.checkout.promise(cart.id, slot=offer.slots[0].id)
    order = shop.app.checkout.place(promise.id, pay=Card("pm_card_visa"))
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    shop.store.pickups.ready(order.id, staged_at="C4")
    code = shop.app.orders.pickup_pass(order.id).code
    shop.store.pickups.hand_over(order.id, code=code)
    return order.id, code


# --- help and migrate -------------------------------------------------------------------------------------


def test_without_a_command_it_shows_what_there_is(told: Told) -> None:
    assert main([]) == 0
    shown = told()[0]
    assert all(command in shown for command in ("sweep", "migrate", "timeline", "verify"))


def test_it_knows_its_version(told: Told) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert told()[0].startswith("omniorder ")


def test_migrating_makes_the_tables_and_says_so(url: str, told: Told) -> None:
    assert main(["migrate", "--database", url]) == 0
    assert told()[0] == "the tables are up to date\n"
    Shop.example(url, migrate=False).close()


def test_migrating_can_print_the_statements_instead(sqlite_url: str, told: Told) -> None:
    assert main(["migrate", "--sql", "--database", sqlite_url]) == 0
    assert "CREATE TABLE omniorder_order" in told()[0]
    assert not file_of(sqlite_url).exists()


def test_an_unknown_kind_of_database_is_told_in_a_line(told: Told) -> None:
    assert main(["migrate", "--database", "mysql://localhost/shop"]) == 1
    out, err = told()
    assert out == ""
    assert one_line(err)
    assert err.startswith("misconfigured: ")


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# --- timeline ---------------------------------------------------------------------------------------------


def test_the_timeline_tells_each_event_in_the_stores_own_time(url: str, told: Told) -> None:
    with Shop.example(url) as shop:
        order, _ = collected(shop)
        expected = [entry.name for entry in shop.office.orders.timeline(order).items]
    assert main(["timeline", order, "--database", url]) == 0
    lines = told()[0].splitlines()
    assert [next(word for word in line.split() if word in expected) for line in lines] == expected
    assert lines[0].startswith("2026-11-23 10:00:00 EET  app    customer:anna (ios/5.2)  OrderPlaced ")
    assert "total=4.98 EUR" in lines[0]


def test_the_timeline_shows_what_came_or_is_proposed_as_units_of_an_article() -> None:
    at = ZoneInfo("UTC")
    told = {type(event): _facts(event, at) for event in samples.every_event()}
    assert told[e.SubstituteProposed] == "proposal=2xOAT-MILK-1L"
    assert told[e.LinesAppended].startswith("lines=2xOAT-MILK-1L ")
    assert told[e.LineConsented].endswith("consent=similar,2.99 EUR")


def test_the_timeline_shows_no_code_token_or_note(sqlite_url: str, told: Told) -> None:
    with Shop.example(sqlite_url) as shop:
        order, code = collected(shop)
    for form in ([], ["--json"]):
        assert main(["timeline", order, "--database", sqlite_url, *form]) == 0
        out, _ = told()
        assert not any(secret in out for secret in (code, "pm_card_visa", "ripe"))


def test_the_timeline_can_be_read_by_programs(sqlite_url: str, told: Told) -> None:
    with Shop.example(sqlite_url) as shop:
        order, _ = collected(shop)
    assert main(["timeline", order, "--database", sqlite_url, "--json"]) == 0
    entries = [json.loads(line) for line in told()[0].splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0]["event"]["name"] == "OrderPlaced"


def test_a_timeline_longer_than_a_page_is_told_to_its_end(
    sqlite_url: str, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Shop.example(sqlite_url) as shop:
        order, _ = collected(shop)
        length = shop.office.orders.get(order).version
    (tmp_path / "short_pages.py").write_text(
        "from omniorder import OrderHub, Settings\n"
        f"hub = OrderHub.open({sqlite_url!r}, settings=Settings(page_limit=3))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["timeline", order, "--hub", "short_pages:hub"]) == 0
    assert len(told()[0].splitlines()) == length > 3


@pytest.mark.parametrize("order", ["SOF01-ZZZZZZ", "nonsense", "\N{CYRILLIC CAPITAL LETTER ES}OF01-7K3F9Q"])
def test_an_order_that_is_not_there_is_told_in_a_line(sqlite_url: str, told: Told, order: str) -> None:
    Shop.example(sqlite_url).close()
    assert main(["timeline", order, "--database", sqlite_url]) == 1
    out, err = told()
    assert out == ""
    assert one_line(err)


# --- measures ---------------------------------------------------------------------------------------------


def test_the_measures_of_a_stores_day_are_told_for_people_and_for_programs(sqlite_url: str, told: Told) -> None:
    with Shop.example(sqlite_url) as shop:
        collected(shop)
    asked = ["measures", "--store", "SOF01", "--day", "2026-11-23", "--database", sqlite_url]
    assert main(asked) == 0
    lines = dict(line.split() for line in told()[0].splitlines())
    assert (lines["collected"], lines["on_time_rate"], lines["time_to_ready"]) == ("1", "100.0%", "0:00:00")
    assert lines["waiting_time"] == "-"
    assert main([*asked, "--last", "2026-11-30", "--json"]) == 0
    found = json.loads(told()[0])
    assert (found["ready"], found["short_rate"], found["long_wait"]) == (1, 0.0, None)
    assert main([*asked[:2], "ZZ99", *asked[3:]]) == 1
    assert one_line(told()[1])


# --- verify -----------------------------------------------------------------------------------------------


def test_a_shop_in_which_everything_holds_is_verified(url: str, told: Told) -> None:
    with Shop.example(url) as shop:
        collected(shop)
        shop.promise()
    assert main(["verify", "--database", url]) == 0
    out, _ = told()
    assert out.endswith(f"{len(INVARIANTS) - 3} hold, 0 broken, 4 not asked (they need --hub)\n")


def test_with_the_hub_everything_is_asked(
    sqlite_url: str, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop.example(sqlite_url).close()
    (tmp_path / "whole_shop.py").write_text(
        f"from omniorder.testing import Shop\ndef hub(): return Shop.example({sqlite_url!r}, stocked=False).hub"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["verify", "--hub", "whole_shop:hub"]) == 0
    assert told()[0].endswith(f"{len(INVARIANTS) + 1} hold, 0 broken\n")


def test_a_schema_goes_with_a_database(told: Told) -> None:
    assert main(["verify", "--hub", "shop.orders:hub", "--schema", "shop"]) == 2
    assert told()[1] == "--schema goes with --database: a hub knows its own\n"


def test_tables_in_a_schema_of_their_own_are_verified(postgres_url: str, told: Told) -> None:
    Shop.example(postgres_url, schema="shop").close()
    assert main(["verify", "--database", postgres_url, "--schema", "shop"]) == 0
    assert main(["verify", "--database", postgres_url]) == 2
    assert "or not in this schema" in told()[1]


def test_what_does_not_hold_is_told_with_its_claim_and_its_rows(sqlite_url: str, told: Told) -> None:
    Shop.example(sqlite_url).close()
    damage(sqlite_url, "UPDATE omniorder_stock SET on_hand = on_hand + 1 WHERE store_id = 'VAR01'")
    assert main(["verify", "--database", sqlite_url]) == 1
    out, _ = told()
    assert "BROKEN  stock_is_the_sum_of_its_movements: S1, S4: what is on hand is what ever came" in out
    stored, made = "11 on hand and 0 quarantined", "10 on hand and 0 quarantined"
    assert f"    VAR01 OAT-MILK-1L: stored as {stored}, its movements give {made}\n" in out
    assert "1 broken" in out


def test_rows_beyond_the_first_twenty_are_counted(sqlite_url: str, told: Told) -> None:
    with Shop.example(sqlite_url) as shop:
        for _ in range(25):
            shop.app.carts.start()
    damage(sqlite_url, "UPDATE omniorder_cart SET state = 'ordered'")
    assert main(["verify", "--database", sqlite_url, "--json"]) == 1
    answers = {one["invariant"]: one for one in map(json.loads, told()[0].splitlines())}
    broken = answers["a_cart_is_ordered_once"]
    assert (broken["holds"], broken["count"], len(broken["rows"])) == (False, 25, 20)
    assert answers["levels_are_never_negative"]["holds"] is True
    assert answers["the_provider_agrees"]["holds"] is None


def test_a_row_that_can_not_be_read_is_named(sqlite_url: str, told: Told) -> None:
    with Shop.example(sqlite_url) as shop:
        cart = shop.app.carts.start()
    damage(sqlite_url, "UPDATE omniorder_cart SET state = 'gibberish'")
    assert main(["verify", "--database", sqlite_url]) == 2
    assert f"cart (id {cart.id}) can't be read: 'gibberish'" in told()[1].splitlines()[-1]


def damage(url: str, statement: str) -> None:
    with closing(sqlite3.connect(file_of(url))) as connection, connection:
        assert connection.execute(statement).rowcount


def test_tables_of_another_version_are_not_judged(sqlite_url: str, told: Told) -> None:
    Shop.example(sqlite_url).close()
    damage(sqlite_url, "UPDATE omniorder_version SET version_num = '0000'")
    assert main(["verify", "--database", sqlite_url]) == 2
    out, err = told()
    assert out == ""
    assert one_line(err)
    assert "the schema is at 0000" in err


def test_a_file_of_somebody_else_is_told_as_such_and_left_as_it_was(sqlite_url: str, told: Told) -> None:
    file = file_of(sqlite_url)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    before = file.read_bytes()
    assert main(["verify", "--database", sqlite_url]) == 2
    _, err = told()
    assert one_line(err)
    assert "no tables of omniorder" in err
    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_database_of_somebody_else_is_told_as_such_and_left_as_it_was(postgres_url: str, told: Told) -> None:
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert main(["verify", "--database", postgres_url]) == 2
    assert "no tables of omniorder" in told()[1]
    with psycopg.connect(postgres_url.replace("+psycopg", "", 1)) as connection:
        assert connection.execute(tables).fetchone() == (0,)


@pytest.mark.parametrize("command", [["verify"], ["timeline", "SOF01-7K3F9Q"]])
def test_looking_for_a_file_does_not_make_it(sqlite_url: str, told: Told, command: list[str]) -> None:
    assert main([*command, "--database", sqlite_url]) != 0
    assert one_line(told()[1])
    assert not file_of(sqlite_url).exists()


@pytest.mark.parametrize("url", ["memory://", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_ends_with_the_process_is_nobodys(url: str, told: Told) -> None:
    assert main(["verify", "--database", url]) == 2
    assert told()[1].startswith("misconfigured: ")


def test_verifying_needs_neither_pytest_nor_hypothesis_nor_rich(sqlite_url: str) -> None:
    Shop.example(sqlite_url).close()
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['pytest', 'hypothesis', 'rich']))\n"
        "from omniorder.cli import main\n"
        f"sys.exit(main(['verify', '--database', {sqlite_url!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "reading answers")


def test_on_a_terminal_a_bar_moves_on_standard_error(
    sqlite_url: str, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop.example(sqlite_url).close()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["verify", "--database", sqlite_url]) == 0
    out, err = told()
    assert "\x1b[" in err
    assert "\x1b[" not in out
    assert "reading" not in err
