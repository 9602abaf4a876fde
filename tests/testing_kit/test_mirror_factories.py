"""The mirrors' factories: every trait satisfies the constraints, and what is in step counts as pushed."""

from __future__ import annotations

from typing import Any

import pytest

from django_sadadpay.models import Mirror
from django_sadadpay.testing import factories

pytestmark = pytest.mark.django_db
ALL = [
    factories.CustomerFactory,
    factories.ProductCategoryFactory,
    factories.ProductFactory,
    factories.ProductLinkFactory,
    factories.PaymentLinkFactory,
    factories.InstallmentPlanFactory,
    factories.SubscriptionTemplateFactory,
    factories.SubscriptionFactory,
    factories.SubscriptionLinkFactory,
]
STATES = {
    "": Mirror.State.SYNCED,
    "pending": Mirror.State.PENDING,
    "failed": Mirror.State.FAILED,
    "unknown": Mirror.State.UNKNOWN,
    "leaving": Mirror.State.PENDING,
    "deleted": Mirror.State.DELETED,
}


@pytest.mark.parametrize("factory", ALL)
@pytest.mark.parametrize("trait", STATES)
def test_every_trait_can_be_stored(factory: Any, trait: str) -> None:
    row = factory(**({trait: True} if trait else {}))
    row.refresh_from_db()
    assert row.state == STATES[trait]
    assert (row.digest == row.pushed_digest) == (trait == "")
    for column, name in type(row).SHOWN.items():
        assert str(row.payload.get(name, "")) == str(getattr(row, column)), column


def test_a_link_lists_its_products_in_their_order() -> None:
    products = [factories.ProductFactory() for _ in range(3)][::-1]
    link = factories.ProductLinkFactory(products=products)
    assert [item.product for item in link.items.all()] == products
    assert link.digest == link.pushed_digest != factories.ProductLinkFactory().digest


def test_a_row_can_come_from_a_shop_s_object() -> None:
    row = factories.ProductFactory(source="product", object_id="7")
    assert row.source_key
    assert factories.ProductFactory().source_key is None


def test_a_row_can_be_built_without_a_database_row() -> None:
    assert factories.PaymentLinkFactory.build(title="Rent").payload["title"] == "Rent"
