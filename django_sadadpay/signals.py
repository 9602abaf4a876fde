"""Signals. Those of invoices are sent after commit with ``send_robust``. They can be lost if the process
dies: what must happen goes into ``Payable.paid``.

Those of subscriptions and plans take effect exactly once, as ``Payable.paid`` does: their receivers run in a
transaction, after that of the payment; if one raises, what all of them stored is undone, and they are called
again.
"""

from __future__ import annotations

from django.dispatch import Signal

#: ``invoice``: the payment was recorded and ``Payable.paid()`` took effect.
invoice_paid = Signal()
#: ``invoice``, ``refund``: a refund was done, ours or one made in Sadad's panel.
invoice_refunded = Signal()
#: ``invoice``: it ran out unpaid.
invoice_expired = Signal()
#: ``invoice``: it was cancelled by staff or in Sadad's panel.
invoice_cancelled = Signal()
#: ``invoice`` (may be None), ``attention``: something waits for a person.
invoice_needs_attention = Signal()

#: ``subscription``, ``period``, ``invoice``: a period was paid.
subscription_renewed = Signal()
#: ``subscription``, ``period``: the day of the next bill came, and this one is unpaid. It may be paid later.
subscription_missed = Signal()
#: ``subscription``: it was closed, has run its course, or was deleted.
subscription_ended = Signal()
#: ``plan``, ``installment``, ``invoice``: a part of an instalment plan was paid.
installment_paid = Signal()
