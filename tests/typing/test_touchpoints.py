"""What a touchpoint can't do, a type checker refuses before anybody runs it."""

from __future__ import annotations

import re
from pathlib import Path

from mypy import api

PROGRAM = Path(__file__).parent / "touchpoints.py"


def test_mypy_finds_exactly_the_errors_that_are_marked(tmp_path: Path) -> None:
    """Lines that end in `# error` are errors, all others are not."""
    arguments = ["--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(PROGRAM)]
    told, trouble, _ = api.run(arguments)
    assert not trouble
    found = {int(match[1]) for match in re.finditer(r"\.py:(\d+): error", told)}
    marked = {number for number, line in enumerate(PROGRAM.read_text().splitlines(), 1) if line.endswith("# error")}
    assert found == marked, told
