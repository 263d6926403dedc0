"""Telling customers through the retailer's own outbox: a table from which their push service sends."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from omniorder import Message, Occasion

TEXTS = {
    ("bg", Occasion.READY): "Поръчка {order} ви очаква.",
    ("en", Occasion.CONFIRMED): "We are preparing your order {order}.",
    ("en", Occasion.READY): "Your order {order} is ready to be collected.",
    ("en", Occasion.CANCELLED): "Your order {order} was cancelled, and your money is on its way back.",
}


class Outbox:
    """A `Notifier`: one row per message, however often the message comes."""

    def __init__(self, file: str) -> None:
        self._file = file

    def notify(self, message: Message) -> None:
        """Put the message into the outbox; an occasion without a text is not told."""
        language = message.language.partition("-")[0]
        text = TEXTS.get((language, message.occasion)) or TEXTS.get(("en", message.occasion))
        if text is None:
            return
        with closing(sqlite3.connect(self._file)) as connection, connection:
            # a customer without a device is left alone: an error would bring the message again with every sweep,
            # and hold back all that follow it on the same order
            connection.execute(
                "INSERT OR IGNORE INTO outbox SELECT ?, device, ? FROM app_user WHERE 'customer:' || name = ?",
                (message.id, text.format(order=message.order), message.owner),
            )
