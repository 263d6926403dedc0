"""Where a command comes from: the closed list of channels."""

from __future__ import annotations

from enum import Enum

__all__ = ["Channel"]


class Channel(Enum):
    """The channel through which somebody acts. Closed: finer detail (`ios/5.2`) is free text beside it."""

    APP = "app"
    """The retailer's own app on a phone or tablet."""
    WEB = "web"
    """The shop in a browser."""
    STORE = "store"
    """Staff in a store, on whatever device."""
    PHONE = "phone"
    """A call to the contact centre."""
    CHAT = "chat"
    """A conversation in writing, on the retailer's site or a messenger."""
    SOCIAL = "social"
    """A shop within a social network."""
    EMAIL = "email"
    """A letter to the contact centre."""
    KIOSK = "kiosk"
    """A screen in a store that customers use themselves."""
    SYSTEM = "system"
    """No person: a sweep, a webhook, an import, the back office."""
