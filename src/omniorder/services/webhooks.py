"""Webhooks: a provider says that something happened. What happened is fetched, never believed.

What was verified is kept before anything else is done: one row for each piece of news, with a timer, so the same
webhook twice (or twice at once) has one effect, and what can't be followed yet is followed later by the sweep, with
growing pauses, for as long as it takes. The provider is told that we have it in every case.

So the order of arrival does not matter, a repeated webhook changes nothing, and a forged one could at worst make us
look. Any framework can mount this: headers and body in, status and body out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain import webhooks as news
from omniorder.domain.actors import System
from omniorder.domain.answers import disputed
from omniorder.domain.channels import Channel
from omniorder.domain.events import Stamp
from omniorder.domain.lifecycle import PaymentState
from omniorder.domain.orders import Order
from omniorder.domain.webhooks import Webhook, WebhookState
from omniorder.errors import AlreadyThere, BadWebhook, GatewayFault, StorageFault
from omniorder.ports.payments import Notice
from omniorder.ports.writes import Timer, TimerWrite, WebhookWrite, Writes
from omniorder.services import payments
from omniorder.services.logs import log
from omniorder.services.parts import Parts
from omniorder.services.ripples import happened_since
from omniorder.services.surface import given
from omniorder.services.units import Seen, Unit, in_transaction, reading

_OVER: Final = (PaymentState.CAPTURED, PaymentState.DECLINED, PaymentState.VOIDED, PaymentState.LAPSED)


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
    gateway = parts.gateway(kind)
    try:
        told = gateway.read_webhook(headers, body)
    except BadWebhook as bad:
        log().warning("webhook refused", gateway=kind, outcome=bad.code)
        return WebhookReply(bad.status, bad.code)
    except GatewayFault as fault:  # which payment it is about had to be asked for
        log().warning("webhook not read", gateway=kind, outcome=fault.code)
        return WebhookReply(503, fault.code)
    stamp = Stamp(parts.clock.now(), Channel.SYSTEM, System("webhook").name)
    notices = (told,) if isinstance(told, Notice) else told
    try:
        new = [one for one in (_received(kind, notice, body, stamp) for notice in notices) if _keep(parts, one, stamp)]
    except StorageFault as fault:
        log().exception("a webhook could not be kept", gateway=kind, outcome=fault.code)
        return WebhookReply(503, fault.code)
    for webhook in new:
        if webhook.state is WebhookState.PARKED:
            _follow_now(parts, webhook, stamp)
    reply: object = getattr(gateway, "webhook_reply", "ok")
    return WebhookReply(200, str(reply))


def _received(kind: str, notice: Notice, body: bytes, stamp: Stamp) -> Webhook:
    return news.received(kind, notice.id, notice.kind, notice.payment, body, stamp.at, notice.disputed)


def _keep(parts: Parts, webhook: Webhook, stamp: Stamp) -> bool:
    """Write it down, with a timer in case that we die before it is followed; False when it was there before.

    Without an id of the provider's, a body that comes again may be other news of the same payment: once the first
    was followed, it is followed anew.
    """
    timers = (_timer(parts, webhook, stamp),) if webhook.state is WebhookState.PARKED else ()

    def work(unit: Unit) -> bool:
        before = None if webhook.event else unit.tx.webhook(webhook.id)
        if before is not None and before.state is not WebhookState.FOLLOWED:
            return False
        unit.tx.write(Writes(webhooks=(WebhookWrite(before, webhook),), timers=timers))
        return True

    try:
        return in_transaction(parts, stamp, work)
    except AlreadyThere:
        return False


def _follow_now(parts: Parts, webhook: Webhook, stamp: Stamp) -> None:
    """Follow it, for a provider that waits for an answer: we have it, so whatever goes wrong is ours to repeat."""
    try:
        _follow(parts, webhook, stamp)
    except StorageFault:
        log().exception("a webhook is left to the sweep", webhook=webhook.id)


def follow_again(parts: Parts, timer: Timer, stamp: Stamp) -> list[str]:
    """What the sweep does with a parked webhook that is due; the names of what happened to the order."""
    webhook = reading(parts, lambda tx: tx.webhook(timer.subject))
    if webhook is None or webhook.state is not WebhookState.PARKED:
        clear = TimerWrite(timer.store, timer.subject, None, if_due_at=timer.due_at)
        in_transaction(parts, stamp, lambda unit: unit.tx.write(Writes(timers=(clear,))))
        return []
    return _follow(parts, webhook, stamp)


def _follow(parts: Parts, webhook: Webhook, stamp: Stamp) -> list[str]:
    """Look at what it is about, and put down what became of it: followed, or parked until later."""
    order = reading(parts, lambda tx: tx.order(ids.order_of(webhook.payment)))
    if order is None or webhook.payment not in {p.id for p in order.payments}:
        # it is tagged as ours: whoever places the order may not have committed yet
        log().warning("webhook for an unknown payment", gateway=webhook.gateway, payment=webhook.payment)
        given_up = stamp.at >= webhook.received_at + parts.settings.webhook_retention
        _put_down(parts, webhook, news.ignored if given_up else news.parked, stamp)
        return []
    try:
        after, open_questions = _look(parts, order, webhook, stamp)
    except StorageFault:
        raise
    except Exception:
        log().exception("a webhook could not be followed", webhook=webhook.id, payment=webhook.payment)
        after, open_questions = order, True
    _put_down(parts, webhook, news.parked if open_questions else news.followed, stamp)
    return happened_since(parts, after, order.version)


def _look(parts: Parts, order: Order, webhook: Webhook, stamp: Stamp) -> tuple[Order, bool]:
    """Ask the provider about everything of this payment that may have changed, and carry on from there.

    The order as it is then, and whether something is still open that no timer of the order asks after.
    """
    payment = order.payment(webhook.payment)
    if payment.gateway not in parts.capabilities:
        return order, False
    order, open_questions = payments.hear_news(parts, order, webhook.payment, stamp)
    order = payments.drive(parts, order, stamp)
    return _dispute(parts, order, webhook, stamp, open_questions=open_questions)


def _dispute(parts: Parts, order: Order, webhook: Webhook, stamp: Stamp, *, open_questions: bool) -> tuple[Order, bool]:
    """Note what the customer's bank wants back, once all is taken; of one that came to nothing it is only told."""
    amount = webhook.disputed
    if amount is None:
        return order, open_questions
    payment = order.payment(webhook.payment)
    if payment.state not in _OVER:
        return order, True
    log().error("the customer's bank disputes a payment", payment=payment.id, amount=str(amount))
    return payments.tell(parts, order, stamp, lambda now: disputed(now.payment(payment.id), amount)), open_questions


def _put_down(parts: Parts, webhook: Webhook, change: Callable[[Webhook], Webhook], stamp: Stamp) -> None:
    """Record what became of it, unless somebody else who followed it has done so."""
    seen = Seen(webhook)

    def work(unit: Unit) -> None:
        before = seen.once() or unit.tx.webhook(webhook.id)
        if before is None or before.state is not WebhookState.PARKED:
            return
        after = change(before)
        if after.state is WebhookState.IGNORED:
            log().error("a webhook's payment never came to be", gateway=after.gateway, payment=after.payment)
        unit.tx.write(Writes(webhooks=(WebhookWrite(before, after),), timers=(_timer(parts, after, stamp),)))

    in_transaction(parts, stamp, work)


def _timer(parts: Parts, webhook: Webhook, stamp: Stamp) -> TimerWrite:
    """When to follow it again, if at all."""
    waits = webhook.state is WebhookState.PARKED
    due = stamp.at + webhook.pause(parts.settings.look_again) if waits else None
    return TimerWrite(webhook.store, webhook.id, due)
