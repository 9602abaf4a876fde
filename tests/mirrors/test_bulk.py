"""New rows in one statement are the rows that Django itself would have stored, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from django_sadadpay.models import Customer, Mirror, Product
from django_sadadpay.services import bulk
from django_sadadpay.services.kinds import KINDS, Kind

pytestmark = pytest.mark.django_db
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
KUWAIT = timezone(timedelta(hours=3))
MOMENT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=KUWAIT)
TEXT = "قهوة عربية 😀 \"double\" 'single' back\\slash %s %% {brace}\n\ttab é"
NESTED: dict[str, Any] = {
    "text": TEXT,
    "price": "1.250",
    "number": 12345678901234567,
    "none": None,
    "flags": [True, False, None, 0, 1, -7],
    "rows": [{"ar": "منتج", "deep": [[{"x": []}], {}]}, ""],
    TEXT: "a key of any text",
}
#: As ``reply`` holds what Sadad said: with Decimals and moments, which its encoder writes as text.
SAID: dict[str, Any] = {
    **NESTED,
    "amount": Decimal("1.250"),
    "zero": Decimal("0.000"),
    "day": date(2026, 2, 3),
}


def parents(kind: Kind) -> dict[str, int]:
    """Stored parents of the kind, by column."""
    made = {}
    for name in kind.model.PARENTS:
        model: Any = kind.model._meta.get_field(name).related_model
        made[f"{name}_id"] = model.objects.create(account="default", environment="sandbox").pk
    return made


def full(field: models.Field[Any, Any], number: int) -> Any:
    """A value that is easy to get wrong."""
    if isinstance(field, models.JSONField):
        return SAID if field.encoder else NESTED
    if isinstance(field, models.DateTimeField):
        return MOMENT + timedelta(microseconds=number)
    if isinstance(field, models.DateField):
        return date(2026, 2, 28)
    if isinstance(field, models.DecimalField):
        return Decimal("999999999999.125") - number
    if isinstance(field, models.BooleanField):
        return True
    if isinstance(field, models.IntegerField):
        return 2_147_483_647 - number
    return f"{number}{TEXT}"[: field.max_length]


def empty(field: models.Field[Any, Any], _number: int) -> Any:
    if field.null:
        return None
    return Decimal("0.000") if isinstance(field, models.DecimalField) else field.get_default()


def rows(kind: Kind, values: dict[str, Any], make: Any, first: int = 1) -> list[Mirror]:
    fields = [f for f in kind.model._meta.concrete_fields if not f.primary_key and not f.is_relation]
    made = []
    for number in range(first, first + 3):
        of_fields = {f.attname: make(f, number) for f in fields}
        mine = {"account": "default", "environment": "sandbox", "sadad_id": str(7_000_000_000 + number)}
        # the constraints say which of these fit together
        told = {"state": "pending", "wanted": "present", "sending": "", "sent_at": None, "held": ""}
        told = {name: value for name, value in told.items() if name in of_fields}
        made.append(kind.model(**{**of_fields, **values, **told, **mine}))
    return made


def stored(found: Sequence[Mirror]) -> list[dict[str, Any]]:
    """What the database holds of these rows, without the keys that it gave them."""
    rows: Any = type(found[0])._base_manager
    by_key = {row.pop("id"): row for row in rows.filter(pk__in=[row.pk for row in found]).values()}
    return [by_key[row.pk] for row in found]


@each_kind
@pytest.mark.parametrize("make", [full, empty])
def test_what_is_stored_is_what_django_would_have_stored(kind: Kind, make: Any) -> None:
    values = parents(kind) if make is full else {}
    mine, djangos = rows(kind, values, make), rows(kind, values, make)
    bulk.insert(mine)
    ours = stored(mine)
    kind.model._base_manager.filter(pk__in=[row.pk for row in mine]).delete()
    kind.model._base_manager.bulk_create(djangos)
    assert ours == stored(djangos)
    if make is full:
        assert ours[0]["synced_at"] == MOMENT.astimezone(UTC) + timedelta(microseconds=1)
        assert ours[0]["payload"] == NESTED
        assert ours[0]["reply"] == {**NESTED, "amount": "1.250", "zero": "0.000", "day": "2026-02-03"}


@each_kind
def test_each_row_learns_its_own_primary_key(kind: Kind) -> None:
    made = rows(kind, {}, empty)
    made.reverse()
    bulk.insert(made)
    assert [row._state.adding for row in made] == [False] * 3
    there = dict(kind.model._base_manager.values_list("sadad_id", "pk"))
    assert {row.sadad_id: row.pk for row in made} == there
    made[0].code = "written again"
    made[0].save(update_fields=["code"])
    assert kind.model._base_manager.get(code="written again").sadad_id == made[0].sadad_id


@each_kind
def test_one_that_is_there_already_stops_them_all(kind: Kind) -> None:
    bulk.insert(rows(kind, {}, empty))
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(rows(kind, {}, empty, first=3))
    assert kind.model._base_manager.count() == 3


def test_a_text_that_is_too_long_is_never_cut() -> None:
    made = Product(sadad_id="7", code="x" * 61)
    if connection.vendor == "sqlite":  # knows no lengths
        bulk.insert([made])
        assert Product.objects.get().code == "x" * 61
        return
    with pytest.raises(DataError), transaction.atomic():
        bulk.insert([made])
    assert not Product.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="it knows no number of digits")
def test_an_amount_of_too_many_digits_is_an_error() -> None:
    with pytest.raises(DataError), transaction.atomic():
        bulk.insert([Product(sadad_id="7", price=Decimal("1e12"))])
    assert not Product.objects.exists()


@pytest.mark.parametrize("column", ["payload", "error_params"])
def test_nothing_where_something_must_be_is_an_error(column: str) -> None:
    made = Customer(account="default", environment="sandbox", sadad_id="7", **{column: None})
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([made])


def test_no_reply_is_sql_s_null_and_no_json_of_that_name() -> None:
    none, inside = Customer(sadad_id="1", reply=None), Customer(sadad_id="2", reply={"x": None})
    bulk.insert([none, inside])
    assert Customer.objects.get(reply__isnull=True) == none
    assert Customer.objects.get(reply__x=None) == inside


def test_a_thousand_rows_are_one_statement_on_postgresql() -> None:
    made = [Customer(sadad_id=str(number), name=TEXT) for number in range(1, 1001)]
    with CaptureQueriesContext(connection) as seen:
        bulk.insert(made)
    if connection.vendor == "postgresql":
        assert len(seen) == 1
    assert Customer.objects.count() == len({row.pk for row in made}) == 1000


def test_no_rows_are_no_statement() -> None:
    with CaptureQueriesContext(connection) as seen:
        bulk.insert([])
    assert len(seen) == 0
