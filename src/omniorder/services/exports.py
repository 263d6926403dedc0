"""The dispatch desk: everything that the tables hold, in one state, for whoever writes it into files."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from attrs import frozen

from omniorder.errors import Misconfigured
from omniorder.ports.inspection import Inspectable, Inspection
from omniorder.services.parts import Parts, Touch


@frozen
class Exports:
    """Lets the back office read whole tables, row by row."""

    parts: Parts
    touch: Touch

    @contextmanager
    def reading(self) -> Generator[Inspection]:
        """One state of everything for as long as the block runs; commands go on meanwhile where they can.

        Raises `Misconfigured` for a storage that can't be inspected, `StorageFault`.
        """
        storage = self.parts.storage
        if not isinstance(storage, Inspectable):
            raise Misconfigured(needs="a storage that can be inspected")
        with storage.inspecting() as view:
            yield view
