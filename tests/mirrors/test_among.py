"""A column among many values: the same rows on every database."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_sadadpay.models import Customer
from django_sadadpay.services.among import among

pytestmark = pytest.mark.django_db
NAMES = ("Noor", "نور", "O'Hara, {x}", 'say "hi"', "back\\slash", "%s", "NULL", "")


@pytest.fixture
def customers() -> None:
    Customer.objects.bulk_create(
        Customer(account="default", environment="sandbox", sadad_id=str(number), name=name)
        for number, name in enumerate(NAMES, 1)
    )


def names(*asked: str) -> set[str]:
    return set(Customer.objects.filter(among("name", asked)).values_list("name", flat=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_text_finds_itself_and_nothing_else(customers: None, name: str) -> None:
    assert names(name) == {name}


def test_several_find_each_of_theirs(customers: None) -> None:
    assert names(*NAMES) == set(NAMES)
    assert names("Noor", "نور", "nobody") == {"Noor", "نور"}
    as_keys = Customer.objects.filter(among("name", dict.fromkeys(NAMES, 1)))
    assert set(as_keys.values_list("name", flat=True)) == set(NAMES)


def test_nothing_finds_nothing(customers: None) -> None:
    assert names() == set()
    assert list(Customer.objects.filter(among("name", []), sadad_id="1")) == []


def test_it_joins_other_conditions(customers: None) -> None:
    found = Customer.objects.filter(among("name", NAMES)).exclude(among("sadad_id", ["1", "2"]))
    assert set(found.values_list("name", flat=True)) == set(NAMES[2:])
    assert Customer.objects.filter(among("name", ["Noor"]), among("sadad_id", ["2"])).count() == 0


def test_a_row_without_a_value_is_never_among_them(customers: None) -> None:
    Customer.objects.create(account="default", environment="sandbox", name="new")
    assert Customer.objects.filter(among("sadad_id", ["1", "None", ""])).count() == 1


def test_ten_thousand_values_are_one_look(customers: None) -> None:
    """SQLite takes 250,000 parameters, PostgreSQL one array."""
    with CaptureQueriesContext(connection) as seen:
        found = list(Customer.objects.filter(among("sadad_id", [str(n) for n in range(10_000)])))
    assert (len(found), len(seen)) == (len(NAMES), 1)
