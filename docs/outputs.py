"""Writes what programs print into docs/, so that no page shows what nobody would see.

    python docs/outputs.py            # run them and write
    python docs/outputs.py --check    # exit with 1, naming the pages, where they print something else

A page names a command of Python's, and what stands between the two comments is replaced:

    <!-- output: examples/some_program.py -->
    <!-- /output -->

Times, line numbers and the folders of installed files are left out: they differ from machine to machine.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))

MARKED = re.compile(
    r"^(?P<begin><!-- output: (?P<command>[^\n]*) -->)\n(?P<shown>.*?)^(?P<end><!-- /output -->)$",
    re.DOTALL | re.MULTILINE,
)
PLACE = re.compile(r"\S*(omniorder/[\w/]+\.py|examples/[\w/]+\.py):\d+:")
TOOK = re.compile(r" in [\d.]+s$", re.MULTILINE)
UNDERLINED = re.compile(r"^ +\^+\n", re.MULTILINE)  # by newer Pythons only


def output(command: str) -> str:
    """What the command prints, on a terminal of 100 columns."""
    # a test run that asks for this has settings and plug-ins of its own, which are no business of the command's
    environment = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST")}
    environment |= {"COLUMNS": "100", "PYTHONUTF8": "1"}
    environment |= {"PYTEST_ADDOPTS": "-p no:cacheprovider", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(
        [sys.executable, *shlex.split(command)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    text = UNDERLINED.sub("", TOOK.sub("", PLACE.sub(r"\1:", ran.stdout)))
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def filled(page: str) -> str:
    """The page with what its programs print now."""

    def fill(found: re.Match[str]) -> str:
        command = found["command"]
        return f"{found['begin']}\n```console\n$ python {command}\n{output(command)}\n```\n{found['end']}"

    return MARKED.sub(fill, page)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Writes what programs print into the documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where an output is old")
    parser.add_argument("pages", nargs="*", type=Path, default=PAGES, help="all of docs/ when none is named")
    given = parser.parse_args(arguments)
    old = False
    for page in given.pages:
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if after == before:
            continue
        old = True
        if given.check:
            print(f"{page}: run python docs/outputs.py", file=sys.stderr)
        else:
            page.write_text(after, encoding="utf-8")
            print(f"{page}: written")
    return 1 if old and given.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
