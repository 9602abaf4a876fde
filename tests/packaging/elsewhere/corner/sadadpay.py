from __future__ import annotations

from corner.models import Order
from django_sadadpay import Customer, InvoiceDraft, Payable, register


@register(Order, name="order")
class OrderPayable(Payable):
    def draft(self, order):
        return InvoiceDraft(reference=f"C{order.pk}", amount=order.total, customer=Customer("A buyer"))

    def paid(self, order, invoice):
        order.is_paid = True
        order.save(update_fields=["is_paid"])
