"""The small script in a store without a network: another process, the public keys, and nothing of omniorder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from omniorder import OfflineHandOver, SigningKeys, SyncOutcome
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

    def scan(shown: str, *, store: str = "SOF01", now: datetime = NOW) -> str:
        # -I: neither this folder nor PYTHONPATH, so that only what is installed could be imported
        asked = [sys.executable, "-I", str(SCRIPT), str(keys), store, str(tmp_path / "used.jsonl"), "--by", "mila"]
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
        entries = [OfflineHandOver(one["signed"], datetime.fromisoformat(one["at"]), one["by"]) for one in lines]
        (synced,) = shop.store.pickups.sync(entries)
        assert (synced.outcome, synced.order) == (SyncOutcome.DONE, order.id)
