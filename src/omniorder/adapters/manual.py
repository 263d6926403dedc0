"""Money that people bring: bank transfers, cheques, an account that is settled at the end of the month.

There is no provider to be asked. The gateway says what the customer is to do and remembers nothing; what becomes of the
money is seen by people, who say so at the desk for payments (`office.payments`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NoReturn

from omniorder.domain import ids
from omniorder.domain.text import line as valid_line
from omniorder.errors import BadWebhook, GatewayTimeout, InvalidText
from omniorder.ports.payments import (
    Absent,
    Action,
    Authorise,
    Capabilities,
    Capture,
    Denied,
    LookUp,
    NeedsAction,
    NoAnswer,
    Notice,
    Operation,
    Refund,
    Void,
)

__all__ = ["ManualGateway"]

A_DAY: Final = timedelta(days=1)


class ManualGateway:
    """A gateway for money that people bring, and that nobody can be asked about.

        gateways={"bank_transfer": ManualGateway("Send it to BG80 BNBG 9661 1020 3456 78, reference {order}.")}

    `instructions` are shown to the customer; `{order}` stands for the order's id. Raises `InvalidText`.
    """

    capabilities = Capabilities(
        several_captures=False, remembers=A_DAY, immediate=False, links=False, asks_after=A_DAY, by_hand=True
    )

    def __init__(self, instructions: str) -> None:
        text = valid_line(instructions, "instructions", most=500)
        try:
            text.format(order="")
        except (LookupError, ValueError, AttributeError):
            raise InvalidText("instructions", text, "text in which only {order} stands in braces") from None
        self._instructions = text

    def authorise(self, request: Authorise) -> NeedsAction | Denied:
        """What the customer is to do. There are no wallets here, and nothing is taken at once."""
        return Denied("unsupported") if request.now or request.method else self._asked(request.order)

    def capture(self, request: Capture) -> Denied:
        """Nothing is ever set aside: what was received is there."""
        return Denied("not_authorised")

    def void(self, request: Void) -> Absent:
        """There is nothing to give back: as far as anybody has said, nothing came."""
        return Absent()

    def refund(self, request: Refund) -> NoReturn:
        """People send it back, and say so then."""
        raise GatewayTimeout(gateway="manual", reason="people send it back")

    def look_up(self, request: LookUp) -> NeedsAction | NoAnswer:
        """The customer is still to act, as far as is known; of what people do nothing is known."""
        asked = request.operation is Operation.AUTHORISE
        return self._asked(ids.order_of(request.payment)) if asked else NoAnswer()

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Nobody sends any. Raises `BadWebhook`."""
        raise BadWebhook(gateway="manual", reason="nobody_sends_any")

    def _asked(self, order: str) -> NeedsAction:
        return NeedsAction(Action(instructions=self._instructions.format(order=order)))
