"""The benchmarks run, print what docs/speed.md says, and compare what can be compared."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import DivisionByZero, UniqueViolation

from bench import webhooks
from bench.__main__ import PARTS, main
from bench.by_hand.reserving import Manner, Reserving
from bench.by_hand.sqlite import Refused
from bench.by_hand.webhooks import Intake
from bench.databases import Database, Name
from bench.orders import by_hand, by_library, counted
from bench.reserving import Goods, Library, Reserves, fill
from bench.scene import Scene, opened
from bench.shop import CAPACITY
from omniorder.adapters.sql import connect
from omniorder.adapters.sql.schema import METADATA
from omniorder.errors import OutOfStock

Rows = Mapping[str, Counter[str]]

IDS = re.compile(r"\b(crt|ln|prm|rsv|pay|att|pup|whk)_\w+|\bSOF01-[0-9A-Z]{6}\b|pi_fake_\d+")
INSTANTS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.0-9]*(Z|\+00:00)")


@pytest.fixture(params=["postgresql", "sqlite"])
def new_scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Scene]]:
    """A function that opens a shop on one kind of database, always the same, as often as it is called."""
    name: Name = request.param
    numbers = count()

    def url() -> str:
        if name == "postgresql":
            create: Callable[[], str] = request.getfixturevalue("postgres_database")
            return create()
        return f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"

    with ExitStack() as stack:
        yield lambda: stack.enter_context(opened(Database(name, url())))


def rows(scene: Scene) -> Rows:
    """Every row of every table, with its ids and instants blotted out, which must differ."""
    return rows_of(scene.database)


def rows_of(database: Database) -> Rows:
    """The same of a database without a scene."""
    found: dict[str, Counter[str]] = {}
    with closing(database.connect()) as connection:
        for table in METADATA.sorted_tables:
            columns = ", ".join(column.name for column in table.columns)
            read = connection.execute(f"SELECT {columns} FROM {table.name}").fetchall()
            found[table.name] = Counter(_blotted(row) for row in read)
    return found


def _blotted(row: Any) -> str:
    text = json.dumps([_plain(value) for value in row], sort_keys=True, default=str)
    return INSTANTS.sub("<instant>", IDS.sub(r"<\1>", text))


def _plain(value: Any) -> Any:
    """JSON as data, whichever way the driver hands it out."""
    return json.loads(value) if isinstance(value, str) and value[:1] in "{[" and value else value


def test_the_script_by_hand_writes_the_same_rows(new_scene: Callable[[], Scene]) -> None:
    """Table by table, but for ids and instants, on both databases: else the ratio would compare two things."""
    ours, theirs = new_scene(), new_scene()
    with by_library(ours) as library:
        for basket in ours.baskets(3):
            library.place(library.promise(basket))
    with by_hand(theirs) as script:
        for basket in theirs.baskets(3):
            script.place(script.promise(basket))

    expected, found = rows(ours), rows(theirs)
    assert {table: len(expected[table] - found[table]) for table in expected} == dict.fromkeys(expected, 0)
    assert found == expected
    assert expected["omniorder_order"].total() == 4  # three, and the model of all copies


@pytest.mark.parametrize("lacking", ["units", "places", "version"])
def test_the_script_by_hand_refuses_what_the_library_refuses(new_scene: Callable[[], Scene], lacking: str) -> None:
    """It must not be faster for want of a guard: what it can't promise it doesn't, and leaves nothing behind."""
    scene = new_scene()
    (basket,) = scene.baskets(1)
    with closing(scene.database.connect()) as connection:
        if lacking == "units":
            connection.execute(f"UPDATE omniorder_stock SET reserved = on_hand WHERE sku = '{basket.lines[1].sku}'")
        elif lacking == "places":
            connection.execute(f"UPDATE omniorder_slot SET booked = {CAPACITY} WHERE slot = '{basket.window.slot}'")
        else:
            connection.execute(f"UPDATE omniorder_cart SET version = version + 1 WHERE id = '{basket.cart}'")
    before = rows(scene)
    with by_hand(scene) as script, pytest.raises((DivisionByZero, Refused)):
        script.promise(basket)
    assert rows(scene) == before


@pytest.fixture
def reserving(postgres_database: Callable[[], str]) -> Callable[[], Database]:
    """A function that makes a database with a few levels, always the same."""

    def make() -> Database:
        database = Database("postgresql", postgres_database())
        fill(database, GOODS)
        return database

    return make


@contextmanager
def by(database: Database, way: Manner | None) -> Iterator[Reserves]:
    """The library (None) or the script, on this database."""
    with ExitStack() as stack:
        if way is None:
            yield Library(stack.enter_context(closing(connect(database.url))))
        else:
            yield stack.enter_context(closing(Reserving(database.dsn, way)))


GOODS = Goods(stores=2, skus=4, lines=3)
WAYS: tuple[Manner | None, ...] = (None, "pipelined", "statement by statement")


def stock_rows(database: Database) -> Rows:
    return {name: all_ for name, all_ in rows_of(database).items() if all_}


def test_a_reservation_by_hand_writes_the_same_rows(reserving: Callable[[], Database]) -> None:
    """Of one article and of three, in either manner."""
    found: list[Rows] = []
    for way in WAYS:
        database = reserving()
        with by(database, way) as side:
            side.reserve("S0001", ["GOODS-00002"])
            side.reserve("S0002", ["GOODS-00004", "GOODS-00001", "GOODS-00002"])
        found.append(stock_rows(database))
    assert found[0] == found[1] == found[2]
    assert {name: rows.total() for name, rows in found[0].items()} == {
        "omniorder_stock": 8,
        "omniorder_reservation": 2,
        "omniorder_reservation_line": 4,
    }


@pytest.mark.parametrize("skus", [["GOODS-00002"], ["GOODS-00001", "GOODS-00002"]])
@pytest.mark.parametrize("way", WAYS)
def test_a_reservation_by_hand_refuses_what_the_library_refuses(
    way: Manner | None, skus: list[str], reserving: Callable[[], Database]
) -> None:
    database = reserving()
    with closing(database.connect()) as connection:
        connection.execute("UPDATE omniorder_stock SET reserved = on_hand WHERE sku = 'GOODS-00002'")
    before = stock_rows(database)
    with by(database, way) as side, pytest.raises((DivisionByZero, OutOfStock)):
        side.reserve("S0001", skus)
    assert stock_rows(database) == before


@pytest.mark.parametrize("of", ["nobody", "us"])
def test_a_webhook_by_hand_writes_the_same_row(postgres_database: Callable[[], str], of: str) -> None:
    """But for its id, which is a digest on one side; and nothing else is left behind."""
    found: list[Rows] = []
    for side in ("omniorder", "by hand"):
        database = Database("postgresql", postgres_database())
        with opened(database) as scene, closing(Intake(database.dsn, scene.gateway)) as script:
            before = rows(scene)
            sent = webhooks.signed(scene, webhooks.STRANGE if of == "nobody" else webhooks.payment_of(scene), 3)
            for headers, body in sent:
                (webhooks.by_library(scene) if side == "omniorder" else script.take)(headers, body)
            found.append({name: all_ - before[name] for name, all_ in rows(scene).items() if all_ - before[name]})
    assert found[0] == found[1]
    assert {name: new.total() for name, new in found[0].items()} == {"omniorder_webhook": 3}


def test_a_webhook_by_hand_is_taken_once(postgres_database: Callable[[], str]) -> None:
    """As by the library, which answers again."""
    database = Database("postgresql", postgres_database())
    with opened(database) as scene, closing(Intake(database.dsn, scene.gateway)) as script:
        ((headers, body),) = webhooks.signed(scene, webhooks.STRANGE, 1)
        script.take(headers, body)
        with pytest.raises(UniqueViolation):
            script.take(headers, body)


def test_everything_runs_and_prints_the_documented_json(
    postgres_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every part, with tiny numbers; and tables can be made of what it prints."""
    assert main(["--quick", "--database", "postgresql", "--postgres", postgres_server]) == 0
    printed, shown = capsys.readouterr()
    found = json.loads(printed)

    assert set(found) == {"machine", *PARTS}
    assert found["machine"].keys() == {"computer", "postgresql"}
    orders = found["orders"]["postgresql"]
    assert set(orders) == {"orders", "block", "sides", "ratio", "ratios", "counts"}
    for told in orders["sides"].values():
        assert set(told) == {"orders_per_second", "ms_per_order", "ms_of_our_cpu", "promise_ms", "place_ms"}
        assert set(told["place_ms"]) == {"p50", "p99"}
    assert set(found["offers"]) == {"stores", "lines", "full", "with_transfer", "sides", "ratio"}
    assert set(found["offers"]["sides"]["omniorder"]) == {"ms", "cpu_ms"}
    assert set(found["growth"]["postgresql"]) == {"orders", "seconds_to_fill", "sizes"}
    assert set(found["growth"]["postgresql"]["sizes"]["10"]["omniorder"]) == {"ms_per_order", "ratio"}
    assert set(found["workers"]) == {"workers", "orders_per_second", "times_one_worker"}
    for ways in found["hot"]["disks"].values():
        assert len(ways) == 7
        assert set(ways["by hand, pipelined"]) == {"per_second", "times_by_hand", "quartiles"}
    assert set(found["wide"]) == {"stores", "skus", "lines", "sides"}
    assert set(found["wide"]["sides"]["omniorder"]) == {"ms", "ms_of_our_cpu", "ratio", "quartiles"}
    assert set(found["profile"]["postgresql"]["omniorder"]) == {"ms_per_order", "waiting_ms", "cpu_ms"}
    assert set(found["imports"]["import omniorder"]) == {"median_ms", "best_ms", "adds_ms", "ratio"}
    assert set(found["transitions"]) == {"advance_per_second", "look_up_per_second", "ratio"}
    assert set(found["memory"]) == {"orders", "bytes_per_order", "megabytes_per_10000_orders"}
    assert set(found["files"]) == {"sizes", "memory_ratio"}
    assert set(found["files"]["sizes"]["1000"]["COPY"]) == {"rows_per_second", "ratio", "peak_megabytes"}
    assert set(found["webhooks"]["kinds"]) == {"about nobody's payment", "about one of ours"}
    for kind in found["webhooks"]["kinds"].values():
        assert set(kind) == {"per_second", "ratio"}
        assert set(kind["per_second"]) == {"omniorder", "by hand"}
    assert "| PostgreSQL | omniorder |" in shown


def test_what_goes_over_the_line_is_counted(new_scene: Callable[[], Scene]) -> None:
    """The script makes three commits: on PostgreSQL with one synchronisation each, on SQLite statement by statement."""
    scene = new_scene()
    found = counted(scene)["by hand"]
    if scene.database.name == "postgresql":
        assert [found[command]["synchronisations"] for command in ("promise", "place")] == [1, 2]
        assert [found[command]["statements"] for command in ("promise", "place")] == [10, 23]
    else:
        assert [found[command]["statements"] for command in ("promise", "place")] == [14, 34]


def test_the_page_shows_what_was_measured() -> None:
    """The tables of docs/speed.md are those of docs/speed.json."""
    assert main(["table", "--check"]) == 0
