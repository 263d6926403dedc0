"""`import` and `export` on the command line: what they print, where, and with which code they exit."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from omniorder.cli import importing, main
from omniorder.testing.shop import Shop

HEAD = "store,sku,on_hand\n"
GOOD = "SOF01,OAT-MILK-1L,31\n"
BAD = "SOF01,RYE-BREAD,many\n"

Told = Callable[[], tuple[str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return read


@pytest.fixture
def shop(sqlite_url: str) -> Iterator[Shop]:
    with Shop.example(sqlite_url) as example:
        yield example


@pytest.fixture
def levels(tmp_path: Path) -> Path:
    path = tmp_path / "levels.csv"
    path.write_text(HEAD + GOOD)
    return path


def milk(shop: Shop) -> int:
    return shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand


def test_when_every_row_is_taken_it_says_how_many(shop: Shop, sqlite_url: str, levels: Path, told: Told) -> None:
    assert main(["import", "levels", str(levels), "--database", sqlite_url]) == 0
    out, err = told()
    assert out.endswith(": 1 rows taken, 0 refused\n")
    assert out.startswith("levels-")
    assert (err, milk(shop)) == ("", 31)
    assert not Path(f"{levels}.errors.csv").exists()


def test_refused_rows_are_told_and_reported_beside_the_file(
    shop: Shop, sqlite_url: str, levels: Path, told: Told
) -> None:
    levels.write_text(HEAD + BAD * 25 + GOOD)
    assert main(["import", "levels", str(levels), "--database", sqlite_url]) == 1
    out, err = told()
    assert out.endswith(f": 1 rows taken, 25 refused (see {levels}.errors.csv)\n")
    lines = err.splitlines()
    assert lines[0] == "line 2, on_hand: quantity.invalid: must be a whole number in digits 0-9 (got 'many')"
    assert (len(lines), lines[-1]) == (21, "... and 5 more")
    assert len(Path(f"{levels}.errors.csv").read_text().splitlines()) == 26
    assert milk(shop) == 31


def test_the_report_can_be_elsewhere_and_the_summary_json(
    shop: Shop, sqlite_url: str, levels: Path, told: Told
) -> None:
    levels.write_text(HEAD + BAD + GOOD)
    errors = levels.with_name("refused.csv")
    asked = ["import", "levels", str(levels), "--database", sqlite_url, "--errors", str(errors), "--json", "--id", "x"]
    assert main(asked) == 1
    assert errors.read_text().splitlines()[1].startswith("2,on_hand,quantity.invalid,")
    assert json.loads(told()[0]) == {
        "kind": "levels", "id": "x", "taken": 1, "refused": 1, "finished": True, "already": False, "dry": False
    }  # fmt: skip


@pytest.mark.parametrize("option", ["--dry-run", "--strict"])
def test_looking_first_writes_nothing(option: str, shop: Shop, sqlite_url: str, levels: Path, told: Told) -> None:
    levels.write_text(HEAD + BAD + GOOD)
    assert main(["import", "levels", str(levels), "--database", sqlite_url, option]) == 1
    assert "1 rows would be taken, 1 refused" in told()[0]
    assert milk(shop) == 40


def test_resuming_what_has_finished_says_so(shop: Shop, sqlite_url: str, levels: Path, told: Told) -> None:
    asked = ["import", "levels", str(levels), "--database", sqlite_url, "--resume"]
    assert (main(asked), main(asked)) == (0, 0)
    assert told()[0].endswith("; it had finished before, and nothing was done\n")


def test_it_reads_standard_input_and_reports_on_standard_error(
    shop: Shop, sqlite_url: str, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((HEAD + BAD + GOOD).encode())))
    assert main(["import", "levels", "-", "--format", "csv", "--database", sqlite_url]) == 1
    out, err = told()
    assert ": 1 rows taken, 1 refused\n" in out
    assert err == "2,on_hand,quantity.invalid,must be a whole number in digits 0-9,'many'\n"
    assert milk(shop) == 31


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        ("store,sku\n", [], "file.invalid: columns: must have on_hand"),
        (HEAD, ["--delimiter", "::"], "input.invalid: delimiter: "),
        (HEAD, ["--id", "a b"], "id.invalid: id: "),
        (HEAD, ["--schema", "other"], "misconfigured: "),
    ],
)
def test_what_cannot_run_is_told_in_a_line(
    content: str, more: list[str], said: str, shop: Shop, sqlite_url: str, levels: Path, told: Told
) -> None:
    levels.write_text(content)
    assert main(["import", "levels", str(levels), "--database", sqlite_url, *more]) == 2
    out, err = told()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(said)
    assert milk(shop) == 40


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path, levels: Path, told: Told) -> None:
    missing = tmp_path / "missing.db"
    assert main(["import", "levels", str(levels), "--database", f"sqlite:///{missing}"]) == 2
    assert told()[1].startswith("storage.unavailable: ")
    assert main(["import", "levels", str(levels), "--database", "memory://"]) == 2
    assert told()[1].startswith("misconfigured: ")
    assert not missing.exists()


@pytest.mark.parametrize("batch", ["0", "x", "50001", "9" * 5000])
def test_a_batch_that_makes_no_sense_is_refused(batch: str, levels: Path, sqlite_url: str, told: Told) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import", "levels", str(levels), "--database", sqlite_url, "--batch", batch])
    assert ended.value.code == 2
    assert "must be from 1 to 50000" in told()[1]


def test_a_postgres_schema_may_be_named(postgres_url: str, levels: Path, told: Told) -> None:
    with Shop.example(postgres_url, schema="shop") as shop:
        assert main(["import", "levels", str(levels), "--database", postgres_url, "--schema", "shop"]) == 0
        assert milk(shop) == 31


# --- progress ---------------------------------------------------------------------------------------------


def test_on_a_terminal_a_bar_moves_on_standard_error(
    shop: Shop, sqlite_url: str, levels: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["import", "levels", str(levels), "--database", sqlite_url]) == 0
    out, err = told()
    assert "\x1b[" in err
    assert "1 taken, 0 refused" in err
    assert "\x1b[" not in out


def test_elsewhere_a_line_says_how_far_it_has_come(
    shop: Shop, sqlite_url: str, levels: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "EVERY", 0.0)
    levels.write_text(HEAD + GOOD + "VAR01,OAT-MILK-1L,3\n")
    assert main(["import", "levels", str(levels), "--database", sqlite_url, "--batch", "1"]) == 0
    assert told()[1].splitlines()[:2] == ["levels: line 2, 1 taken, 0 refused", "levels: line 3, 2 taken, 0 refused"]


def test_importing_needs_neither_pytest_nor_hypothesis_nor_rich(shop: Shop, sqlite_url: str, levels: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['pytest', 'hypothesis', 'rich']))\n"
        "from omniorder.cli import main\n"
        f"sys.exit(main(['import', 'levels', {str(levels)!r}, '--database', {sqlite_url!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


# --- export -----------------------------------------------------------------------------------------------


def test_what_was_exported_can_be_imported(shop: Shop, sqlite_url: str, tmp_path: Path, told: Told) -> None:
    for kind in ("stores", "articles", "prices", "levels"):
        path = tmp_path / f"{kind}.jsonl.gz"
        assert main(["export", kind, str(path), "--database", sqlite_url]) == 0
        assert told()[0].endswith(" rows\n")
        assert main(["import", kind, str(path), "--database", sqlite_url]) == 0
        assert ", 0 refused" in told()[0]


def test_standard_output_gets_the_rows_and_nothing_else(
    shop: Shop, sqlite_url: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["export", "levels", "-", "--format", "csv", "--database", sqlite_url]) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"store,sku,on_hand,safety\nSOF01,APPLES,20000,0\n")
    assert err == b""


@pytest.mark.parametrize("file", ["-", "levels.xml", "/nowhere/levels.csv"])
def test_what_cannot_be_exported_is_told_in_a_line(file: str, shop: Shop, sqlite_url: str, told: Told) -> None:
    assert main(["export", "levels", file, "--database", sqlite_url]) == 2
    out, err = told()
    assert (out, err.count("\n")) == ("", 1)


def test_whoever_reads_an_export_may_stop_reading(shop: Shop, sqlite_url: str) -> None:
    """As `head` does: no traceback."""
    asked = [sys.executable, "-m", "omniorder", "export", "levels", "-", "--format", "csv", "--database", sqlite_url]
    many: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": os.environ | {"PYTHONUNBUFFERED": "1"}}
    with subprocess.Popen(asked, **many) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == 2
