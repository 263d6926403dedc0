"""The example's sunny day: what its customer reads is said by the library, from the files beside it."""

from __future__ import annotations

import pytest
from app_to_store import main


def test_the_story_is_told_to_its_end_and_says_why_a_store_cannot(capsys: pytest.CaptureFixture[str]) -> None:
    """The store in Studentski Grad has no bread, and the one in Lyulin, as the file of stores says, sends goods."""
    main([])
    told = " ".join(capsys.readouterr().out.split())
    assert "You want 1 of BREAD-RYE-500G, but the store has none to offer." in told
    assert "have what is missing sent by SOF02 and collect everything from" in told
    assert "the same on every channel" in told
