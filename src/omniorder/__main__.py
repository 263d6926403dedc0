"""The door to the operator's command line: `python -m omniorder`."""

from __future__ import annotations

import sys

from omniorder.cli import main

if __name__ == "__main__":
    sys.exit(main())
