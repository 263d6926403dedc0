"""Storages broken on purpose: storage in memory with one mistake each, and the promises that must notice it.

A mistake is a function that patches the memory adapter. It is listed by `breaks`, with the names of the contract's
tests that it must fail. The mistakes are those that real adapters make: a guard that was forgotten, a list that
loses what shares an instant, an undo that leaves something behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import pytest
from attrs import frozen

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.transaction import MemoryTransaction

Patch: TypeAlias = pytest.MonkeyPatch
Mistake: TypeAlias = Callable[[Patch], None]


@frozen
class Broken:
    """A mistake, and the promises (names of tests without `test_`) that it breaks."""

    mistake: Mistake
    promises: tuple[str, ...]


BROKEN: Final[list[Broken]] = []


def breaks(*promises: str) -> Callable[[Mistake], Mistake]:
    """List the decorated mistake as one that breaks these promises."""

    def listed(mistake: Mistake) -> Mistake:
        BROKEN.append(Broken(mistake, promises))
        return mistake

    return listed


# --- ways to make mistakes --------------------------------------------------------------------------------


def carry(patch: Patch, kind: str, step: Callable[[Database, Any], None]) -> None:
    """Carry out one kind of write by `step` instead."""
    patch.setitem(writing.STEPS, kind, step)


def rewrite(patch: Patch, kind: str, change: Callable[[Any], Any]) -> None:
    """Carry out what `change` makes of each write of this kind; None drops it."""
    original = writing.STEPS[kind]

    def step(db: Database, writes: Iterable[Any]) -> None:
        original(db, [changed for write in writes if (changed := change(write)) is not None])

    carry(patch, kind, step)


def method(patch: Patch, name: str, replacement: Callable[..., Any], of: type = MemoryTransaction) -> None:
    """Replace a method; `replacement` gets the original first, then what the method gets."""
    original = getattr(of, name)

    def replaced(*args: Any, **named: Any) -> Any:
        return replacement(original, *args, **named)

    patch.setattr(of, name, replaced)


def alter(patch: Patch, name: str, change: Callable[[Any], Any]) -> None:
    """Answer a query with what `change` makes of the right answer."""
    method(patch, name, lambda original, *args, **named: change(original(*args, **named)))
