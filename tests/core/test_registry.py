from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_sadadpay import money
from django_sadadpay.models import Invoice
from django_sadadpay.registry import (
    CannotFulfil,
    Customer,
    DraftError,
    InvoiceDraft,
    Line,
    Payable,
    Registry,
    payables,
    register,
)
from tests.shop.models import Order, OrderLine


class GiftOrder(Order):
    class Meta:
        proxy = True
        app_label = "shop"


class Plain(Payable[Any]):
    def draft(self, obj: Any) -> InvoiceDraft:
        return InvoiceDraft(reference="1", amount="2.5", customer=Customer("Noor"))


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def forgotten() -> Iterator[list[str]]:
    """Names registered by the test; nobody else sees them."""
    names: list[str] = []
    yield names
    for name in names:
        payables.remove(name)


def test_a_registered_class_is_found_by_name_and_by_object(registry: Registry) -> None:
    registry.add(Plain, Order, "order")
    found = registry.get("order")
    assert found is not None
    assert isinstance(found, Plain)
    assert (found.name, found.model) == ("order", Order)
    assert registry.for_object(Order()) is found
    assert list(registry) == [found]
    assert registry.get("another") is None


def test_a_name_can_be_registered_once(registry: Registry) -> None:
    registry.add(Plain, Order, "order")
    with pytest.raises(ImproperlyConfigured, match=r"two .* registered as 'order': Plain and Plain"):
        registry.add(Plain, OrderLine, "order")


@pytest.mark.parametrize("name", ["", "n" * 101])
def test_a_name_has_1_to_100_characters(registry: Registry, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"Plain: a payable's name has 1 to 100 characters"):
        registry.add(Plain, Order, name)


def test_a_removed_payable_is_forgotten(registry: Registry) -> None:
    registry.add(Plain, Order, "order")
    registry.remove("order")
    registry.remove("order")
    assert list(registry) == []


def test_one_class_serves_two_models_under_two_names(registry: Registry) -> None:
    registry.add(Plain, Order, "order")
    registry.add(Plain, OrderLine, "line")
    assert registry.for_object(Order()).name == "order"
    assert registry.for_object(OrderLine()).name == "line"
    assert Plain.name == ""


def test_a_proxy_is_paid_as_its_base_unless_it_has_its_own(registry: Registry) -> None:
    registry.add(Plain, Order, "order")
    assert registry.for_object(GiftOrder()).name == "order"
    registry.add(Plain, GiftOrder, "gift")
    assert registry.for_object(GiftOrder()).name == "gift"
    assert registry.for_object(Order()).name == "order"


def test_two_payables_for_one_model_are_ambiguous(registry: Registry) -> None:
    registry.add(Plain, Order, "order")
    registry.add(Plain, Order, "deposit")
    with pytest.raises(ImproperlyConfigured, match=r"needs exactly one payable, found: deposit, order\."):
        registry.for_object(Order())


def test_an_object_without_a_payable_is_told_where_to_register_it(registry: Registry) -> None:
    registry.add(Plain, None, "donation")
    with pytest.raises(ImproperlyConfigured, match=r"OrderLine .*, found: none\. Register it in"):
        registry.for_object(OrderLine())


def test_a_payable_may_be_abstract_elsewhere(registry: Registry) -> None:
    class Base(Plain, ABC):
        pass

    registry.add(Base, Order, "order")
    assert isinstance(registry.get("order"), Base)


def test_register_stores_under_the_given_name_and_returns_the_class(forgotten: list[str]) -> None:
    forgotten += ["two", "shop.orderline", "gift of money"]
    assert register(Order, name="two")(Plain) is Plain
    register(OrderLine)(Plain)
    register("gift of money")(Plain)
    models = {name: payable.model for name in forgotten if (payable := payables.get(name))}
    assert models == {"two": Order, "shop.orderline": OrderLine, "gift of money": None}


def test_a_payable_without_a_draft_says_what_to_write() -> None:
    class Forgetful(Payable[Order]):
        pass

    with pytest.raises(ImproperlyConfigured, match=r"Forgetful must define draft\(self, obj\)"):
        Forgetful().draft(Order())


def test_what_a_payable_does_unless_it_says_otherwise() -> None:
    payable, order, invoice = Plain(), Order(), Invoice()
    assert payable.due(order) == Decimal("2.500")
    assert payable.can_pay(order, None)
    assert payable.account(order) == "default"
    assert payable.return_url(order, invoice) is None


def test_the_default_amount_due_refuses_floats() -> None:
    class Careless(Payable[Order]):
        def draft(self, obj: Order) -> InvoiceDraft:
            return InvoiceDraft(reference="1", amount=1.5, customer=Customer("Noor"))  # type: ignore[arg-type]  # the fault

    with pytest.raises(money.MoneyError, match=r"not float"):
        Careless().due(Order())


def test_a_customer_is_in_no_repr() -> None:
    customer = Customer("Noor Al-Sabah", mobile="+96550000001", email="noor@example.com")
    draft = InvoiceDraft(reference="1", amount=1, customer=customer, lines=[Line("Coffee", 1)])
    for secret in ("Noor", "9655", "noor@"):
        assert secret not in repr(draft)


def test_cannot_fulfil_carries_its_reason() -> None:
    assert CannotFulfil("sold out").reason == "sold out"
    assert CannotFulfil().reason == ""


def test_a_draft_error_names_the_field() -> None:
    error = DraftError("customer.email", "is not an e-mail address")
    assert (error.field, error.problem) == ("customer.email", "is not an e-mail address")
    assert str(error) == "customer.email: is not an e-mail address"
    assert isinstance(error, ValueError)
