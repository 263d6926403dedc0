"""The example about paying: both orders are paid as it says, on every kind of storage."""

from __future__ import annotations

import pytest
from two_ways_to_pay import main


def test_both_orders_are_paid_as_the_story_says(capsys: pytest.CaptureFixture[str], database_url: str) -> None:
    main(["--database", database_url])
    told = capsys.readouterr().out
    assert "[card: action_required]" in told
    assert "[gift_card: captured, 3.00 EUR captured]" in told
    assert "[in_store: captured, 4.47 EUR captured]" in told
    assert "On the gift card is left: 0.00 EUR." in told
    assert told.count("captured", told.index("own books")) == 4
