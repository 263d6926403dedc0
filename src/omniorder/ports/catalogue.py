"""What is sold. Built in: a table of articles. A retailer with a catalogue of their own implements this port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from omniorder.domain.articles import Article


class Catalogue(Protocol):
    """Articles by SKU."""

    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        """The articles by SKU, spelt as it is asked for; those that are not sold are left out, and can't be put into
        a cart."""
        ...
