"""The small script in a store without a network: another process, the public keys, and nothing of omniorder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from omniorder import Check, CheckKind, OfflineHandOver, SigningKeys, SyncOutcome
from omniorder.domain.signed_passes import Holder, SignedPass
from omniorder.signing import new_key
from omniorder.testing.shop import Shop
from tests.services.steps import ready

SCRIPT = Path(__file__).parent.parent / "examples" / "verify_pass.py"
OLD, NEW = new_key(), new_key()
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
KEYS = SigningKeys({"2025": OLD, "2026": NEW}, ends={"2025": NOW})
SAID = SignedPass(
    "pup_SOF01_7K3F9Q_1_1", "SOF01-7K3F9Q", "SOF01", Holder.PROXY, NOW, NOW, NOW + timedelta(days=3), "2026"
)
SIGNED = KEYS.sign(SAID)

Device = Callable[..., str]
"""Scans a pass and tells what is shown."""


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A device of the store SOF01, with the public keys on it."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(KEYS.public()), encoding="utf-8")

    def scan(shown: str, *, store: str = "SOF01", now: datetime = NOW, checked: tuple[str, ...] = ()) -> str:
        # -I: neither this folder nor PYTHONPATH, so that only what is installed could be imported
        asked = [sys.executable, "-I", str(SCRIPT), str(keys), store, str(tmp_path / "used.jsonl"), "--by", "mila"]
        asked += [word for kind in checked for word in ("--checked", kind)]
        done = subprocess.run(
            [*asked, "--now", now.isoformat(), "--", shown], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.stderr == ""
        assert (done.returncode == 0) == done.stdout.startswith("GO: ")
        return done.stdout.strip()

    return scan


def test_a_good_pass_goes_and_says_to_whom(device: Device) -> None:
    assert device(SIGNED) == "GO: give order SOF01-7K3F9Q to its proxy"


def test_what_a_scanner_reads_goes_too_and_only_once(device: Device) -> None:
    assert device(f"OMNI:SOF01-7K3F9Q:{SIGNED}").startswith("GO")
    assert device(SIGNED) == "NO GO: used"


@pytest.mark.parametrize(
    ("what", "shown", "where"),
    [
        ("forged", SigningKeys({"2026": new_key()}).sign(SAID), {}),
        ("forged", SIGNED[:-80] + ("A" if SIGNED[-80] != "A" else "B") + SIGNED[-79:], {}),
        ("unknown_key", SigningKeys({"2019": new_key()}).sign(evolve(SAID, key_id="2019")), {}),
        ("retired_key", KEYS.sign(evolve(SAID, key_id="2025")), {}),
        ("other_store", SIGNED, {"store": "VAR01"}),
        ("expired", SIGNED, {"now": SAID.until + timedelta(minutes=6)}),
        ("not_yet_valid", SIGNED, {"now": SAID.starts - timedelta(minutes=6)}),
        ("malformed", SIGNED[:-1], {}),
        ("malformed", "1234567", {}),
        ("malformed", "", {}),
    ],
)
def test_anything_else_does_not_go_and_says_why(
    device: Device, tmp_path: Path, what: str, shown: str, where: dict[str, object]
) -> None:
    assert device(shown, **where) == f"NO GO: {what}"
    assert not (tmp_path / "used.jsonl").exists()


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_clock_that_is_off_by_minutes_is_no_matter(device: Device, minutes: int) -> None:
    edge = SAID.starts if minutes < 0 else SAID.until
    assert device(SIGNED, now=edge + timedelta(minutes=minutes)).startswith("GO")


def test_it_imports_nothing_but_cryptography_and_is_short() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    imported = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import", "from"))}
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
    assert len(text.splitlines()) < 120


def test_what_it_wrote_down_is_told_to_the_hub(device: Device, tmp_path: Path) -> None:
    with Shop.example(pass_keys=SigningKeys({"2026": NEW})) as shop:
        order = ready(shop)
        assert device(shop.app.orders.pickup_pass(order.id).qr, now=shop.clock.now()).startswith("GO")
        shop.clock.advance(hours=2)
        lines = [json.loads(line) for line in (tmp_path / "used.jsonl").read_text(encoding="utf-8").splitlines()]
        (synced,) = shop.store.pickups.sync([_entry(one) for one in lines])
        assert (synced.outcome, synced.order) == (SyncOutcome.DONE, order.id)


def _entry(one: dict[str, Any]) -> OfflineHandOver:
    checks = [Check(CheckKind(kind), passed=True) for kind in one["checked"]]
    return OfflineHandOver(one["signed"], datetime.fromisoformat(one["at"]), one["by"], checks=checks)


def test_it_says_what_to_check_and_goes_once_that_is_done(device: Device, tmp_path: Path) -> None:
    shown = KEYS.sign(evolve(SAID, checks=(CheckKind.IDENTITY, CheckKind.AGE)))
    assert device(shown) == "NO GO: check identity, age"
    assert device(shown, checked=("age",)) == "NO GO: check identity"
    assert not (tmp_path / "used.jsonl").exists()
    assert device(shown, checked=("age", "identity")).startswith("GO")
    (line,) = (tmp_path / "used.jsonl").read_text(encoding="utf-8").splitlines()
    checks = _entry(json.loads(line)).checks
    assert [(one.kind, one.passed) for one in checks] == [(CheckKind.AGE, True), (CheckKind.IDENTITY, True)]


@pytest.mark.parametrize("cut", [1, 9, -2, "zeros"])
def test_a_line_that_was_cut_off_while_it_was_written_is_taken_back(
    device: Device, tmp_path: Path, cut: int | str
) -> None:
    """The power went, before any GO: that order may still be given, and the ones before it not again."""
    used = tmp_path / "used.jsonl"
    other = KEYS.sign(evolve(SAID, order="SOF01-7K3F9R"))
    assert device(SIGNED).startswith("GO")
    whole = used.read_bytes()
    entry = whole.replace(b"7K3F9Q", b"7K3F9R")
    used.write_bytes(whole + (b"\0" * 40 if isinstance(cut, str) else entry[:cut]))
    assert device(SIGNED) == "NO GO: used"
    assert device(other).startswith("GO")
    assert device(other) == "NO GO: used"
    assert [json.loads(line)["order"][-1] for line in used.read_text(encoding="utf-8").splitlines()] == ["Q", "R"]


def test_an_entry_that_lacks_only_its_end_of_line_counts(device: Device, tmp_path: Path) -> None:
    used = tmp_path / "used.jsonl"
    assert device(SIGNED).startswith("GO")
    used.write_bytes(used.read_bytes().rstrip())
    assert device(SIGNED) == "NO GO: used"
    assert device(KEYS.sign(evolve(SAID, order="SOF01-7K3F9R"))).startswith("GO")
    assert len([json.loads(line) for line in used.read_text(encoding="utf-8").splitlines()]) == 2
