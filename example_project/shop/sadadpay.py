"""How an order is paid, and what is kept at Sadad.

With settings, one ``include()`` and ``checkout_url`` it is all that a shop writes.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from django_sadadpay import (
    CategoryDraft,
    CustomerDraft,
    InvoiceDraft,
    Line,
    Mirrored,
    Payable,
    ProductDraft,
    SubscriptionDraft,
    TemplateDraft,
    register,
)
from django_sadadpay import Customer as Payer
from django_sadadpay.models import Invoice, Refund, Subscription, SubscriptionPeriod
from django_sadadpay.signals import subscription_ended, subscription_renewed
from example_project.shop.models import Box, Category, Customer, Delivery, Note, Order, Product, Subscriber


@register(Order, name="order")
class OrderPayable(Payable[Order]):
    def draft(self, order: Order) -> InvoiceDraft:
        return InvoiceDraft(
            reference=order.number,
            amount=order.amount,
            customer=Payer(order.customer.name, mobile=order.customer.phone, email=order.customer.email),
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


# Kept at Sadad, too: whoever saves one of these, anywhere, has said it to Sadad as well.


@register(Category)
class CategoryMirror(Mirrored[Category]):
    def mirror(self, category: Category) -> CategoryDraft:
        return CategoryDraft(name_en=category.name_en, name_ar=category.name_ar, sort=category.position)


@register(Product)
class ProductMirror(Mirrored[Product]):
    def mirror(self, product: Product) -> ProductDraft:
        return ProductDraft(
            category=product.category,
            name_en=product.name_en,
            name_ar=product.name_ar,
            desc_en=product.text_en,
            desc_ar=product.text_ar,
            price=product.price,
        )


@register(Customer)
class CustomerMirror(Mirrored[Customer]):
    def mirror(self, customer: Customer) -> CustomerDraft:
        return CustomerDraft(name=customer.name, mobile=customer.phone, email=customer.email)


@register(Box)
class BoxMirror(Mirrored[Box]):
    def mirror(self, box: Box) -> TemplateDraft:
        return TemplateDraft(
            name_en=box.name_en,
            name_ar=box.name_ar,
            amount=box.price,
            bill_period="Monthly",
            duration_period="Monthly",
            duration_no=box.months,
        )


@register(Subscriber)
class SubscriberMirror(Mirrored[Subscriber]):
    def mirror(self, subscriber: Subscriber) -> SubscriptionDraft:
        return SubscriptionDraft(
            template=subscriber.box,
            customer=subscriber.customer,
            reference=subscriber.number,
            lang=subscriber.language,
        )


@receiver(subscription_renewed)
def send_a_box(subscription: Subscription, period: SubscriptionPeriod, **_: Any) -> None:
    """A month was paid. Exactly once, as ``paid`` is."""
    if subscription.object_id:  # not one that was made in Sadad's panel
        Delivery.objects.create(subscriber_id=int(subscription.object_id), month=period.number)


@receiver(subscription_ended)
def stop(subscription: Subscription, **_: Any) -> None:
    if subscription.object_id:
        Subscriber.objects.filter(pk=subscription.object_id).update(is_over=True)
