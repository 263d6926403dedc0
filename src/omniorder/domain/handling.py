"""How goods are to be handled on their way to the customer: where they are kept, and who may have them."""

from __future__ import annotations

from enum import Enum
from typing import Final

from attrs import frozen


class Temperature(Enum):
    """The temperature zone in which goods are kept, in the store and while they wait for their customer."""

    AMBIENT = "ambient"
    """As warm as the shop is."""
    CHILLED = "chilled"
    """In the fridge."""
    FROZEN = "frozen"
    """In the freezer."""


@frozen
class Handling:
    """What staff must know of an article whose catalogue entry may change after it was ordered.

    `perishable` goods don't wait as long as others, and are not sold again. `age_restricted` ones are handed over to
    whoever was seen to be old enough.
    """

    temperature: Temperature = Temperature.AMBIENT
    perishable: bool = False
    age_restricted: bool = False


USUAL: Final = Handling()
"""Of everything that needs no special care."""
