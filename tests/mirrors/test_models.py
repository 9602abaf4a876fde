"""What must never be in a mirror's row is refused by the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from django_sadadpay.models import (
    Attention,
    Customer,
    Installment,
    Mirror,
    PaymentLink,
    Product,
    ProductCategory,
    ProductLink,
    ProductLinkItem,
    SubscriptionPeriod,
)
from django_sadadpay.models.mirror import digest
from django_sadadpay.services.kinds import KINDS

pytestmark = pytest.mark.django_db
HERE = {"account": "default", "environment": "sandbox"}


@pytest.mark.parametrize("model", [kind.model for kind in KINDS])
@pytest.mark.parametrize(
    "values",
    [
        {"state": "synced"},
        {"state": "synced", "sadad_id": "1", "wanted": "absent"},
        {"state": "synced", "sadad_id": "1", "sending": "update", "sent_at": timezone.now()},
        {"state": "deleted"},
        {"state": "unknown"},
        {"sending": "insert"},
        {"sent_at": timezone.now()},
    ],
)
def test_a_state_that_says_two_things_is_refused(model: type[Mirror], values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        model._base_manager.create(**HERE, **values)


@pytest.mark.parametrize("model", [kind.model for kind in KINDS])
def test_an_id_of_sadads_belongs_to_one_row_of_an_account_and_environment(model: type[Mirror]) -> None:
    rows = model._base_manager
    rows.create(**HERE, sadad_id="7")
    rows.create(account="default", environment="live", sadad_id="7")
    rows.create(account="second", environment="sandbox", sadad_id="7")
    rows.create(**HERE)
    rows.create(**HERE)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.create(**HERE, sadad_id="7")


@pytest.mark.parametrize("model", [kind.model for kind in KINDS])
def test_an_object_of_the_shop_has_one_row_in_an_account_and_environment(model: type[Mirror]) -> None:
    rows = model._base_manager
    rows.create(**HERE, source_key="product:7")
    rows.create(account="default", environment="live", source_key="product:7")
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.create(**HERE, source_key="product:7")


def test_nothing_cascades() -> None:
    tables: list[type[models.Model]] = [
        *(kind.model for kind in KINDS),
        ProductLinkItem,
        Installment,
        SubscriptionPeriod,
    ]
    keys = [field for table in tables for field in table._meta.fields if field.many_to_one]
    assert {field.remote_field.on_delete for field in keys if field.remote_field} == {models.PROTECT}


def test_a_category_with_products_stays() -> None:
    category = ProductCategory.objects.create(**HERE)
    Product.objects.create(**HERE, category=category)
    with pytest.raises(ProtectedError):
        category.delete()


def test_what_is_listed_stands_in_columns_and_the_rest_in_the_payload() -> None:
    row = Product(**HERE)
    row.take({"name_en": "Beans", "price": "1.250", "desc_en": "From Yemen"})
    row.save()
    row.refresh_from_db()
    assert (row.name_en, str(row.price)) == ("Beans", "1.250")
    assert row.payload["desc_en"] == "From Yemen"
    assert str(row) == "Beans"


def test_a_digest_is_of_values_parents_and_children_whatever_their_order_in_the_payload() -> None:
    one, two = Product(**HERE), Product(**HERE)
    one.take({"name_en": "a", "price": "1.000"})
    two.take({"price": "1.000", "name_en": "a"})
    assert one.digest == two.digest
    two.category_id = 5
    two.take({"price": "1.000", "name_en": "a"})
    link, other = ProductLink(**HERE), ProductLink(**HERE)
    link.take({"name_en": "a"}, [1, 2])
    other.take({"name_en": "a"}, [2, 1])
    assert len({one.digest, two.digest, link.digest, other.digest, digest([])}) == 5


def test_a_value_that_is_gone_empties_its_column() -> None:
    link = PaymentLink(**HERE, amount="5.000", title="Tea", inactive=True)
    link.take({"title": None})
    assert (link.amount, link.title, link.inactive) == (None, "", False)


def test_no_customer_is_named_where_rows_are_written_to_a_log() -> None:
    row = Customer(**HERE)
    row.take(
        {"name": "Noor Al-Sabah", "mobile": "+96550000001", "email": "noor@example.com", "ref_number": "K-7"}
    )
    assert "Noor" not in f"{row!r} {row}"
    assert "9655" not in f"{row!r} {row}"
    assert str(row) == "K-7"
    assert str(Customer(**HERE, code="CUS-00007")) == "CUS-00007"


def test_a_row_without_a_name_is_called_by_its_number() -> None:
    row = Product.objects.create(**HERE)
    assert str(row) == f"product {row.pk}"


def test_a_case_names_its_mirror() -> None:
    row = Product.objects.create(**HERE)
    case = Attention(subject=f"product:{row.pk}")
    case._state.db = "default"
    assert case.mirror == row
    assert Attention().mirror is None
