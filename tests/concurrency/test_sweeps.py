"""Several workers sweep at once: every timer has its effect once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from omniorder import Card, Store
from omniorder.testing.invariants import check_all, nothing_is_held_past_its_grace, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, won
from tests.emptied import Fresh

WORKERS = 4
PROMISES = 12


def all_lapse(shop: Shop) -> tuple[Counter[str], Counter[str]]:
    """Nobody pays for these promises, and all workers notice; what happened, and what failed."""
    shop.clock.advance(minutes=16)
    happened, failed = Counter[str](), Counter[str]()
    for report in won(at_once([shop.hub.sweep] * WORKERS)):
        happened.update(report.happened)
        failed.update(report.failed)
    return happened, failed


def test_each_promise_lapses_once(shop: Shop) -> None:
    for _ in range(PROMISES):
        shop.promise(1)
    happened, failed = all_lapse(shop)
    assert happened == {"PromiseLapsed": PROMISES}
    assert not failed
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved == 0
    nothing_is_overdue(shop.hub)
    check_all(shop.hub)


def test_without_the_guard_promises_lapse_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they give back the second time was somebody else's."""
    shop.app.checkout.place(shop.promise(20).id, pay=Card("pm_card_visa"))
    for _ in range(PROMISES):
        shop.promise(1)
    unguarded.share_timers(monkeypatch, WORKERS)
    unguarded.decide_on_old_news(monkeypatch)
    happened, _ = all_lapse(shop)
    assert happened["PromiseLapsed"] > PROMISES
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved < 20


# --- processes --------------------------------------------------------------------------------------------

PROCESSES = 3
MANY = 300
BATCH = 20
WORKER = """
import json, sys
from datetime import datetime
from omniorder.testing import FakeClock, Shop

clock = FakeClock(datetime.fromisoformat(sys.argv[2]))
with Shop.example(sys.argv[1], clock=clock, stocked=False, migrate=False) as shop:
    print("ready", flush=True)
    sys.stdin.readline()
    reports = [shop.hub.sweep(int(sys.argv[3]))]
    while reports[-1].more:
        reports.append(shop.hub.sweep(int(sys.argv[3])))
print(json.dumps([[report.looked, dict(report.happened), dict(report.failed)] for report in reports]))
"""


def swept_by_processes(url: str, shop: Shop) -> list[list[tuple[int, dict[str, int], dict[str, int]]]]:
    """What each sweep of each process did; they all begin together."""
    source = str(Path(__file__).parents[2] / "src")
    with_ours = {**os.environ, "PYTHONPATH": source}
    command = [sys.executable, "-c", WORKER, url, shop.clock.now().isoformat(), str(BATCH)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=with_ours)
        for _ in range(PROCESSES)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    return [json.loads(worker.communicate("go\n", timeout=120)[0]) for worker in _started(workers)]


def _started(workers: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return workers


def test_processes_sweep_hundreds_of_promises_once_each_in_bounded_batches(fresh_postgres: Fresh) -> None:
    url = fresh_postgres()
    with Shop.example(url, migrate=False) as shop:
        shop.office.stores.put(Store(Shop.VARNA, zone="Europe/Sofia", hours="24/7", slot_capacity=MANY))
        shop.office.stock.receive(Shop.VARNA, Shop.MILK, MANY)
        carts = [shop.app.carts.add(shop.app.carts.start().id, Shop.MILK) for _ in range(MANY)]
        found = shop.app.checkout.offers(carts[0].id)
        slots = [slot.id for offer in found if offer.store.id == Shop.VARNA for slot in offer.slots]
        for number, cart in enumerate(carts):
            shop.app.checkout.promise(cart.id, slot=slots[number % len(slots)])
        shop.clock.advance(minutes=16)
        sweeps = [one for reports in swept_by_processes(url, shop) for one in reports]
        assert max(looked for looked, _, _ in sweeps) <= BATCH
        assert sum(happened.get("PromiseLapsed", 0) for _, happened, _ in sweeps) == MANY
        assert not any(failed for _, _, failed in sweeps)
        assert shop.office.stock.level(Shop.VARNA, Shop.MILK).reserved == 0
        nothing_is_overdue(shop.hub)
        nothing_is_held_past_its_grace(shop.hub)
        check_all(shop.hub)
