"""What it costs to import the library: in fresh interpreters, in turns with one that imports nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any, Final

NOTHING: Final = "pass"
STATEMENTS: Final = (
    NOTHING,
    "import omniorder",
    "from omniorder import OrderHub",
    "import omniorder.adapters.sql",
)


def measure(*, rounds: int) -> dict[str, Any]:
    """Milliseconds of `python -c` with each statement: the median, the best, and what it adds to nothing."""
    seconds: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for turn in range(rounds + 1):
        for statement, all in seconds.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            if turn:  # the first turn compiles
                all.append((time.perf_counter() - begun) * 1000)
    nothing = seconds[NOTHING]
    return {
        statement: {
            "median_ms": round(statistics.median(all), 1),
            "best_ms": round(min(all), 1),
            "adds_ms": round(statistics.median(a - b for a, b in zip(all, nothing, strict=True)), 1),
            "ratio": round(statistics.median(a / b for a, b in zip(all, nothing, strict=True)), 2),
        }
        for statement, all in seconds.items()
    }
