"""The diagrams in README.md and docs/ show the tables that the code obeys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omniorder.domain.lifecycle import COUPLINGS, MACHINES
from omniorder.reasons.codes import CODES, REMEDIES

ROOT = Path(__file__).parent.parent
LIFECYCLE = ROOT / "docs" / "lifecycle.md"


def diagrams(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script that draws them."""
    command = [sys.executable, str(ROOT / "docs" / "diagrams.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A copy of the page about lives, to be spoilt."""
    copy = tmp_path / "lifecycle.md"
    copy.write_text(LIFECYCLE.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def test_every_drawing_is_as_the_tables_say() -> None:
    checked = diagrams("--check")
    assert checked.returncode == 0, checked.stderr


def test_the_page_about_lives_draws_every_machine_and_every_transition() -> None:
    text = LIFECYCLE.read_text(encoding="utf-8")
    for machine, table in MACHINES.items():
        _, begun, rest = text.partition(f"<!-- diagram: {machine} -->")
        assert begun, machine
        drawing = rest.partition("<!-- /diagram -->")[0]
        anywhere = drawing.partition("In every state, and changing none: ")[2]
        for state, row in table.items():
            for event, after in row.items():
                arrow = f"    {state.value} --> {after.value}: "
                labels = [line.removeprefix(arrow) for line in drawing.split("\n") if line.startswith(arrow)]
                drawn = any(event.__name__ in label.split("<br/>") for label in labels)
                said = f"`{event.__name__}`" in anywhere and all(row.get(event) is at for at, row in table.items())
                assert len(labels) <= 1, (state, event)
                assert drawn != said, (state, event)


def test_the_page_about_lives_shows_every_coupling() -> None:
    table = LIFECYCLE.read_text(encoding="utf-8").partition("<!-- table: couplings -->")[2]
    rows = table.partition("<!-- /table -->")[0].strip().split("\n")[2:]
    assert len(rows) == len(COUPLINGS)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("confirmed --> completed: OrderCompleted", "confirmed --> returned: OrderCompleted"),
        ("    confirmed --> completed: OrderCompleted\n", ""),
        ("| placed | busy", "| confirmed | busy"),
    ],
)
def test_a_drawing_that_was_tampered_with_is_noticed_and_drawn_anew(right: str, wrong: str, page: Path) -> None:
    good = page.read_text(encoding="utf-8")
    assert right in good
    page.write_text(good.replace(right, wrong), encoding="utf-8")

    checked = diagrams("--check", page)
    assert checked.returncode == 1
    assert str(page) in checked.stderr
    assert diagrams(page).returncode == 0
    assert page.read_text(encoding="utf-8") == good


@pytest.mark.parametrize(
    "markers",
    [
        "<!-- diagram: basket -->\n<!-- /diagram -->\n",
        "<!-- table: order -->\n<!-- /table -->\n",
        "<!-- diagram: order -->\n",
        "<!-- diagram: order -->\n<!-- /table -->\n",
    ],
    ids=["unknown machine", "unknown table", "never closed", "closed as something else"],
)
def test_a_marker_that_means_nothing_is_an_error(markers: str, page: Path) -> None:
    """Rather than a page without its drawing."""
    page.write_text(markers, encoding="utf-8")
    for arguments in ([page], ["--check", page]):
        drawn = diagrams(*arguments)
        assert drawn.returncode == 1
        assert str(page) in drawn.stderr
    assert page.read_text(encoding="utf-8") == markers


def test_a_page_without_markers_is_left_alone(page: Path) -> None:
    page.write_text("# Nothing to draw\n", encoding="utf-8")
    assert diagrams("--check", page).returncode == 0


def test_the_page_about_reasons_lists_every_code_and_every_remedy() -> None:
    text = (ROOT / "docs" / "why_not.md").read_text(encoding="utf-8")
    for table, codes in (("reasons", CODES), ("remedies", REMEDIES)):
        rows = text.partition(f"<!-- table: {table} -->\n")[2].partition("<!-- /table -->")[0].strip().split("\n")[2:]
        assert [row.split(" | ")[0].strip("| `") for row in rows] == list(codes)
