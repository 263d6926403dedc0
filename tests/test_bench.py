"""The benchmarks run, print what docs/speed.md says, and compare what can be compared."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import PARTS, main
from bench.databases import Database, Name
from bench.orders import by_hand, by_library, counted
from bench.scene import Scene, opened
from omniorder.adapters.sql.schema import METADATA

Rows = Mapping[str, Counter[str]]

IDS = re.compile(r"\b(crt|ln|prm|rsv|pay|att|pup)_\w+|\bSOF01-[0-9A-Z]{6}\b|pi_fake_\d+")
INSTANTS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.0-9]*(Z|\+00:00)")


@pytest.fixture(params=["postgresql", "sqlite"])
def scenes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Scene]]:
    """Two shops alike on one kind of database: one for each side."""
    name: Name = request.param
    if name == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("postgres_database")
        urls = [create(), create()]
    else:
        urls = [f"sqlite:///{tmp_path / side}.db" for side in ("ours", "theirs")]
    with opened(Database(name, urls[0])) as ours, opened(Database(name, urls[1])) as theirs:
        yield [ours, theirs]


def rows(scene: Scene) -> Rows:
    """Every row of every table, with its ids and instants blotted out, which must differ."""
    found: dict[str, Counter[str]] = {}
    with closing(scene.database.connect()) as connection:
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


def test_the_script_by_hand_writes_the_same_rows(scenes: list[Scene]) -> None:
    """Table by table, but for ids and instants, on both databases: else the ratio would compare two things."""
    ours, theirs = scenes
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
    assert set(found["growth"]["postgresql"]) == {"orders", "seconds_to_fill", "sizes"}
    assert set(found["growth"]["postgresql"]["sizes"]["10"]["omniorder"]) == {"ms_per_order", "ratio"}
    assert set(found["workers"]) == {"workers", "orders_per_second", "times_one_worker"}
    assert set(found["profile"]["postgresql"]["omniorder"]) == {"ms_per_order", "waiting_ms", "cpu_ms"}
    assert set(found["imports"]["import omniorder"]) == {"median_ms", "best_ms", "adds_ms", "ratio"}
    assert set(found["transitions"]) == {"advance_per_second", "look_up_per_second", "ratio"}
    assert set(found["memory"]) == {"orders", "bytes_per_order", "megabytes_per_10000_orders"}
    assert "| PostgreSQL | omniorder |" in shown


def test_what_goes_over_the_line_is_counted(scenes: list[Scene]) -> None:
    """The script makes three commits: on PostgreSQL with one synchronisation each, on SQLite statement by statement."""
    found = counted(scenes[0])["by hand"]
    if scenes[0].database.name == "postgresql":
        assert [found[command]["synchronisations"] for command in ("promise", "place")] == [1, 2]
        assert [found[command]["statements"] for command in ("promise", "place")] == [10, 23]
    else:
        assert [found[command]["statements"] for command in ("promise", "place")] == [14, 34]


def test_the_page_shows_what_was_measured() -> None:
    """The tables of docs/speed.md are those of docs/speed.json."""
    assert main(["table", "--check"]) == 0
