"""A store's day of 200 orders, played in seconds: what happened, what it came to, and a picture of it.

    python examples/a_day_at_the_store.py                         # in memory
    python examples/a_day_at_the_store.py --database URL          # on an empty sqlite:///... or postgresql://...
    python examples/a_day_at_the_store.py --orders 50 --seed 7 --picture day.png

Customers order in the app, on the web, by phone and at a screen in the store; three associates with handhelds pick,
make ready and hand over, a fourth takes back what customers bring. Every call is one that an app would make; only the
clock, chance and the card are not real. The picture needs `pip install "omniorder[pictures]"`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from associates_of_a_day import Colleague
from attrs import evolve
from chain import sold_at, stock_the_shelves
from customers_of_a_day import Customers
from offline_desk import OfflineDesk
from returns_of_a_day import ReturnsDesk
from simulated_day import Day
from states_over_a_day import counted, draw

from omniorder import Article, Channel, Measures, Money, OrderHub, Recorded, SigningKeys, System, SystemTouchpoint, Unit
from omniorder.domain.money import total
from omniorder.signing import new_key
from omniorder.testing import FakeClock, FakeGateway, SeededEntropy
from omniorder.testing.invariants import INVARIANTS, check_all

STORE: Final = "SOF01"
DATE: Final = date(2026, 11, 27)
"""A Friday; the store is open from 8 to 21."""
ZONE: Final = ZoneInfo("Europe/Sofia")


def at(hour: int, minute: int = 0) -> datetime:
    """That time of the day, on the store's clock."""
    return datetime.combine(DATE, time(hour, minute), ZONE)


OPEN: Final = at(6), at(21, 30)
"""What the picture shows: from the first order to the last customer."""

OUTAGE: Final = at(13, 5), at(13, 35)
"""From when until when the store has no network."""

ORDERING: Final = {6: 6, 7: 9, 8: 11, 9: 11, 10: 10, 11: 9, 12: 12, 13: 9, 14: 7, 15: 7, 16: 8, 17: 1}
"""How many of a hundred customers order in which hour."""


def main(argv: Sequence[str] | None = None) -> None:
    """Play the day, print it, draw it."""
    given = options().parse_args(argv)
    clock = FakeClock(at(5))
    cards = FakeGateway(clock=clock)
    keys = SigningKeys({"2026": new_key()})
    with OrderHub.open(
        given.database, migrate=True, gateways={"card": cards}, clock=clock, entropy=SeededEntropy(given.seed),
        secret="only-for-this-demo", pass_keys=keys,
    ) as hub:  # fmt: skip
        office = hub.at(Channel.SYSTEM, System("office"))
        articles = open_up(hub, office, given.orders)
        before = shelves(office, articles)
        day = Day(hub, clock, ZONE, given.seed)
        customers = play(day, articles, cards, given.orders, keys)
        histories = [list(history(office, order)) for order in customers.orders]
        tell(day, customers)
        tell_peaks(histories)
        tell_measures(office.measures(STORE, DATE, DATE + timedelta(days=1)))
        tell_books(office, cards, articles, before, customers)
        check_all(hub)
        print(f"\nAll {len(INVARIANTS)} invariants of stock, money, orders and history hold.")
        title = f"{len(customers.orders)} orders on {DATE:%A %d %B %Y} at {office.stores.get(STORE).name}"
        draw(histories, *OPEN, ZONE, title, given.picture, remarks={OUTAGE[0]: "no network"})
        print(f"Orders by state over the day: {given.picture.name}")


def options() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(description="A store's day, played in seconds.")
    parser.add_argument("--orders", type=int, default=200, metavar="N", help="how many customers order; 200")
    parser.add_argument("--seed", type=int, default=6, metavar="N", help="another one is another day; 6")
    parser.add_argument("--picture", type=Path, default=Path("a_day_at_the_store.png"), metavar="FILE.png")
    parser.add_argument("--database", default="memory://", metavar="URL", help="an empty one; in memory otherwise")
    return parser


# --- the day ----------------------------------------------------------------------------------------------


def open_up(hub: OrderHub, office: SystemTouchpoint, orders: int) -> list[Article]:
    """The chain, with room and goods for so many orders in the store; what it sells."""
    stock_the_shelves(hub)
    store = office.stores.get(STORE)
    office.stores.put(evolve(store, slot_capacity=max(4, orders // 6), pickup_days=1))
    articles = [office.articles.get(sku) for sku in sold_at(STORE)]
    for article in articles:
        office.stock.receive(STORE, article.sku, orders * (120 if article.unit is Unit.GRAM else 1) // 3 + 1)
    return articles


def play(day: Day, articles: Sequence[Article], cards: FakeGateway, orders: int, keys: SigningKeys) -> Customers:
    """From before the store opens until whatever waited has been collected, or given up the next evening."""
    customers = Customers(day, STORE, articles, cards)
    returns = ReturnsDesk(day, STORE)
    catalogue = {article.sku: article for article in articles}
    hours = day.chance.choices(list(ORDERING), list(ORDERING.values()), k=orders)
    for number, hour in enumerate(sorted(hours), 1):
        day.at(at(hour) + timedelta(minutes=day.chance.uniform(0, 60)), partial(customers.order, number))
    outage = OfflineDesk(day, customers, keys.public())
    for name, crashes_at in (("ivan", 17), ("petar", 0), ("mila", 0)):
        one = Colleague(name, day, customers, catalogue, returns.goes_home, outage, crashes_at=crashes_at)
        day.at(at(7), one.turn)
    for instant, action in zip(OUTAGE, (outage.fails, outage.returns), strict=True):
        day.at(instant, action)
    day.at(at(6), lambda: sweep(day))
    day.run(OPEN[1] + timedelta(days=1))
    return customers


def sweep(day: Day) -> None:
    """What a worker does all the time: messages, reminders, answers nobody gave, orders nobody came for."""
    day.hub.sweep()
    day.after(5, lambda: sweep(day))


# --- telling it -------------------------------------------------------------------------------------------


def tell(day: Day, customers: Customers) -> None:
    """What happened, in little."""
    print(f"{len(customers.orders)} orders on {DATE:%A %d %B %Y} at {STORE}:", end=" ")
    print(", ".join(f"{times} by {channel.value}" for channel, times in customers.channels.most_common()) + ".")
    if customers.lost:
        print(f"{customers.lost} more customers found nothing for today.")
    print()
    for what, sentence in sorted(day.told.items(), key=lambda item: item[1]):
        times = day.times[what]
        print(f"  {sentence}" + (f" ({times} times)" if times > 1 else ""))


def tell_peaks(histories: Sequence[Sequence[Recorded]]) -> None:
    """When most orders were in a state that makes work."""
    starts, ends = OPEN
    moments = [starts + timedelta(minutes=n) for n in range(int((ends - starts) / timedelta(minutes=1)))]
    print("\nThe busiest moments\n")
    for state, numbers in counted(histories, moments).items():
        if state in ("to pick", "picking", "ready", "customer waits"):
            most = max(numbers)
            print(f"  {moments[numbers.index(most)]:%H:%M}  {state:<19}{most:>10}")


def tell_measures(day: Measures) -> None:
    """What the store's work came to, as the journal tells it: that day, and the next, on which the last came or not."""
    rows = {
        "orders made ready": f"{day.ready}",
        "orders collected": f"{day.collected}",
        "returns": f"{day.returned}",
        "time to ready, median": minutes(day.time_to_ready),
        "time to ready, 9 of 10": minutes(day.slow_to_ready),
        "ready when promised": share(day.on_time_rate),
        "units not found": share(day.short_rate),
        "substitutes accepted": share(day.substitution_acceptance),
        "customers waited, median": minutes(day.waiting_time),
        "customers waited, 9 of 10": minutes(day.long_wait),
        "nobody came": share(day.no_show_rate),
    }
    print("\nMeasures\n")
    for what, measure in rows.items():
        print(f"  {what:<26}{measure:>10}")


def minutes(lasts: timedelta | None) -> str:
    """As people say it."""
    return "-" if lasts is None else f"{lasts / timedelta(minutes=1):.0f} min"


def share(rate: float | None) -> str:
    """In per cent."""
    return "-" if rate is None else f"{rate:.1%}"


def history(office: SystemTouchpoint, order_id: str) -> Iterator[Recorded]:
    """All that the journal says of an order."""
    after = None
    while True:
        page = office.orders.timeline(order_id, after=after)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def shelves(office: SystemTouchpoint, articles: Sequence[Article]) -> dict[str, int]:
    """What is on hand in the store, of all that is sold by the piece and by the gram."""
    found: Counter[str] = Counter()
    units = {article.sku: article.unit for article in articles}
    for level in office.stock.levels(STORE, list(units)):
        found[units[level.sku].value] += level.on_hand
    return dict(found)


def tell_books(
    office: SystemTouchpoint, cards: FakeGateway, articles: Sequence[Article], before: dict[str, int],
    customers: Customers,
) -> None:  # fmt: skip
    """Where the orders, the goods and the money are when all is over."""
    orders = [office.orders.get(order) for order in customers.orders]
    print("\nOrders\n")
    for stage, count in sorted(Counter(order.stage.value for order in orders).items(), key=lambda item: -item[1]):
        print(f"  {stage:<26}{count:>10}")
    print("\nStock\n")
    after = shelves(office, articles)
    print(f"  {'':<26}{'opening':>10}{'closing':>10}")
    print(f"  {'pieces':<26}{before['piece']:>10}{after['piece']:>10}")
    print(f"  {'kilograms':<26}{before['gram'] / 1000:>10.1f}{after['gram'] / 1000:>10.1f}")
    print("\nMoney\n")
    captured = total((payment.captured for payment in cards.payments), "EUR")
    refunded = total((payment.refunded for payment in cards.payments), "EUR")
    aside = total((payment.open for payment in cards.payments), "EUR")
    kept = total((order.kept for order in orders), "EUR")
    rows: dict[str, Money] = {
        "captured from cards": captured,
        "refunded to cards": refunded,
        "still set aside": aside,
        "taken at the counter": kept - (captured - refunded),
        "the shop keeps": kept,
    }
    for what, amount in rows.items():
        print(f"  {what:<26}{amount!s:>14}")


if __name__ == "__main__":
    main()
