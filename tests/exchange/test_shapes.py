"""The page about importing says what the shapes say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omniorder.domain.imports import ImportKind
from omniorder.exchange.lines import MOST_BYTES
from omniorder.exchange.shapes import SHAPES, table

PAGE = Path(__file__).parent.parent.parent / "docs" / "import.md"


@pytest.mark.parametrize("kind", ImportKind)
def test_the_page_shows_the_columns_of_each_kind(kind: ImportKind) -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"<!-- columns: {kind.value} -->\n\n(.*?)\n\n<!-- /columns -->", text, re.DOTALL)
    assert found
    assert found[1] == table(SHAPES[kind])


def test_the_page_names_the_length_of_a_row() -> None:
    assert f"{MOST_BYTES:,} bytes" in PAGE.read_text(encoding="utf-8")
