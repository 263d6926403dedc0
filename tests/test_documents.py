"""The Python code in README.md and docs/ is run as it is read: top to bottom, in one namespace."""

from __future__ import annotations

from code import InteractiveConsole
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", [*PAGES[:1], ROOT / "docs" / "tour.md"], ids=lambda page: page.name)
def test_it_can_be_typed_into_a_prompt(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line, as a reader would: a block must end where the prompt thinks that it ends."""
    monkeypatch.chdir(tmp_path)
    prompt = InteractiveConsole()
    for block in Sybil(parsers=[PythonCodeBlockParser()], path=str(ROOT)).parse(page).examples():
        for line in (*str(block.parsed).splitlines(), ""):
            prompt.push(line)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_on_this_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, where a page may open `sqlite:///shop.db`."""
    monkeypatch.chdir(tmp_path)
    for block in Sybil(parsers=[PythonCodeBlockParser()], path=str(ROOT)).parse(page).examples():
        block.evaluate()
