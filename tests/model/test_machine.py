"""The shop's life on each kind of storage."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings

from omniorder import Capabilities
from tests.model.machine import Shop
from tests.model.world import World


class MemoryShop(Shop):
    def open_worlds(self, capabilities: Capabilities) -> Sequence[World]:
        return [World("memory://", capabilities)]


TestMemory = MemoryShop.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=40)
