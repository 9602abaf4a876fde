"""How an order is paid: with settings, one ``include()`` and ``checkout_url`` all that a shop writes."""

from __future__ import annotations

from django_sadadpay import Customer, InvoiceDraft, Line, Payable, register
from django_sadadpay.models import Invoice, Refund
from example_project.shop.models import Note, Order


@register(Order, name="order")
class OrderPayable(Payable[Order]):
    def draft(self, order: Order) -> InvoiceDraft:
        return InvoiceDraft(
            reference=order.number,
            amount=order.amount,
            customer=Customer(order.name, mobile=order.phone, email=order.email),
            lines=[Line(line.name, line.price, line.quantity) for line in order.lines.all()],
            language=order.language,
        )

    def paid(self, order: Order, invoice: Invoice) -> None:
        order.status = Order.Status.PAID
        order.save(update_fields=["status"])
        order.log(Note.What.PAID, invoice.paid_amount)

    def refunded(self, order: Order, refund: Refund) -> None:
        order.refunded += refund.amount
        order.save(update_fields=["refunded"])
        order.log(Note.What.REFUNDED, refund.amount)

    def return_url(self, order: Order, invoice: Invoice) -> str | None:
        return order.get_absolute_url() if order.is_paid else None  # None: django-sadadpay's own page
