"""What the public functions raise. Each message is a code; ``texts`` has the sentences that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_sadadpay import texts

if TYPE_CHECKING:
    from django_sadadpay.models import Invoice


class PaymentError(Exception):
    """Base of the public errors. ``code`` names the sentence in ``texts``; ``field`` what to mend, if
    anything.
    """

    code = "error"

    def __init__(self, code: str = "", *, field: str = "", invoice: Invoice | None = None) -> None:
        self.code = code or type(self).code
        self.field = field
        self.invoice = invoice
        super().__init__(f"{field}: {self.code}" if field else self.code)

    @property
    def sentence(self) -> str:
        """What to tell the person, in the active language."""
        return texts.error_sentence(self.code, self.field)


class AlreadyPaid(PaymentError):
    """The object's payment was applied already: ``invoice``."""

    code = "already_paid"


class NothingToPay(PaymentError):
    """The draft's amount is zero."""

    code = "nothing_to_pay"


class NeedsAttention(PaymentError):
    """A payment of this object waits for a person: ``invoice``. No new link is made meanwhile."""

    code = "needs_attention"


class Refused(PaymentError):
    """Refused here or by Sadad; ``code`` is ours or Sadad's error key (contract 11). Nothing was done."""

    code = "refused"


class TryAgain(PaymentError):
    """Sadad could not be reached and has surely done nothing; the same call may be made again."""

    code = "try_again"


class OutcomePending(PaymentError):
    """Another request is at it, or nobody knows yet whether Sadad acted. Background work finds out."""

    code = "outcome_pending"


class InsideTransaction(PaymentError, RuntimeError):
    """Called inside a transaction: it would hold the shop's locks during a network call (money-flow 9).

    Call it after the block, or use ``checkout_url``, which calls nobody.
    """

    code = "inside_transaction"
