"""Storage in memory: complete, with real transactions, and gone when the process ends.

It is the reference model of the storage port: held to the same contract as the databases, so plain that it
can be read beside the port to see what a promise of it means.
"""

from __future__ import annotations

from omniorder.adapters.memory.storage import MemoryStorage, connect

__all__ = ["MemoryStorage", "connect"]
