"""What every payment gateway must keep, told as tests: for authors of adapters.

    class TestMyGateway(PaymentGatewayContract):
        def open(self) -> GatewayBench:
            return GatewayBench(MyGateway(...), GatewayTokens(approves="tok_1", declines="tok_2"))

Each promise opens a bench of its own and uses references of its own, so that a provider's sandbox, which
forgets nothing, will do. What the gateway's capabilities exclude must be refused, or is not asked where it would take
a method that the gateway need not have; a promise that needs a lever which the bench lacks is skipped, and the skip
names the lever.
"""

from omniorder.testing.contracts.payments.adjusting import Extending, Increasing
from omniorder.testing.contracts.payments.authorising import Authorising
from omniorder.testing.contracts.payments.bench import (
    THREADS,
    GatewayBench,
    GatewayTokens,
    SignsWebhooks,
)
from omniorder.testing.contracts.payments.counter import Collecting
from omniorder.testing.contracts.payments.finding import LookingUp, LostReplies
from omniorder.testing.contracts.payments.listing import Listing
from omniorder.testing.contracts.payments.refunding import Refunding
from omniorder.testing.contracts.payments.taking import Capturing, Voiding
from omniorder.testing.contracts.payments.webhooks import Webhooks

__all__ = ["THREADS", "GatewayBench", "GatewayTokens", "PaymentGatewayContract", "SignsWebhooks"]


class PaymentGatewayContract(
    Authorising, Capturing, Voiding, Refunding, LostReplies, LookingUp, Webhooks, Increasing, Extending, Collecting,
    Listing,
):  # fmt: skip
    """Subclass it as `Test...` and say in `open` how to open your gateway."""
