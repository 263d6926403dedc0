"""The example that plays a store's day: at its end everything adds up, and the same seed is the same day."""

from __future__ import annotations

from pathlib import Path

import pytest
from a_day_at_the_store import main


def day(capsys: pytest.CaptureFixture[str], picture: Path, *, seed: int, orders: int = 25) -> str:
    main(["--orders", str(orders), "--seed", str(seed), "--picture", str(picture)])
    return capsys.readouterr().out


def number(told: str, row: str) -> float:
    """The figure of this row of a table; nothing, where there is no such row."""
    found = [line.strip().removeprefix(row).split() for line in told.splitlines() if line.startswith(f"  {row} ")]
    return float(found[0][0].rstrip("%")) if found else 0


def test_its_measures_are_those_of_the_orders_that_it_played(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And the same seed is the same day; the picture of it is a PNG."""
    picture = tmp_path / "day.png"
    told = day(capsys, picture, seed=1)
    collected, missed, cancelled = (number(told, stage) for stage in ("collected", "not_collected", "cancelled"))
    assert collected + missed + cancelled == 25
    assert number(told, "orders collected") == collected
    assert number(told, "orders made ready") == collected + missed
    assert number(told, "nobody came") == pytest.approx(100 * missed / (collected + missed), abs=0.1)
    assert 0 < number(told, "ready when promised") <= 100
    paid = number(told, "captured from cards") - number(told, "refunded to cards")
    assert paid + number(told, "taken at the counter") == pytest.approx(number(told, "the shop keeps"))
    assert number(told, "still set aside") == 0
    assert "invariants of stock, money, orders and history hold." in told
    assert "handheld crashes" in told

    drawn = picture.read_bytes()
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(drawn) > 10_000
    assert day(capsys, picture, seed=1) == told


def test_another_seed_is_another_day(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one, other = (day(capsys, tmp_path / "day.png", seed=seed, orders=5) for seed in (1, 2))
    assert one != other
