"""Carts, with their lines, and the notes that customers write on lines."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, select, update

from omniorder import wire
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import moment
from omniorder.adapters.sql.documents import by_position, children, document, labels
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Rows, Values, changes
from omniorder.adapters.sql.schema import CART, CART_LINE, NOTE
from omniorder.domain.carts import Cart, CartLine
from omniorder.domain.consents import REFUSED, Consent
from omniorder.domain.lifecycle import CartState
from omniorder.ports.writes import CartWrite

_NOTE_OF_LINE: Final = (
    select(NOTE.c.text)
    .where(NOTE.c.owner == CART.c.owner, NOTE.c.subject == CART.c.id, NOTE.c.line_id == CART_LINE.c.id)
    .correlate(CART, CART_LINE)
    .scalar_subquery()
)
_DOCUMENT: Final = document(CART, lines=children(CART_LINE, CART_LINE.c.cart_id == CART.c.id, note=_NOTE_OF_LINE))
WHOLE: Final = select(_DOCUMENT)
"""Every cart, as one document each."""
_BY_ID: Final = WHOLE.where(CART.c.id == bindparam("id"))
_OPEN: Final = (
    WHOLE.where(CART.c.owner == bindparam("owner"), CART.c.state == CartState.OPEN.value)
    .order_by(CART.c.changed_at.desc(), CART.c.id.desc())
    .limit(1)
)
_OF_OWNER: Final = WHOLE.where(CART.c.owner == bindparam("owner")).order_by(CART.c.id).limit(bindparam("most"))
_INSERT: Final = CART.insert()
_UPDATE: Final = update(CART).where(and_(CART.c.id == bindparam("at_id"), CART.c.version == bindparam("at_version")))
_LINES: Final = Rows(CART_LINE, fixed=("position",))
_NOTES: Final = Rows(NOTE)


def load(link: Link, cart_id: str) -> Cart | None:
    """The cart with this id."""
    found = link.document(_BY_ID, {"id": cart_id})
    return None if found is None else cart_from(found)


def load_open(link: Link, owner: str) -> Cart | None:
    """The owner's open cart that was changed last."""
    found = link.document(_OPEN, {"owner": owner})
    return None if found is None else cart_from(found)


def load_all(link: Link, owner: str, limit: int) -> tuple[Cart, ...]:
    """The owner's carts, oldest first: ids are ordered by time."""
    return tuple(map(cart_from, link.documents(_OF_OWNER, {"owner": owner, "most": limit})))


def write(batch: Batch, change: CartWrite) -> None:
    """Insert or replace a cart; raises `AlreadyThere` or `StaleWrite`."""
    before, cart = change.before, change.after
    if before is None:
        batch.insert(_INSERT, {"id": cart.id} | _values(cart), "cart", cart.id)
        _LINES.add(batch, _line_rows(cart), "cart", cart.id)
        write_notes(batch, [], note_rows(cart), cart.id)
        return
    at = {"at_id": cart.id, "at_version": before.version}
    new = {"version": cart.version} | changes(_values(before), _values(cart))
    batch.guarded(_UPDATE, new | at, "cart", cart.id)
    if (cart.lines, cart.owner) == (before.lines, before.owner):
        return
    if _moved(before, cart):
        _LINES.sync(batch, _line_rows(before), [], "cart", cart.id)
        _LINES.add(batch, _line_rows(cart), "cart", cart.id)
    else:
        _LINES.sync(batch, _line_rows(before), _line_rows(cart), "cart", cart.id)
    write_notes(batch, note_rows(before), note_rows(cart), cart.id)


def write_notes(batch: Batch, before: list[Values], after: list[Values], id: str) -> None:
    """Turn these notes of the cart or order `id` into those."""
    if before or after:
        _NOTES.sync(batch, before, after, "note", id)


def note_rows(cart: Cart) -> list[Values]:
    """The notes on a cart's lines; a line without a note has no row."""
    return [
        {"owner": cart.owner, "subject": cart.id, "line_id": line.id, "text": line.note}
        for line in cart.lines
        if line.note
    ]


def _moved(before: Cart, after: Cart) -> bool:
    """Whether lines changed places; usually they only come last and go."""
    kept = {line.id for line in after.lines}
    stayed = [line.id for line in before.lines if line.id in kept]
    return [line.id for line in after.lines[: len(stayed)]] != stayed


def _values(cart: Cart) -> Values:
    return {
        "owner": cart.owner,
        "state": cart.state.value,
        "version": cart.version,
        "lines_version": cart.lines_version,
        "started_at": cart.started_at,
        "changed_at": cart.changed_at,
        "language": cart.language,
        "metadata": dict(cart.metadata),
        "promise_id": cart.promise_id,
        "order_id": cart.order_id,
        "merged_into": cart.merged_into,
    }


def _line_rows(cart: Cart) -> list[Values]:
    """The lines' rows. A line that comes later has a higher version, so it stands behind those that stay."""
    return [
        {
            "cart_id": cart.id,
            "id": line.id,
            "position": cart.version << 16 | place,
            "sku": line.sku,
            "quantity": line.quantity,
            "version": line.version,
            "metadata": dict(line.metadata),
            "consent": None if line.consent == REFUSED else wire.dump(line.consent),
        }
        for place, line in enumerate(cart.lines)
    ]


def _consent(found: Any) -> Consent:
    return REFUSED if found is None else wire.load(Consent, found)


def cart_from(found: dict[str, Any]) -> Cart:
    """The cart of a document."""
    return Cart(
        id=found["id"],
        owner=found["owner"],
        state=CartState(found["state"]),
        version=found["version"],
        lines=tuple(
            CartLine(
                line["id"], line["sku"], line["quantity"], line["note"] or "",
                labels(line["metadata"]), line["version"], _consent(line["consent"]),
            )
            for line in by_position(found["lines"])
        ),
        started_at=moment(found["started_at"]),
        changed_at=moment(found["changed_at"]),
        language=found["language"],
        metadata=labels(found["metadata"]),
        lines_version=found["lines_version"],
        promise_id=found["promise_id"],
        order_id=found["order_id"],
        merged_into=found["merged_into"],
    )  # fmt: skip
