"""The worker: it does what is due, survives the database's absence, and stops cleanly in the middle of a batch.

Real signals go to a real process, whose hub waits in the middle of its first timer until it is told to go on.
"""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from omniorder import OrderHub, SweepReport
from omniorder.cli import main
from omniorder.cli.stopping import Stop, stopped_by_signals
from omniorder.cli.sweep import LONGEST_PAUSE, until_stopped
from omniorder.errors import SchemaOutdated, StorageUnavailable
from omniorder.testing.clock import FakeClock
from omniorder.testing.shop import Shop

PROMISES = 3
LATER = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
PATIENCE = 120.0  # seconds until a process that does not answer is given up

APPLICATION = """
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from omniorder import OrderHub, events
from omniorder.testing import FakeClock

HERE = Path(__file__).parent


def later():
    url = f"sqlite:///{(HERE / 'shop.db').as_posix()}"
    return OrderHub.open(url, clock=FakeClock(datetime(2026, 11, 23, 8, 20, tzinfo=UTC)))


def wait(recorded, tx):
    (HERE / "began").touch()
    ends = time.monotonic() + 60
    while not (HERE / "go").exists() and time.monotonic() < ends:
        time.sleep(0.01)


def slow():
    made = later()
    made.on(events.PromiseLapsed, wait)
    return made


def unlucky():
    made = later()
    made.on(events.PromiseLapsed, fail)
    return made


def fail(recorded, tx):
    raise ValueError("this one is not to lapse")


def needy(secret):
    return later()


def secretive():
    raise KeyError("SHOP_SECRET")


def leaving():
    sys.exit("no configuration")


hub = later()
number = 5
"""


@pytest.fixture(scope="module")
def lapsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with three promises that lapsed before the application's clock."""
    path = tmp_path_factory.mktemp("lapsed") / "shop.db"
    with Shop.example(f"sqlite:///{path.as_posix()}") as shop:
        for _ in range(PROMISES):
            shop.promise(1)
    return path


@pytest.fixture
def here(lapsed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an application in it and its database."""
    shutil.copy(lapsed, tmp_path / "shop.db")
    (tmp_path / "application.py").write_text(APPLICATION)
    (tmp_path / "leaning.py").write_text("import no_such_package\n")
    (tmp_path / "unspelt.py").write_text("hub = (\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("application", "leaning", "unspelt"):
        sys.modules.pop(name, None)


@pytest.fixture
def quiet() -> Iterator[None]:
    """What the worker sets up for its logs goes again."""
    root, own = logging.getLogger(), logging.getLogger("omniorder.worker")
    before = (root.handlers[:], root.level, own.level)
    yield
    root.handlers[:], level, own_level = before
    root.setLevel(level)
    own.setLevel(own_level)


def swept_now(here: Path) -> SweepReport:
    """What another worker finds to do, at the very instant of the first one."""
    with OrderHub.open(f"sqlite:///{(here / 'shop.db').as_posix()}", clock=FakeClock(LATER)) as hub:
        return hub.sweep()


# --- signals ----------------------------------------------------------------------------------------------


@contextmanager
def worker(here: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own, which ends with the block."""
    command = [sys.executable, "-m", "omniorder", "sweep", *arguments]
    with subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.01)


def asked_again(process: subprocess.Popen[str]) -> bool:
    """Signals that wait to be seen are one: so it is sent as often as it takes."""
    process.send_signal(signal.SIGTERM)
    return process.poll() is not None


def test_a_signal_in_the_middle_of_a_batch_lets_the_timer_in_hand_be_finished_and_no_other(here: Path) -> None:
    with worker(here, "--hub", "application:slow") as process:
        until((here / "began").exists)
        process.send_signal(signal.SIGTERM)
        (here / "go").touch()
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "swept 1: PromiseLapsed 1" in told
    assert swept_now(here).happened == {"PromiseLapsed": PROMISES - 1}, "the rest is not given back"


def test_a_second_signal_ends_the_process_at_once_and_leaves_its_timers_to_their_lease(here: Path) -> None:
    """Also the control of the test above: what nobody gives back isn't there for others yet."""
    with worker(here, "--hub", "application:slow") as process:
        until((here / "began").exists)
        until(lambda: asked_again(process))
    assert process.returncode == -signal.SIGTERM
    assert swept_now(here).looked == 0


def test_a_worker_that_rests_wakes_up_to_stop(here: Path) -> None:
    with worker(here, "--hub", "application:hub", "--every", "3600") as process:
        assert process.stderr is not None
        assert "PromiseLapsed 3" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (0, "")


def test_the_signals_are_given_back(here: Path, quiet: None) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    with stopped_by_signals(Stop()):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before


def test_outside_of_the_main_thread_it_runs_without_signals(here: Path, quiet: None) -> None:
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(main(["sweep", "--once", "--hub", "application:hub"])))
    thread.start()
    thread.join(PATIENCE)
    assert ended == [0]
    assert swept_now(here).looked == 0


# --- once -------------------------------------------------------------------------------------------------


def test_once_does_all_that_is_due_however_small_the_batches(
    here: Path, quiet: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert main(["sweep", "--once", "--limit", "1", "--hub", "application:hub"]) == 0
    assert caplog.messages == ["swept 1: PromiseLapsed 1"] * PROMISES


def test_once_with_nothing_to_do_says_nothing(here: Path, quiet: None, capsys: pytest.CaptureFixture[str]) -> None:
    swept_now(here)
    assert main(["sweep", "--once", "--hub", "application:later"]) == 0
    assert capsys.readouterr() == ("", "")


def test_once_tells_by_its_exit_code_that_something_failed_and_in_the_log_what(here: Path) -> None:
    with worker(here, "--once", "--hub", "application:unlucky") as process:
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "swept 3: failed: unexpected 3\n" in told
    assert told.count("sweep failed subject=prm_SOF01_") == PROMISES


# --- when the database is away ----------------------------------------------------------------------------


class Away:
    """A hub whose database does not answer so many times, and a worker's rests meanwhile."""

    def __init__(self, misses: int, stop: Stop) -> None:
        self.misses = misses
        self.stop = stop

    def sweep(self, limit: int, *, stop: Stop) -> SweepReport:
        if self.misses == 0:
            self.stop.ask()
            return SweepReport(0, {}, {}, 0, more=True)
        self.misses -= 1
        raise StorageUnavailable(reason="connection refused")


def test_a_database_that_is_away_is_asked_again_after_longer_and_longer_rests(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop = Stop()
    rests: list[float] = []
    monkeypatch.setattr(Stop, "rest", lambda _, seconds: rests.append(seconds))
    until_stopped(cast("OrderHub", Away(8, stop)), 100, 2, stop)
    assert len(rests) == 8
    assert all(least <= rest <= 2 * least for rest, least in zip(rests[:4], [2, 4, 8, 16], strict=True))
    assert max(rests) <= LONGEST_PAUSE
    assert caplog.text.count("storage.unavailable: storage: connection refused; next try in") == 8


def test_once_does_not_wait_for_the_database(
    here: Path, quiet: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> SweepReport:
        raise StorageUnavailable(reason="connection refused")

    monkeypatch.setattr(OrderHub, "sweep", away)
    assert main(["sweep", "--once", "--hub", "application:hub"]) == 1
    assert capsys.readouterr().err == "storage.unavailable: storage: connection refused\n"


def test_tables_that_do_not_fit_end_the_worker(
    here: Path, quiet: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def outdated(*_: object, **__: object) -> SweepReport:
        raise SchemaOutdated(found="0001", needed="0008")

    monkeypatch.setattr(OrderHub, "sweep", outdated)
    assert main(["sweep", "--hub", "application:hub"]) == 1
    assert "the schema is at 0001" in capsys.readouterr().err


# --- a wrong hub ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("", "must look like shop.orders:hub"),
        ("application", "must look like shop.orders:hub"),
        ("application:", "must look like shop.orders:hub"),
        ("application.py:hub; rm -rf", "must look like shop.orders:hub"),
        ("no_such_module:hub", "there is no module no_such_module "),
        ("application.nested:hub", "there is no module application.nested "),
        (
            "leaning:hub",
            "importing leaning failed: ModuleNotFoundError: No module named 'no_such_package' (leaning.py,",
        ),
        ("unspelt:hub", "importing unspelt failed: SyntaxError: '(' was never closed (unspelt.py, line 1)"),
        ("application:hubb", "application has no hubb"),
        ("application:hub.nothing", "application has no hub.nothing"),
        ("application:number", "is a int, not an OrderHub"),
        ("application:FakeClock", "is a FakeClock, not an OrderHub"),
        ("application:needy", "calling it failed: TypeError: needy() missing 1 required positional argument"),
        ("application:secretive", "calling it failed: KeyError: 'SHOP_SECRET' (application.py, line "),
        ("application:leaving", "calling it failed: SystemExit: no configuration (application.py, line "),
    ],
)
def test_a_wrong_hub_is_told_in_one_line(here: Path, place: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--hub", place]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert why in err


@pytest.mark.parametrize(
    "wrong", [["--every", "0"], ["--every", "nan"], ["--every", "x"], ["--limit", "0"], ["--limit", "1.5"]]
)
def test_numbers_that_make_no_sense_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "--hub", "application:hub", *wrong])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert f"{wrong[0]}: must be " in err
