"""The contract of `omniorder.ports.storage.Storage`: every promise of the port's docstrings, as a test.

An adapter's test says how to open it, and that is all:

    class TestMyStorage(StorageContract):
        def open(self) -> Storage:
            ...  # a fresh, empty, migrated storage every time; the suite closes it

An adapter that can't serve two threads says `concurrent = False`, and those promises are skipped by name. One
that can join a transaction of the caller's overrides `joins`.
"""

from __future__ import annotations

from omniorder.testing.contracts.storage.accounts import AccountContract
from omniorder.testing.contracts.storage.answers import AnswerContract
from omniorder.testing.contracts.storage.bins import BinContract
from omniorder.testing.contracts.storage.carts import CartContract
from omniorder.testing.contracts.storage.consumers import ConsumerContract
from omniorder.testing.contracts.storage.counts import ImportContract, StockTakeContract
from omniorder.testing.contracts.storage.expected import ExpectedContract
from omniorder.testing.contracts.storage.handoffs import HandoffContract
from omniorder.testing.contracts.storage.journal import JournalContract
from omniorder.testing.contracts.storage.levels import CountContract, QuarantineContract, ShortageContract
from omniorder.testing.contracts.storage.orders import OrderContract, OrderListContract
from omniorder.testing.contracts.storage.owners import OwnerContract
from omniorder.testing.contracts.storage.payments import PaymentListContract
from omniorder.testing.contracts.storage.promises import PromiseContract, ReservationContract
from omniorder.testing.contracts.storage.refunds import RefundListContract
from omniorder.testing.contracts.storage.shop import ShopContract
from omniorder.testing.contracts.storage.stock import MovementContract, SlotContract, StockContract
from omniorder.testing.contracts.storage.timers import TimerContract, TryContract
from omniorder.testing.contracts.storage.transactions import JoinedContract, TransactionContract
from omniorder.testing.contracts.storage.transfers import TransferContract
from omniorder.testing.contracts.storage.webhooks import WebhookContract

__all__ = ["StorageContract"]


class StorageContract(
    TransactionContract,
    JoinedContract,
    ShopContract,
    CartContract,
    HandoffContract,
    PromiseContract,
    ReservationContract,
    OrderContract,
    OrderListContract,
    PaymentListContract,
    RefundListContract,
    OwnerContract,
    TransferContract,
    WebhookContract,
    StockContract,
    QuarantineContract,
    CountContract,
    ShortageContract,
    MovementContract,
    ExpectedContract,
    StockTakeContract,
    ImportContract,
    SlotContract,
    BinContract,
    AccountContract,
    TimerContract,
    TryContract,
    JournalContract,
    ConsumerContract,
    AnswerContract,
):
    """Everything that a storage promises."""
