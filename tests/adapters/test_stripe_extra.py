"""Without the extra, Stripe says what to install, and nothing else of the library misses it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from omniorder.errors import MissingExtra

PROGRAM = """
import sys
sys.modules["stripe"] = None
import omniorder, omniorder.testing
from omniorder.errors import MissingExtra
try:
    import {module}
except MissingExtra as missing:
    print(missing)
"""


@pytest.mark.parametrize("module", ["omniorder.adapters.stripe", "omniorder.testing.stripe"])
def test_it_says_what_to_install(module: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(MissingExtra(needs="stripe", extra="stripe"))
