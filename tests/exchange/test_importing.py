"""Importing: what is taken, what a second run does, and that a crash in the middle changes nothing of it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import evolve

from omniorder import (
    Article,
    Channel,
    Level,
    Money,
    MovementKind,
    OrderHub,
    Point,
    Price,
    Store,
    System,
    Unit,
)
from omniorder.adapters.memory import MemoryStorage
from omniorder.errors import (
    DuplicateRow,
    ImportChanged,
    InvalidFile,
    InvalidInput,
    Misconfigured,
    StillRunning,
    StorageUnavailable,
)
from omniorder.exchange import Import, ImportReport, import_file, importing
from omniorder.exchange.lines import Lines
from omniorder.exchange.reports import FileReport
from omniorder.services.imports import Imports
from omniorder.services.stock import Stock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.exchange.conftest import WriteFile

HEAD = "store,sku,on_hand,safety\n"
SKUS = [f"SKU-{n:03}" for n in range(40)]


def stocked(shop: Shop) -> list[str]:
    """Forty articles more; the rows of a stock take of them in two stores, three of which can't be taken."""
    shop.office.articles.put(*(Article(sku, sku) for sku in SKUS))
    rows = [f"{store},{sku},{n + 3},{n % 3}" for store in ("SOF01", "VAR01") for n, sku in enumerate(SKUS)]
    rows[10] = "SOF01,SKU-010,many,0"
    rows[33] = rows[5]
    rows[70] = "XXX01,SKU-030,5,0"
    return rows


def csv_of(rows: Sequence[str]) -> str:
    return HEAD + "\n".join(rows) + "\n"


def counts_of(shop: Shop, desk: Stock) -> list[tuple[str, str, int, str, str]]:
    """All movements of these articles, by level: kind, quantity, reason, reference."""
    found: list[tuple[str, str, int, str, str]] = []
    for store in ("SOF01", "VAR01"):
        for sku in SKUS:
            moves = desk.movements(store, sku).items
            found += [(store, sku, move.quantity, move.reason, move.reference) for move in moves]
    return found


def on_hand(shop: Shop) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (level.store, level.sku): (level.on_hand, level.safety)
        for store in ("SOF01", "VAR01")
        for level in shop.office.stock.levels(store, SKUS)
    }


def told(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.code) for one in report.first]


REFUSED = [(12, "on_hand", "quantity.invalid"), (35, "", "row.duplicate"), (72, "store", "not_found")]


# --- what is taken ----------------------------------------------------------------------------------------


def test_levels_become_what_the_file_says_and_the_differences_are_movements(shop: Shop) -> None:
    file = io.BytesIO(b"store,sku,on_hand,safety\nSOF01,OAT-MILK-1L,33,2\nVAR01,RYE-BREAD,2,\nSOF02,RYE-BREAD,4,\n")
    report = import_file(shop.office, "levels", file, format="csv", id="monday")
    assert (report.id, report.taken, report.refused, report.finished) == ("monday", 3, 0, True)
    milk, bread, new = (
        shop.office.stock.level(*key) for key in (("SOF01", Shop.MILK), ("VAR01", Shop.BREAD), ("SOF02", Shop.BREAD))
    )
    assert (milk, bread, new) == (
        Level("SOF01", Shop.MILK, 33, 0, 2), Level("VAR01", Shop.BREAD, 2), Level("SOF02", Shop.BREAD, 4)
    )  # fmt: skip
    last = shop.office.stock.movements("SOF01", Shop.MILK).items[-1]
    assert (last.kind, last.quantity, last.reason, last.reference) == (MovementKind.COUNT, -7, "import", "monday")
    assert last.stamp.actor == "system:office"
    assert len(shop.office.stock.movements("VAR01", Shop.BREAD).items) == 1
    check_all(shop.hub)


def test_a_count_below_what_is_promised_is_a_shortage(shop: Shop) -> None:
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.MILK, 5)
    offer = next(one for one in shop.app.checkout.offers(cart.id) if one.store.id == Shop.SOFIA)
    shop.app.checkout.promise(cart.id, slot=offer.slots[0].id)
    import_file(shop.office, "levels", io.BytesIO(b"store,sku,on_hand\nSOF01,OAT-MILK-1L,2\n"), format="csv")
    level = shop.office.stock.level(Shop.SOFIA, Shop.MILK)
    assert (level.on_hand, level.reserved, level.shortage, level.available) == (2, 5, 3, 0)
    check_all(shop.hub)


def test_stores_articles_and_prices_are_taken_with_all_their_columns(shop: Shop) -> None:
    stores = """id,zone,hours,name,lat,lon,country,lead_minutes,slot_minutes,slot_capacity,pickup_days
PDV01,Europe/Sofia,Mo-Sa 08:00-20:00; PH off,"Kapana, Plovdiv",42.1493,-24.5,BG,90,30,3,5
PDV02,Europe/Sofia,24/7,,,,,,,,
"""
    articles = "sku,name,unit,meta.brand,meta.ean\nPLUMS,'=Plums',gram,,3800123456789\nTEA,Tea,,'-,'\n"
    prices = """sku,amount,currency,tax,per,store,channel,valid_from,valid_to
PLUMS,2.49,EUR,0.20,1000,PDV01,app,2026-11-22T08:00:00Z,2026-12-01T00:00:00+02:00
TEA,300,JPY,0,,,,,
"""
    for kind, content in (("stores", stores), ("articles", articles), ("prices", prices)):
        report = import_file(shop.office, kind, io.BytesIO(content.encode()), format="csv")
        assert (told(report), report.taken) == ([], 2)
    kapana = shop.office.stores.get("PDV01")
    assert (kapana.place, kapana.name, kapana.pickup_days) == (Point(42.1493, -24.5), "Kapana, Plovdiv", 5)
    assert shop.office.stores.get("PDV02") == Store("PDV02", zone="Europe/Sofia", hours="24/7")
    assert shop.office.articles.get("PLUMS") == Article("PLUMS", "=Plums'", Unit.GRAM, {"ean": "3800123456789"})
    assert shop.office.articles.get("TEA") == Article("TEA", "Tea", metadata={"brand": "-", "ean": ""})
    with shop.office.exports.reading() as view:
        found = {price.sku: price for price in view.prices()}
    assert found["TEA"] == Price("TEA", Money(300, "JPY"), tax="0")
    assert (found["PLUMS"].per, found["PLUMS"].channel, found["PLUMS"].store) == (1000, Channel.APP, "PDV01")
    assert found["PLUMS"].valid_to is not None
    assert found["PLUMS"].valid_to.isoformat() == "2026-11-30T22:00:00+00:00"


@pytest.mark.parametrize("batch", [1, 7, 80, 5_000])
def test_batches_of_any_size_take_the_same(batch: int, shop_in_memory: Shop, write_file: WriteFile) -> None:
    """A row that repeats another of an earlier batch is refused too."""
    rows = stocked(shop_in_memory)
    report = import_file(shop_in_memory.office, "levels", write_file(csv_of(rows)), batch=batch)
    assert (told(report), report.taken, report.refused) == (REFUSED, 77, 3)
    again = report.first[1].error
    assert isinstance(again, DuplicateRow)
    assert again.facts["first"] == 7


def test_the_retailers_own_inventory_is_not_counted(shop_in_memory: Shop) -> None:
    parts = shop_in_memory.hub._parts
    other = OrderHub(evolve(parts, inventory=cast("Any", object())))
    office = other.at(Channel.SYSTEM, System("import"))
    with pytest.raises(Misconfigured):
        import_file(office, "levels", io.BytesIO(HEAD.encode()), format="csv")


# --- again ------------------------------------------------------------------------------------------------


def test_the_same_file_again_writes_nothing_new(shop: Shop, write_file: WriteFile) -> None:
    path = write_file(csv_of(stocked(shop)))
    import_file(shop.office, "levels", path)
    before = on_hand(shop), counts_of(shop, shop.office.stock)
    report = import_file(shop.office, "levels", path)
    assert (report.taken, report.refused, report.already) == (77, 3, False)
    assert (on_hand(shop), counts_of(shop, shop.office.stock)) == before


def test_the_same_file_again_counts_what_was_sold_since(shop: Shop, write_file: WriteFile) -> None:
    path = write_file("store,sku,on_hand\nSOF01,OAT-MILK-1L,30\n")
    import_file(shop.office, "levels", path)
    shop.office.stock.adjust("SOF01", Shop.MILK, -4, reason="sold at the till")
    import_file(shop.office, "levels", path)
    assert shop.office.stock.level("SOF01", Shop.MILK).on_hand == 30
    moved = [move.quantity for move in shop.office.stock.movements("SOF01", Shop.MILK).items]
    assert sorted(moved) == [-10, -4, 4, 40]


def test_resuming_a_finished_import_does_nothing(shop: Shop, write_file: WriteFile) -> None:
    """Whatever was sold since stays sold."""
    path = write_file("store,sku,on_hand\nSOF01,OAT-MILK-1L,30\nSOF01,OAT-MILK-1L,31\n")
    import_file(shop.office, "levels", path, resume=True)
    shop.office.stock.adjust("SOF01", Shop.MILK, -4, reason="sold at the till")
    report = import_file(shop.office, "levels", path, resume=True)
    assert (report.taken, report.refused, report.finished, report.already) == (1, 1, True, True)
    assert shop.office.stock.level("SOF01", Shop.MILK).on_hand == 26


def test_a_changed_file_begins_anew_under_its_own_id(shop_in_memory: Shop, write_file: WriteFile) -> None:
    for count in (30, 31):
        path = write_file(f"store,sku,on_hand\nSOF01,OAT-MILK-1L,{count}\n")
        assert not import_file(shop_in_memory.office, "levels", path, resume=True).already
        assert shop_in_memory.office.stock.level("SOF01", Shop.MILK).on_hand == count


def test_a_changed_file_is_refused_under_the_id_of_another(shop_in_memory: Shop, write_file: WriteFile) -> None:
    office = shop_in_memory.office
    import_file(office, "levels", write_file("store,sku,on_hand\nSOF01,OAT-MILK-1L,30\n"), id="monday")
    with pytest.raises(ImportChanged):
        import_file(office, "levels", write_file("store,sku,on_hand\nSOF01,OAT-MILK-1L,31\n"), id="monday", resume=True)
    with pytest.raises(ImportChanged, match="levels"):
        import_file(office, "stores", write_file("id,zone,hours\n"), id="monday")
    assert office.stock.level("SOF01", Shop.MILK).on_hand == 30


def test_how_far_an_import_has_come_can_be_asked(shop: Shop, write_file: WriteFile) -> None:
    path = write_file(csv_of(stocked(shop)))
    assert shop.office.imports.get("monday") is None
    import_file(shop.office, "levels", path, id="monday")
    found = shop.office.imports.get("monday")
    assert found is not None
    assert (found.taken, found.refused, found.finished, found.line) == (77, 3, True, 81)
    assert found.offset == path.stat().st_size


# --- looking first ----------------------------------------------------------------------------------------


def test_a_dry_run_refuses_the_same_rows_and_writes_nothing(shop: Shop, write_file: WriteFile) -> None:
    path = write_file(csv_of(stocked(shop)))
    report = import_file(shop.office, "levels", path, dry_run=True, id="monday")
    assert (told(report), report.taken, report.dry) == (REFUSED, 77, True)
    assert set(on_hand(shop).values()) == {(0, 0)}
    assert shop.office.imports.get("monday") is None


def test_a_strict_import_takes_all_or_nothing(shop: Shop, write_file: WriteFile) -> None:
    rows = stocked(shop)
    report = import_file(shop.office, "levels", write_file(csv_of(rows)), strict=True)
    assert (told(report), report.dry) == (REFUSED, True)
    assert set(on_hand(shop).values()) == {(0, 0)}
    good = [row for n, row in enumerate(rows) if n not in (10, 33, 70)]
    report = import_file(shop.office, "levels", write_file(csv_of(good)), strict=True)
    assert (report.taken, report.refused, report.dry) == (77, 0, False)


# --- the report -------------------------------------------------------------------------------------------

REPORT = """line,column,code,message,value
12,on_hand,quantity.invalid,must be a whole number in digits 0-9,'many'
35,,row.duplicate,"must come once in a file, and is on line 7",'SOF01 SKU-005'
72,store,not_found,no store XXX01,XXX01
"""


def test_refused_rows_are_reported_line_by_line(shop_in_memory: Shop, write_file: WriteFile, tmp_path: Path) -> None:
    path, errors = write_file(csv_of(stocked(shop_in_memory))), tmp_path / "errors.csv"
    for _ in range(2):  # a run from the first row replaces the report of the run before
        import_file(shop_in_memory.office, "levels", path, errors=errors)
        assert errors.read_text() == REPORT


def test_without_refusals_there_is_no_report(shop_in_memory: Shop, write_file: WriteFile, tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    import_file(shop_in_memory.office, "levels", write_file(HEAD + "SOF01,RYE-BREAD,x,\n"), errors=errors)
    assert errors.exists()
    import_file(shop_in_memory.office, "levels", write_file(HEAD + "SOF01,RYE-BREAD,1,\n"), errors=errors)
    assert not errors.exists()


def test_a_report_replaces_nothing_but_a_report(shop_in_memory: Shop, write_file: WriteFile) -> None:
    path = write_file(HEAD + "SOF01,RYE-BREAD,x,\n")
    with pytest.raises(InvalidFile, match="new file"):
        import_file(shop_in_memory.office, "levels", path, errors=path)
    assert path.read_text() == HEAD + "SOF01,RYE-BREAD,x,\n"


def test_a_report_holds_no_formulas(shop_in_memory: Shop, write_file: WriteFile, tmp_path: Path) -> None:
    path = write_file("sku,name,unit\nTEA,Tea,=HYPERLINK\n", "articles.csv")
    import_file(shop_in_memory.office, "articles", path, errors=tmp_path / "errors.csv")
    cells = (tmp_path / "errors.csv").read_text().splitlines()[1].split(",")
    assert all(cell[:1] not in "=+-@" for cell in cells if cell)


# --- a crash in the middle --------------------------------------------------------------------------------


class Crash(Exception):
    """The process ends here."""


@contextmanager
def crashing(batch: int, *, committed: bool) -> Generator[None]:
    """Let the n-th batch be the last: before it is written, or right after its commit."""
    with pytest.MonkeyPatch.context() as patch:
        _crash_at(patch, batch, committed)
        with pytest.raises(Crash):
            yield


def _crash_at(patch: pytest.MonkeyPatch, batch: int, committed: bool) -> None:
    original, count = Imports.take, [0]

    def take(desk: Imports, before: Import | None, after: Import, rows: Any) -> None:
        count[0] += 1
        if count[0] == batch and not committed:
            raise Crash
        original(desk, before, after, rows)
        if count[0] == batch:
            raise Crash

    patch.setattr(Imports, "take", take)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("batch", [1, 4, 12])
def test_an_import_goes_on_after_a_crash_as_if_there_had_been_none(
    batch: int, committed: bool, shop_in_memory: Shop, write_file: WriteFile, tmp_path: Path
) -> None:
    """Levels, movements and the report are those of a run without a crash, each exactly once."""
    path, errors = write_file(csv_of(stocked(shop_in_memory))), tmp_path / "errors.csv"
    with crashing(batch, committed=committed):
        import_file(shop_in_memory.office, "levels", path, batch=7, errors=errors, id="monday")
    so_far = len(counts_of(shop_in_memory, shop_in_memory.office.stock))
    report = import_file(shop_in_memory.office, "levels", path, batch=9, errors=errors, id="monday", resume=True)
    assert (report.taken, report.refused, report.finished, report.already) == (77, 3, True, batch == 12 and committed)
    assert errors.read_text() == REPORT
    with Shop.example() as whole:
        import_file(whole.office, "levels", write_file(csv_of(stocked(whole))), id="monday")
        assert on_hand(shop_in_memory) == on_hand(whole)
        moved = counts_of(shop_in_memory, shop_in_memory.office.stock)
        assert moved == counts_of(whole, whole.office.stock)
    assert so_far == min(77, _taken_in(batch if committed else batch - 1))
    check_all(shop_in_memory.hub)


def _taken_in(batches: int) -> int:
    """Rows that so many batches of seven take: without rows 10, 33 and 70."""
    return sum(n not in (10, 33, 70) for n in range(min(80, batches * 7)))


def test_whoever_goes_on_without_reading_the_rows_before_takes_one_twice(
    shop_in_memory: Shop, write_file: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row that repeats one from before the crash: so the test above would notice."""

    def skip(judge: object, rows: Iterator[object], lines: Lines, state: Import) -> None:
        while lines.offset < state.offset:
            next(rows)

    path = write_file(csv_of(stocked(shop_in_memory)))
    with crashing(4, committed=True):
        import_file(shop_in_memory.office, "levels", path, batch=7)
    monkeypatch.setattr(importing._Judge, "catch_up", skip)
    assert import_file(shop_in_memory.office, "levels", path, resume=True).refused == 2


def test_whoever_goes_on_with_the_whole_report_tells_a_refusal_twice(
    shop_in_memory: Shop, write_file: WriteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one of the batch that was reported and not committed: so the test above would notice."""
    path, errors = write_file(csv_of(stocked(shop_in_memory))), tmp_path / "errors.csv"
    with crashing(2, committed=False):
        import_file(shop_in_memory.office, "levels", path, batch=7, errors=errors)
    begin = FileReport._begin
    monkeypatch.setattr(FileReport, "_begin", lambda report, after: begin(report, 10**9))
    import_file(shop_in_memory.office, "levels", path, errors=errors, resume=True)
    assert errors.read_text().count("12,on_hand") == 2


def test_going_on_on_each_storage_takes_each_row_once(shop: Shop, write_file: WriteFile) -> None:
    path = write_file(csv_of(stocked(shop)))
    with crashing(4, committed=True):
        import_file(shop.office, "levels", path, batch=7)
    report = import_file(shop.office, "levels", path, batch=7, resume=True)
    assert (report.taken, report.refused, report.finished) == (77, 3, True)
    assert len(counts_of(shop, shop.office.stock)) == 77
    check_all(shop.hub)


def test_a_file_that_changed_before_the_crash_does_not_go_on(shop_in_memory: Shop, write_file: WriteFile) -> None:
    rows = stocked(shop_in_memory)
    with crashing(4, committed=True):
        import_file(shop_in_memory.office, "levels", write_file(csv_of(rows)), batch=7, id="monday")
    before = on_hand(shop_in_memory)
    for changed in (["SOF01,SKU-000,9,0", *rows[1:]], [*rows[:2], *rows[3:]], rows[:20], [*rows[:3], "x" * 30]):
        with pytest.raises(ImportChanged):
            import_file(shop_in_memory.office, "levels", write_file(csv_of(changed)), id="monday", resume=True)
    assert on_hand(shop_in_memory) == before
    longer = [*rows, "SOF01,RYE-BREAD,1,0"]
    report = import_file(shop_in_memory.office, "levels", write_file(csv_of(longer)), id="monday", resume=True)
    assert (report.taken, report.finished) == (78, True)


def test_a_stream_goes_on_by_its_id(shop_in_memory: Shop) -> None:
    content = csv_of(stocked(shop_in_memory)).encode()
    with crashing(4, committed=True):
        import_file(shop_in_memory.office, "levels", io.BytesIO(content), format="csv", batch=7, id="pipe")
    report = import_file(shop_in_memory.office, "levels", io.BytesIO(content), format="csv", id="pipe", resume=True)
    assert (report.taken, report.refused, report.finished) == (77, 3, True)


def test_a_pipe_by_its_name_is_a_stream(shop_in_memory: Shop, tmp_path: Path) -> None:
    """As in `import levels <(zcat stock.csv.gz)`: what was read to know the file would be gone."""
    pipe = tmp_path / "levels.csv"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pipe.write_text, "store,sku,on_hand\nSOF01,OAT-MILK-1L,31\n")
        report = import_file(shop_in_memory.office, "levels", pipe)
    assert (report.taken, report.finished) == (1, True)
    with pytest.raises(InvalidInput, match="strict"):
        import_file(shop_in_memory.office, "levels", pipe, strict=True)


def test_being_asked_to_stop_ends_between_two_batches(shop_in_memory: Shop, write_file: WriteFile) -> None:
    path = write_file(csv_of(stocked(shop_in_memory)))
    seen: list[int] = []
    report = import_file(
        shop_in_memory.office, "levels", path, batch=7, stop=lambda: len(seen) == 3,
        on_progress=lambda state: seen.append(state.line),
    )  # fmt: skip
    assert (report.taken, report.finished, seen) == (20, False, [8, 15, 22])
    report = import_file(shop_in_memory.office, "levels", path, resume=True)
    assert (report.taken, report.finished) == (77, True)


def test_news_of_a_commit_that_was_lost_takes_nothing_twice(shop_in_memory: Shop, write_file: WriteFile) -> None:
    storage = shop_in_memory.hub._parts.storage
    assert isinstance(storage, MemoryStorage)
    path = write_file(csv_of(stocked(shop_in_memory)))
    storage.fail_next_commit(StorageUnavailable(reason="the cable was pulled"), written=True)
    storage.fail_next_commit(StorageUnavailable(reason="the cable was pulled"))
    report = import_file(shop_in_memory.office, "levels", path, batch=7)
    assert (report.taken, report.finished) == (77, True)
    assert len(counts_of(shop_in_memory, shop_in_memory.office.stock)) == 77


def test_two_runs_of_one_import_do_not_take_turns(shop: Shop, write_file: WriteFile) -> None:
    """The second has begun anew while the first was between two batches, which ends the first."""
    path = write_file(csv_of(stocked(shop)))
    begun: list[int] = []

    def interrupt(state: Import) -> None:
        begun.append(state.line)
        if len(begun) == 2:
            import_file(shop.office, "levels", path)

    with pytest.raises(StillRunning):
        import_file(shop.office, "levels", path, batch=7, on_progress=interrupt)
    assert len(begun) == 2
    assert len(counts_of(shop, shop.office.stock)) == 77


SLOW = """
import sys, time
from omniorder.cli import importing, main

def slow(kind, path):
    from contextlib import nullcontext
    def told(state):
        print(state.line, flush=True)
        time.sleep(0.02)
    return nullcontext(told)

importing._progress = slow
sys.exit(main(["import", "levels", sys.argv[1], "--database", sys.argv[2], "--batch", "5", "--resume"]))
"""


def killed(path: Path, url: str, with_signal: int, at_line: int) -> tuple[int, str]:
    """Run the command until it has come to this line, and send it a signal; its exit code and what it said."""
    command = [sys.executable, "-c", SLOW, str(path), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if line.strip().isdigit() and int(line) >= at_line:
                os.kill(process.pid, with_signal)
                break
        rest, _ = process.communicate(timeout=60)
        return process.returncode, "".join(said) + rest


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_a_process_that_is_killed_leaves_an_import_that_goes_on(
    database: str, request: pytest.FixtureRequest, write_file: WriteFile
) -> None:
    url: str = request.getfixturevalue(database)
    with Shop.example(url) as shop:
        path = write_file(csv_of(stocked(shop)))
        code, _ = killed(path, url, signal.SIGKILL, 30)
        assert code == -signal.SIGKILL
        so_far = len(counts_of(shop, shop.office.stock))
        assert 20 <= so_far < 77
        report = import_file(shop.office, "levels", path, errors=f"{path}.errors.csv", resume=True)
        assert (report.taken, report.refused, report.finished) == (77, 3, True)
        assert len(counts_of(shop, shop.office.stock)) == 77
        assert Path(f"{path}.errors.csv").read_text() == REPORT
        check_all(shop.hub)


def test_a_process_that_is_asked_to_stop_finishes_its_batch(sqlite_url: str, write_file: WriteFile) -> None:
    with Shop.example(sqlite_url) as shop:
        path = write_file(csv_of(stocked(shop)))
        code, said = killed(path, sqlite_url, signal.SIGINT, 30)
        assert code == 2
        assert "--resume goes on from there" in said
        assert import_file(shop.office, "levels", path, resume=True).taken == 77


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("errors", "source") for value in (5, object(), b"x.csv", "\0", Path("\0.csv"))),
        *((name, value) for name in ("errors", "source") for value in ("\ud800.csv", "x" * 5000 + ".csv")),
        *((name, value) for name in ("resume", "dry_run", "strict") for value in ("x", 1, None)),
        ("source", None),
        ("office", 5),
        ("stop", True),
        ("on_progress", None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_argument_that_can_not_be_is_refused_by_its_name(
    shop_in_memory: Shop, write_file: WriteFile, name: str, value: object
) -> None:
    wrong: dict[str, Any] = {"office": shop_in_memory.office, "source": write_file(HEAD), "format": "csv", name: value}
    with pytest.raises(InvalidInput) as refused:
        import_file(wrong.pop("office"), "levels", wrong.pop("source"), **wrong)
    assert type(refused.value) is InvalidInput
    assert refused.value.facts["field"] == name


def test_a_report_of_ones_own_needs_to_tell_and_no_base_class(shop_in_memory: Shop, write_file: WriteFile) -> None:
    told: list[object] = []

    class Desk:
        def tell(self, refusals: object) -> None:
            told.append(refusals)

    path = write_file(HEAD + "SOF01,OAT-MILK-1L,many,0\n")
    assert import_file(shop_in_memory.office, "levels", path, errors=Desk()).refused == 1
    assert told
