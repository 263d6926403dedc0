"""Where a command comes from: the closed list of channels."""

from __future__ import annotations

from enum import Enum

__all__ = ["Channel"]


class Channel(Enum):
    """The channel through which somebody acts. Closed: finer detail (`ios/5.2`) is free text beside it."""

    APP = "app"
    WEB = "web"
    STORE = "store"
    PHONE = "phone"
    CHAT = "chat"
    SOCIAL = "social"
    EMAIL = "email"
    KIOSK = "kiosk"
    SYSTEM = "system"
