"""The operator's command line: `python -m omniorder sweep | migrate | import | export | timeline | ledger | reconcile |
measures | verify`.

One file per command. Each adds its arguments to the parser and says by which function it is run; what that returns is
the exit code. What is expected to go wrong is told in one line on standard error, never as a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import cast

from omniorder.cli import exporting, importing, ledger, measures, migrate, reconcile, sweep, timeline, verify
from omniorder.cli.opening import WrongHub
from omniorder.errors import OmniorderError, SchemaOutdated

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 2 asked wrongly; some have meanings of their own.

    Without arguments it shows what there is.
    """
    parser = argparse.ArgumentParser(prog="python -m omniorder", description="Click and collect: operations.")
    parser.add_argument("--version", action="version", version=f"omniorder {version('omniorder')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in (sweep, migrate, importing, exporting, timeline, ledger, reconcile, measures, verify):
        command.add_to(commands)
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, "run"):
        parser.print_help()
        return 0
    run = cast("Callable[[argparse.Namespace], int]", chosen.run)
    try:
        return run(chosen)
    except WrongHub as wrong:
        return _refused(str(wrong), 2)
    except OmniorderError as error:
        return _refused(_told(error), chosen.unable)
    except BrokenPipeError:  # whoever reads us has seen enough, as `head` does; the rest goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(chosen.unable)


def _refused(why: str, code: int) -> int:
    print(" ".join(why.split()), file=sys.stderr)
    return code


def _told(error: OmniorderError) -> str:
    if isinstance(error, SchemaOutdated) and error.facts["found"] == "no version":
        return f"{error.code}: there are no tables of omniorder in this database (or not in this schema)"
    return f"{error.code}: {error}"
