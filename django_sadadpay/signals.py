"""Signals, sent after commit with ``send_robust``. They can be lost if the process dies: what must happen
goes into ``Payable.paid``.
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
