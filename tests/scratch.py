"""Where throwaway files go: into memory, where the machine has enough of it to spare.

Making a database is mostly writing files, and every commit waits for the disk. No test here is about what survives a
power cut, so they need not wait.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")
ENOUGH: Final = 6 * 2**30
"""Bytes: several times what a whole run has at once."""


def in_memory() -> Path | None:
    """A folder that is kept in memory, large enough for a run and from which programs may be started; or None."""
    if not (SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK)):
        return None
    if shutil.disk_usage(SHARED_MEMORY).free < ENOUGH or os.statvfs(SHARED_MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return SHARED_MEMORY
