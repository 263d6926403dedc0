"""Which stores can have the basket ready, and why the others can't, in three languages.

python examples/why_not.py
"""

from __future__ import annotations

import textwrap
from datetime import timedelta

from omniorder import say
from omniorder.testing import Shop

LANGUAGES = ("en", "sv", "bg")


def main() -> None:
    with Shop.example() as shop:
        cart = shop.app.carts.start()
        tomorrow = shop.clock.now() + timedelta(days=1)
        shop.office.stock.expect(shop.VARNA, shop.MILK, 24, at=tomorrow, reference="DN-7")
        shop.app.carts.add(cart.id, shop.MILK, 12)
        cart = shop.app.carts.add(cart.id, shop.BREAD, 1)
        for offer in shop.web.checkout.offers(cart.id, near=shop.HERE):
            where = f"{offer.store.id}, {offer.distance_km:.1f} km"
            if offer.why is None:
                print(f"{where}: ready from {offer.slots[0].starts:%A %H:%M}, {offer.quote and offer.quote.total}")
                continue
            print(f"{where}:")
            for language in LANGUAGES:
                told = say(offer.why, language)
                said = textwrap.fill(told, width=92, subsequent_indent=" " * 6, break_on_hyphens=False)
                print(f"  {language}  {said}")


if __name__ == "__main__":
    main()
