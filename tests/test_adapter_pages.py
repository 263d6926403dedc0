"""The pages for authors of adapters, and the one on reasons, show whole programs and what those print when run.

(The programs' own tests stand beside them in `examples/adapters`, and are collected from there.)
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "docs" / "write_an_adapter.md", ROOT / "docs" / "test_your_adapter.md"]
OLD = """
<!-- output: -c "print('new')" -->
```console
$ python -c "print('new')"
old
```
<!-- /output -->
"""


def outputs(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script that writes what programs print."""
    command = [sys.executable, str(ROOT / "docs" / "outputs.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


OTHERS = [ROOT / "docs" / name for name in ("why_not.md", "at_the_store.md")]


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_every_output_on_the_page_is_what_the_program_prints(page: Path) -> None:
    checked = outputs("--check", page)
    assert checked.returncode == 0, checked.stderr


def test_an_output_that_is_old_is_noticed_and_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(OLD, encoding="utf-8")
    assert outputs("--check", page).returncode == 1
    outputs(page)
    assert page.read_text(encoding="utf-8") == OLD.replace("old", "new")
    assert outputs("--check", page).returncode == 0


def test_the_broken_gateway_fails_on_the_page() -> None:
    """Or a contract that has gone soft would be shown as it is."""
    assert "1 failed, 3 passed" in PAGES[1].read_text(encoding="utf-8")


def test_every_program_is_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    programs = [file.name for file in (ROOT / "examples" / "adapters").iterdir() if file.is_file()]
    assert len(programs) > 5
    assert not [name for name in programs if name not in text]
