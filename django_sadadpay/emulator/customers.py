"""The merchant's customers (contract 10; every body is assumed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_sadadpay.emulator import objects
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.objects import Shape

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Stored
    from django_sadadpay.emulator.state import World


def _has_a_subscription(world: World, customer: Stored) -> bool:
    """One that is over does not hold the customer."""
    return any(
        row.values["customerId"] == customer.id and row.values["status"] == "Active"
        for row in objects.rows(world, "Subscription")
    )


CUSTOMER = Shape(
    name="Customer",
    prefix="CUS",
    columns=(
        Column("name", required="CustomerNameRequired"),
        Column("ref_Number"),
        Column("mobile"),
        Column("email"),
        Column("bank_Id", "integer"),
        Column("account_Holder_Name"),
        Column("account_Number"),
        Column("iban"),
        Column("other"),
    ),
    in_use=_has_a_subscription,
    filters={
        "name": objects.contains("name"),
        "mobile": objects.contains("mobile"),
        "email": objects.contains("email"),
        "refnumber": objects.contains("ref_Number"),
    },
)

SHAPES = (CUSTOMER,)

ROUTES = objects.routes(CUSTOMER, "getall", "getbyid", "insert", "update", "delete")
