"""`timeline`: what happened to one order, in the time of its store, line by line.

It shows what the journal holds, and the journal holds no codes, tokens, notes or personal data beyond ids.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Any, cast
from zoneinfo import ZoneInfo

from attrs import fields

from omniorder import wire
from omniorder.cli.opening import add_shop, opened
from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.domain.consents import Consent
from omniorder.domain.events import PRIVATE, Event, Recorded, Units
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.proposals import Proposal
from omniorder.services.orders import Orders


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "timeline", help="tell what happened to an order", description="Tell what happened to an order, oldest first."
    )
    parser.add_argument("order", metavar="ORDER", help="the order's reference, such as SOF01-7K3F9Q")
    add_shop(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per line, instants in UTC")
    parser.set_defaults(run=run, unable=1)


def run(chosen: argparse.Namespace) -> int:
    """0 when the order was found."""
    with opened(chosen) as hub:
        desk = hub.at(Channel.SYSTEM, System("operator")).orders
        zone = ZoneInfo(desk.get(chosen.order).pickup.zone)
        entries = list(_entries(desk, chosen.order, hub.settings.page_limit))
    if chosen.json:
        for entry in entries:
            print(json.dumps(wire.to_json(entry), ensure_ascii=False))
    else:
        print("\n".join(_table([_row(entry, zone) for entry in entries])))
    return 0


def _entries(desk: Orders, order_id: str, limit: int) -> Iterator[Recorded]:
    page = desk.timeline(order_id, limit=limit)
    yield from page.items
    while page.next is not None:
        page = desk.timeline(order_id, after=page.next, limit=limit)
        yield from page.items


def _row(entry: Recorded, zone: ZoneInfo) -> tuple[str, ...]:
    stamp = entry.stamp
    by = f"{stamp.actor} ({stamp.via})" if stamp.via else stamp.actor
    return _local(stamp.at, zone), stamp.channel.value, by, entry.name, _facts(entry.event, zone)


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _facts(event: Event, zone: ZoneInfo) -> str:
    public = [one.name for one in fields(type(event)) if one.metadata != PRIVATE]
    told = ((name, _value(getattr(event, name), zone)) for name in public)
    return " ".join(f"{name}={value}" for name, value in told if value)


def _value(value: object, zone: ZoneInfo) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return _local(value, zone).replace(" ", "T", 1)
        case Enum():
            return str(value.value)
        case Units():
            return f"{value.quantity}x{value.line}"
        case OrderLine():
            return f"{value.quantity}x{value.sku}"
        case Proposal():
            return f"{value.quantity}x{value.coming.sku}"
        case Consent():
            return ",".join(str(part) for part in (value.mode.value, value.sku, value.cap) if part)
        case tuple():
            return ",".join(_value(part, zone) for part in cast("tuple[object, ...]", value))
        case _:
            text = str(value)
            return text if text.isprintable() else ascii(text)


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
