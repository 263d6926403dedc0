"""Privacy: what may be stored nowhere is stored nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import cast

from attrs import evolve

from omniorder import wire
from omniorder.domain import passes
from omniorder.domain.text import looks_like_card_number
from omniorder.testing.invariants.checking import View, invariant
from omniorder.testing.invariants.rows import Rows

_DIGEST = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-z])")
_WORD = re.compile(r"[0-9A-Za-z]+")
_PASS = re.compile(r"eyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{86}")
"""A signed pass, as every JWS with such a signature looks."""


@invariant
def nothing_secret_is_stored(view: View) -> Iterator[str]:
    """P1: no card number, no signed pass, no secret of ours or of a provider, stands in any text of the database."""
    keys = {name: _readable(key) for name, key in view.keys.keys.items()} if view.keys else {}
    theirs = {f"{payment.id}_secret" for books in view.books.values() for payment in books.payments}
    secrets = [*view.secrets, *theirs, *chain.from_iterable(keys.values())]
    secret = re.compile("|".join(map(re.escape, secrets)) if secrets else "(?!)")
    for place, text in _texts(view.rows):
        if len(text) > 12 and _holds_card_number(text):
            yield f"{place}: holds a card number"
        if "eyJ" in text and _PASS.search(text):
            yield f"{place}: holds a signed pass"
        if secret.search(text):
            yield f"{place}: holds a secret"


@lru_cache(maxsize=100_000)
def _holds_card_number(text: str) -> bool:
    """The same ids and instants stand in many places, hence the cache. Digests of ours are digits by chance only."""
    return looks_like_card_number(_DIGEST.sub("", text))


def _readable(key: bytes) -> list[str]:
    text = key.decode("utf-8", "ignore")
    return [key.hex(), text] if text.encode() == key else [key.hex()]


@invariant
def codes_are_stored_nowhere(view: View) -> Iterator[str]:
    """P1, O5: neither the code nor the token of any generation stands in an order or in what happened to it."""
    if view.keys is None:
        return
    length = view.settings.code_length
    for stream in view.rows.streams():
        order = view.rows.order(stream.name)
        if order is None or not order.pickup.key_id:
            continue
        known: set[str] = set()
        for secret in view.keys.keys.values():
            for generation in range(1, order.pickup.generation + 1):
                known.add(passes.code(secret, order.id, generation, length))
                known.add(passes.token(secret, order.id, generation))
        texts = chain(_strings(wire.dump(order)), *(_strings(wire.pack(entry.event)) for entry in stream.events))
        if any(word in known for text in texts for word in _WORD.findall(text)):
            yield f"{order.id}: its code is stored"


def _texts(rows: Rows) -> Iterator[tuple[str, str]]:
    """Every text that is stored, and where."""
    # one barcode in ten passes for a card number; what is checked to be a barcode is none
    articles = (evolve(article, gtins=()) for article in rows.articles())
    tables = (rows.stores(), articles, rows.carts(), rows.handoffs(), rows.promises(), rows.orders())
    kept = (rows.movements(), rows.accounts(), rows.holds(), rows.postings(), rows.answers())
    for one in chain(*tables, *kept):
        place = next(str(getattr(one, name)) for name in ("id", "sku", "key") if hasattr(one, name))
        yield from ((place, text) for text in _strings(wire.dump(one)))
    for entry in chain.from_iterable(stream.events for stream in rows.streams()):
        texts = [entry.stamp.actor, entry.stamp.via, *_strings(wire.pack(entry.event))]
        yield from ((entry.id, text) for text in texts)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _strings(inner)
