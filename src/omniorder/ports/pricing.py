"""What it costs. Built in: a table of prices per article, store and channel, with validity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from omniorder.domain.articles import Price
from omniorder.domain.channels import Channel


class PriceBook(Protocol):
    """Prices, tax included."""

    def prices(
        self, skus: Sequence[str], *, stores: Sequence[str], channel: Channel, at: datetime
    ) -> Mapping[tuple[str, str], Price]:
        """The one price that is valid at the instant `at`, by (store, SKU), for many stores in one go.

        Those without a price are left out: a promise for them raises `NoPrice`.
        """
        ...
