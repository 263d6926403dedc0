"""An order that is paid by meal voucher, from the promise to the counter.

python examples/adapters/pay_by_voucher.py
"""

from __future__ import annotations

from voucher_service import WEBHOOK_SECRET, VoucherService
from vouchers import Voucher, VoucherGateway

from omniorder.errors import PaymentDeclined, StillRunning
from omniorder.testing import Shop


def main() -> None:
    with VoucherService() as service:
        gateway = VoucherGateway(service.url, api_key="test", webhook_secret=WEBHOOK_SECRET)
        with Shop.example(gateways={Voucher.kind: gateway}) as shop:
            tell(shop, service)


def tell(shop: Shop, service: VoucherService) -> None:
    promise = shop.promise(4)
    try:
        shop.web.checkout.place(promise.id, pay=Voucher("MEAL-500"))
    except PaymentDeclined as declined:
        print("declined:", declined.facts["reason"])

    order = shop.web.checkout.place(promise.id, pay=Voucher("MEAL-5000"))
    print(order.stage, order.payments[-1].outcome)

    headers, body = service.signed_webhook(order.payments[-1].id, "hold.made")
    print("webhook:", shop.hub.webhook("voucher", headers=headers, body=body))

    for line in order.lines:
        shop.store.pickups.pick(order.id, line.id, line.quantity)
    shop.store.pickups.ready(order.id)
    code = shop.app.orders.pickup_pass(order.id).code

    service.lose_next_reply()  # the money is taken, and we don't hear of it
    try:
        shop.store.pickups.hand_over(order.id, code=code)
    except StillRunning as unclear:
        print("at the counter:", unclear.code)

    shop.advance(minutes=2)  # the sweep looks it up
    receipt = shop.store.pickups.hand_over(order.id, code=code)
    print(receipt.order.stage, receipt.order.payments[-1].captured)


if __name__ == "__main__":
    main()
