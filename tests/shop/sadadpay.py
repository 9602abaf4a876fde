"""Found by itself, as ``admin.py`` is."""

from __future__ import annotations

from decimal import Decimal

from django_sadadpay import (
    CannotFulfil,
    CategoryDraft,
    Customer,
    CustomerDraft,
    InvoiceDraft,
    Line,
    Mirrored,
    Payable,
    ProductDraft,
    ProductLinkDraft,
    SubscriptionDraft,
    TemplateDraft,
    register,
)
from django_sadadpay.models import Invoice, Refund
from tests.shop.models import Category, Choice, Client, Level, Membership, Order, Product


@register(Order, name="order")
class OrderPayable(Payable[Order]):
    def draft(self, obj: Order) -> InvoiceDraft:
        lines = [Line(line.name, line.price, line.quantity) for line in obj.lines.all()]
        customer = Customer(obj.customer_name, mobile="+96550000001", email="noor@example.com")
        return InvoiceDraft(
            reference=obj.number, amount=obj.amount, currency=obj.currency, customer=customer, lines=lines
        )

    def account(self, obj: Order) -> str:
        return obj.account

    def find(self, reference: str) -> Order | None:
        return Order.objects.filter(number=reference).first()

    def due(self, obj: Order) -> Decimal:
        return obj.amount

    def paid(self, obj: Order, invoice: Invoice) -> None:
        obj.status = "paid"
        obj.paid_calls += 1
        obj.save(update_fields=["status", "paid_calls"])
        if obj.behaviour == "raise":
            raise RuntimeError("the shop's own fault")
        if obj.behaviour == "cannot":
            raise CannotFulfil("sold out")

    def refunded(self, obj: Order, refund: Refund) -> None:
        if obj.behaviour == "raise_refund":
            raise RuntimeError("the shop's own fault")
        obj.refunded += refund.amount
        obj.refund_calls += 1
        obj.save(update_fields=["refunded", "refund_calls"])

    def expired(self, obj: Order, invoice: Invoice) -> None:
        if obj.behaviour == "raise_end":
            raise RuntimeError("the shop's own fault")
        Order.objects.filter(pk=obj.pk).update(status="expired")

    def cancelled(self, obj: Order, invoice: Invoice) -> None:
        Order.objects.filter(pk=obj.pk).update(status="cancelled")


@register("donation")
class DonationPayable(Payable[None]):
    """Without a model: the draft's key takes the object's place."""

    given: list[str] = []

    def draft(self, obj: object) -> InvoiceDraft:
        return InvoiceDraft(reference="gift", key=str(obj), amount="5.000", customer=Customer("A friend"))

    def paid(self, obj: None, invoice: Invoice) -> None:
        self.given.append(invoice.object_id)


@register(Category, name="category")
class CategoryMirror(Mirrored[Category]):
    def mirror(self, obj: Category) -> CategoryDraft:
        return CategoryDraft(name_en=obj.name)


@register(Product, name="product")
class ProductMirror(Mirrored[Product]):
    def mirror(self, obj: Product) -> ProductDraft | None:
        if obj.hidden:
            return None
        if obj.note == "raise":
            raise RuntimeError("the shop's own fault")
        return ProductDraft(
            category=obj.category,
            name_en=obj.name,
            name_ar=obj.name_ar,
            price=obj.price,
            quantity=obj.stock,
            stockable=True,
        )


@register(Client, name="client")
class ClientMirror(Mirrored[Client]):
    def mirror(self, obj: Client) -> CustomerDraft:
        return CustomerDraft(reference=obj.number, name=obj.name, mobile=obj.phone, email=obj.email)

    def account(self, obj: Client) -> str:
        return obj.account


@register(Choice, name="choice")
class ChoiceMirror(Mirrored[Choice]):
    def mirror(self, obj: Choice) -> ProductLinkDraft:
        return ProductLinkDraft(
            name_en=obj.title, name_ar=obj.title, products=obj.products.order_by("pk"), inactive=False
        )


@register(Level, name="level")
class LevelMirror(Mirrored[Level]):
    def mirror(self, obj: Level) -> TemplateDraft:
        return TemplateDraft(name_en=obj.name, amount=obj.fee, bill_period="Monthly")


@register(Membership, name="membership")
class MembershipMirror(Mirrored[Membership]):
    def mirror(self, obj: Membership) -> SubscriptionDraft:
        return SubscriptionDraft(
            reference=f"member-{obj.pk}",
            template=obj.level,
            customer=obj.client or Customer("A guest", mobile="+96550000009"),
        )
