"""What is to be scanned as a QR code, for a terminal or a page. Needs the extra `qr`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from omniorder.domain.handoffs import HandoffTicket
from omniorder.domain.passes import PickupPass
from omniorder.errors import MissingExtra

if TYPE_CHECKING:
    import segno


Scannable = PickupPass | HandoffTicket | str
"""A pick-up pass, a handoff's ticket, or any text, such as the ticket's link."""


def svg(content: Scannable, *, scale: int = 4) -> str:
    """An `<svg>` element to put into a page; `scale` is the size of one module in pixels. Raises `MissingExtra`."""
    return _code(content).svg_inline(scale=scale)


def terminal(content: Scannable) -> str:
    """Lines of block characters that a phone can scan off a terminal. Raises `MissingExtra`."""
    out = io.StringIO()
    _code(content).terminal(out=out, compact=True, border=2)
    return out.getvalue()


def _code(content: Scannable) -> segno.QRCode:
    try:
        import segno
    except ImportError:
        raise MissingExtra(needs="segno", extra="qr") from None
    return segno.make_qr(content if isinstance(content, str) else content.qr)
