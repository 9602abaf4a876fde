"""What came in through payment and product links. The pages themselves: ``pages``."""

from __future__ import annotations

from django.db.models import QuerySet

from django_sadadpay.models import Invoice, PaymentLink, ProductLink
from django_sadadpay.services import adoption


def invoices_of(link: PaymentLink | ProductLink) -> QuerySet[Invoice]:
    """Invoices that payers are known to have made through this link, newest first.

    Sadad's documents do not say how an invoice names its link (contract 3.7): what it does not name is in
    :func:`unassigned`.
    """
    rows: QuerySet[Invoice] = Invoice.objects.filter(
        account=link.account, environment=link.environment, made_from=adoption.maker(link)
    )
    return rows.order_by("-pk")


def unassigned(link: PaymentLink | ProductLink) -> QuerySet[Invoice]:
    """Invoices of the account that were made through some link of this kind; which one is not known."""
    rows: QuerySet[Invoice] = Invoice.objects.filter(
        account=link.account, environment=link.environment, made_from=link.kind
    )
    return rows.order_by("-pk")
