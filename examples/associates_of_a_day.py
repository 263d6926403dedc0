"""The associates of a simulated day: they pick in waves, make ready, and serve whoever stands at the counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from customers_of_a_day import Customers, Visitor
from offline_desk import OfflineDesk
from simulated_day import Day

from omniorder import (
    Article,
    Associate,
    Channel,
    Check,
    CheckKind,
    Order,
    Pick,
    Picked,
    PickupState,
    Receipt,
    Step,
    StoreTouchpoint,
    Taken,
    Unit,
    Unwanted,
)
from omniorder.domain.barcodes import check_digit
from omniorder.domain.counter import age_restricted
from omniorder.errors import OutOfStock, SubstituteRefused, WrongCode

AHEAD: Final = timedelta(minutes=75)
"""How long before its customer may come an order is picked at the earliest, so that it doesn't lie about."""

SCAN: Final = 1.0
"""Minutes from one article to the next."""

ALIKE: Final = (
    ("MILK-FRESH-3.6-1L", "MILK-FRESH-1.5-1L", "OAT-MILK-1L", "AYRAN-500ML"),
    ("YOGHURT-COW-400G", "YOGHURT-SHEEP-400G", "CREME-FRAICHE-200G"),
    ("BREAD-WHITE-650G", "BREAD-RYE-500G", "BREAD-SOURDOUGH-600G", "BANITSA-CHEESE"),
    ("RICE-WHITE-1KG", "LENTILS-GREEN-500G", "BEANS-WHITE-1KG", "SPAGHETTI-500G"),
    ("SUNFLOWER-OIL-1L", "OLIVE-OIL-EV-500ML"),
    ("LEMONADE-500ML", "BOZA-500ML", "BEER-0.0-500ML", "ORANGE-JUICE-1L", "WATER-STILL-1.5L", "WATER-SPARKLING-1L"),
    ("PEAS-FROZEN-450G", "SPINACH-FROZEN-450G"),
    ("COFFEE-GROUND-250G", "TEA-MURSAL-30G"),
    ("SUGAR-1KG", "HONEY-LINDEN-450G"),
    ("APPLE-RED", "BANANA", "GRAPES-WHITE", "LEMON"),
    ("TOMATO-PINK", "CUCUMBER", "PEPPER-KAPIA", "CARROT", "MUSHROOM-BUTTON"),
    ("KASHKAVAL-LOOSE", "SIRENE-SHEEP-LOOSE"),
    ("TOILET-PAPER-8", "KITCHEN-ROLL-2"),
)
"""What this store finds to be similar: each may be given for the one before it, and the first for the last."""

INSTEAD: Final = {sku: alike[(place + 1) % len(alike)] for alike in ALIKE for place, sku in enumerate(alike)}


class Colleague:
    """One of them, with a handheld."""

    def __init__(
        self,
        name: str,
        day: Day,
        customers: Customers,
        articles: Mapping[str, Article],
        goes_home: Callable[[Receipt], None],
        offline: OfflineDesk,
        *,
        crashes_at: int = 0,
    ) -> None:
        self.name = name
        self.day = day
        self.customers = customers
        self.articles = articles
        self.offline = offline
        self._goes_home = goes_home
        self.scans = 0
        self._crashes_at = crashes_at
        self.desk = self._handheld()

    def turn(self) -> None:
        """The next thing to do: who waits comes first, then the walk that was begun, then another one."""
        took = self.offline.serve(self.name) if self.day.offline else self._serve() or self._pick() or self._begin()
        self.day.after(took or 2, self.turn)

    def _handheld(self) -> StoreTouchpoint:
        """A handheld knows who holds it, and nothing else: the next one goes on where it stopped."""
        return self.day.hub.at(Channel.STORE, Associate(self.name, store=self.customers.store), via="handheld")

    # --- picking ------------------------------------------------------------------------------------------

    def _begin(self) -> float:
        """A wave of the next orders that are wanted soon, four at most; minutes that it took, 0 for nothing to do."""
        soon = self.day.now + AHEAD
        free = [task for task in self.desk.picking.work().items if not task.pickers and task.ready_by <= soon]
        for task in free:
            if not task.lines and self._ready(self.desk.orders.get(task.order)):
                return 1
        wanted = [task.order for task in free if task.lines][:4]
        if not wanted:
            return 0
        walk = self.desk.picking.wave(wanted)
        if len(wanted) > 1:
            self.day.tell("wave", f"{self.name} picks {len(wanted)} orders on one walk of {len(walk.steps)} lines.")
        return 1

    def _pick(self) -> float:
        """The next article of the walk."""
        walk = self.desk.picking.walk()
        wanted = {step.order for step in walk.steps}
        for order_id in walk.orders:
            if order_id not in wanted and self._ready(self.desk.orders.get(order_id)):
                return 1
        if not walk.steps:
            return 0
        step = walk.steps[0]
        if self.day.happens(0.03):
            self._missing(step)
            return 2
        picked = self._scan(step)
        if not picked.left:
            self._ready(self.desk.orders.get(step.order))
        return SCAN

    def _scan(self, step: Step) -> Picked:
        self.scans += 1
        barcode, key = self._barcode(step), f"{self.name}-{self.scans}"
        units = step.least if step.unit is Unit.PIECE else None
        picked = self.desk.picking.scan(barcode, order_id=step.order, quantity=units, key=key)
        if self.scans == self._crashes_at:
            before = self.desk.picking.walk()
            self.desk = self._handheld()
            again = self.desk.picking.scan(barcode, order_id=step.order, quantity=units, key=key)
            assert (again.units, self.desk.picking.walk()) == (0, before), "nothing is lost, and nothing counted twice"
            self.day.tell("crash", f"{self.name}'s handheld crashes, sends its last scan again, and goes on.")
        return picked

    def _barcode(self, step: Step) -> str:
        """What is printed on it, or what the scales print for about as much as was ordered."""
        article = self.articles[step.sku]
        if article.unit is Unit.PIECE:
            return article.gtins[0]
        grams = self.day.chance.randint(step.least, (step.least + step.most + 1) // 2)
        digits = f"21{article.scale_item:>05}{grams:05}"
        return digits + check_digit(digits)

    def _missing(self, step: Step) -> None:
        """The shelf is empty: something else, if the customer agrees to that, or less."""
        told = f"{self.name} can't find {step.name} for {step.order}"
        try:
            if step.sku not in INSTEAD:
                raise SubstituteRefused(reason="no_consent")
            order = self.desk.pickups.substitute(step.order, step.line, step.least, INSTEAD[step.sku])
        except (SubstituteRefused, OutOfStock):
            order = self.desk.pickups.reject(step.order, [Pick(step.line, step.least)], reason="not_found")
            self.day.tell("short", f"{told}: {'the customer is asked' if order.pickup.question else 'there is less'}.")
        else:
            asked = bool(order.pickup.proposals)
            instead = self.articles[INSTEAD[step.sku]].name
            how = "proposed" if asked else "given"
            self.day.tell(f"substitute {how}", f"{told}: {instead} is {how} instead.")
        if order.pickup.question or order.pickup.proposals:
            self.day.after(self.day.chance.uniform(2, 12), lambda: self.customers.answer(order.id))

    def _ready(self, order: Order) -> bool:
        """If everything is there, it goes to where it waits."""
        pickup = order.pickup
        if pickup.state is not PickupState.PICKING or not pickup.fully_picked or pickup.proposals:
            return False
        shelf = f"{self.day.chance.choice('ABCD')}{self.day.chance.randint(1, 9)}"
        self.desk.pickups.ready(order.id, staged_at=shelf)
        if self.day.now > pickup.starts:
            self.day.tell("late", f"{order.id} is ready only now, after its window has begun.")
        return True

    # --- the counter --------------------------------------------------------------------------------------

    def _serve(self) -> float:
        """Whoever has waited longest of those whose goods are ready; minutes that it took."""
        for waiting in self.desk.arrivals.page().items:
            visitor = self.customers.present.get(waiting.order.id)
            if visitor and waiting.ready:
                self.desk.arrivals.attend(visitor.order)
                self._goes_home(self._hand_over(visitor, self.desk.orders.get(visitor.order)))
                del self.customers.present[visitor.order]
                return self.day.chance.uniform(1.5, 4)
        return 0

    def _hand_over(self, visitor: Visitor, order: Order) -> Receipt:
        """The code, a look at their age where that is needed, what they don't want, and what is to be paid."""
        code = visitor.opens_pass().code
        if visitor.mumbles:
            try:
                self.desk.pickups.hand_over(order.id, code=code[::-1])
            except WrongCode as misheard:
                self.day.tell("wrong code", f"A code is misheard; {misheard.facts['tries_left']} tries are left.")
        checks, refused = self._looks(order)
        due = self.desk.pickups.bill(order.id, refused=refused).due
        return self.desk.pickups.hand_over(
            order.id,
            code=code,
            checks=checks,
            refused=refused,
            by_proxy=visitor.by_proxy,
            taken=Taken(due, "cash") if due.amount else None,
            key=f"hand-over-{order.id}",
        )

    def _looks(self, order: Order) -> tuple[list[Check], list[Unwanted]]:
        day, restricted = self.day, age_restricted(order)
        if restricted:
            old_enough = day.happens(0.85)
            seen = "old enough for wine" if old_enough else "too young for wine, and goes without it"
            day.tell(f"age {old_enough}", f"The customer of {order.id} is {seen}.")
            checks = [Check(CheckKind.AGE, passed=old_enough)]
            if not old_enough:
                return checks, [Unwanted(part.line, part.quantity, "age_check_failed") for part in restricted]
            return checks, []
        substitutes = [line for line in order.added if line.instead_of and order.pickup.line(line.id).open]
        if substitutes and day.happens(0.3):
            line = substitutes[0]
            day.tell("refused", f"At the counter a customer doesn't want {line.name} after all, nor pays for it.")
            return [], [Unwanted(line.id, order.pickup.line(line.id).open)]
        return [], []
