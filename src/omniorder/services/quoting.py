"""Prices of wishes at a store, now; and whether they are still what the customer saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omniorder.domain import promises
from omniorder.domain.articles import Article
from omniorder.domain.carts import CartLine
from omniorder.domain.channels import Channel
from omniorder.domain.money import Money
from omniorder.domain.promises import Quote, QuoteLine
from omniorder.domain.stores import Store
from omniorder.errors import InvalidMoney, NoPrice, QuoteChanged, ServiceMissing
from omniorder.services import offering
from omniorder.services.parts import Parts


def priced(parts: Parts, channel: Channel, store: Store, wishes: Sequence[CartLine]) -> tuple[QuoteLine, ...]:
    """Each of these wishes at this store's price. Raises `NoPrice`, and `ServiceMissing` for what it can't sell."""
    skus = sorted({line.sku for line in wishes})
    articles = parts.catalogue.articles(skus)
    now = parts.clock.now()
    found = parts.prices.prices(skus, stores=[store.id], channel=channel, at=now)
    prices = {sku: price for (_, sku), price in found.items()}
    missing = [sku for sku in skus if sku not in prices or sku not in articles]
    if missing:
        raise NoPrice(store=store.id, skus=missing)
    served(store, articles)
    return tuple(promises.priced(line, articles[line.sku], prices[line.sku]) for line in wishes)


def served(store: Store, articles: Mapping[str, Article]) -> None:
    """Raise `ServiceMissing` for articles that need what this store doesn't do."""
    if unserved := offering.unserved(store, articles):
        raise ServiceMissing(
            store=store.id,
            missing=[{"sku": reason.facts["sku"], "service": reason.facts["service"]} for reason in unserved],
        )


def money(expect: object) -> Money | None:
    """The total that the customer expects, if they said so; raises `InvalidMoney` for one that is none."""
    if expect is not None and not isinstance(expect, Money):
        raise InvalidMoney("expect", expect, "the total that the customer saw, as Money")
    return expect


def as_seen(expect: Money | None, quote: Quote) -> None:
    """Raise `QuoteChanged` where the customer saw another total."""
    if expect is not None and expect != quote.total:
        raise QuoteChanged(quote, expected=str(expect), total=str(quote.total))
