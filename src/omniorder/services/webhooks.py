"""Webhooks: a provider says that something happened. What happened is fetched, never believed.

So the order of arrival does not matter, a repeated webhook changes nothing, and a forged one could at worst make us
look. Any framework can mount this: headers and body in, status and body out.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.actors import System
from omniorder.domain.answers import Absent, NoAnswer, may_turn_up
from omniorder.domain.channels import Channel
from omniorder.domain.events import Stamp
from omniorder.domain.payments import Operation
from omniorder.errors import BadWebhook, InvalidId
from omniorder.services import payments
from omniorder.services.logs import log
from omniorder.services.parts import Parts
from omniorder.services.surface import given
from omniorder.services.units import reading


@frozen
class WebhookReply:
    """What to answer the provider: `status` is an HTTP status, `body` plain text."""

    status: int
    body: str


def receive(parts: Parts, kind: str, headers: Mapping[str, str], body: bytes) -> WebhookReply:
    """See `OrderHub.webhook`."""
    payments.own_transaction(parts, "webhook")
    given(headers, Mapping, "headers", "must be the request's headers")
    given(body, bytes, "body", "must be the request's raw bytes")
    try:
        notice = parts.gateway(kind).read_webhook(headers, body)
    except BadWebhook as bad:
        log().warning("webhook refused", gateway=kind, outcome=bad.code)
        return WebhookReply(bad.status, bad.code)
    if not notice.payment:
        return WebhookReply(200, "not ours")
    try:
        order_id = ids.order_of(notice.payment)
        order = reading(parts, lambda tx: tx.order(order_id))
    except InvalidId:
        return WebhookReply(200, "not ours")
    if order is None or notice.payment not in {p.id for p in order.payments}:
        # it is tagged as ours but not known (yet): let the provider bring it again rather than lose it
        log().warning("webhook for an unknown payment", gateway=kind, payment=notice.payment)
        return WebhookReply(503, "unknown payment, try again later")
    stamp = Stamp(parts.clock.now(), Channel.SYSTEM, System("webhook").name)
    open_questions = False
    for attempt in order.payment(notice.payment).attempts:
        if attempt.open or may_turn_up(attempt):
            answer = payments.look_up(parts, order.payment(notice.payment), attempt)
            if isinstance(answer, Absent) and attempt.operation is Operation.VOID:
                # the void has not arrived, whereas what it was to give back may well be there: the sweep sends it again
                answer = NoAnswer()
            open_questions |= isinstance(answer, NoAnswer)
            order = payments.record(parts, order, attempt.id, answer, stamp)
    payments.drive(parts, order, stamp)
    return WebhookReply(503, "try again later") if open_questions else WebhookReply(200, "ok")
