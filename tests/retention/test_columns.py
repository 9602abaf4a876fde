"""Every column that can hold text is known to name a customer, or not to: a new one cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from django_sadadpay.services import personal
from django_sadadpay.services.personal import BLANKS, NOT_PERSONAL

_TEXT = (models.CharField, models.TextField, models.JSONField, models.FileField, models.BinaryField)
_TEXT += (models.GenericIPAddressField,)  # type: ignore[assignment]  # a longer tuple of the same


def text_columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        if model.__module__.startswith("django_sadadpay."):
            yield from (
                (model, field.name) for field in model._meta.concrete_fields if isinstance(field, _TEXT)
            )


def test_every_text_column_is_listed_as_personal_or_not() -> None:
    unknown = [
        f"{model.__name__}.{name}"
        for model, name in text_columns()
        if name not in BLANKS.get(model, {}) and name not in NOT_PERSONAL.get(model.__name__, ())
    ]
    assert unknown == [], "list them in services/personal.py"


def test_no_column_is_listed_twice_or_gone() -> None:
    there = {(model.__name__, name) for model, name in text_columns()}
    personal = {(model.__name__, name) for model, blanks in BLANKS.items() for name in blanks}
    harmless = {(model, name) for model, names in NOT_PERSONAL.items() for name in names}
    assert personal & harmless == set()
    assert (personal | harmless) - there == set()


@pytest.mark.parametrize("model", BLANKS, ids=lambda model: model.__name__)
def test_what_stands_there_afterwards_fits_the_column(model: type[models.Model]) -> None:
    for name, value in BLANKS[model].items():
        field: Any = model._meta.get_field(name)
        assert value is not None or field.null, name


@pytest.mark.django_db
def test_columns_that_name_nobody_hold_nobody(django_db_blocker: Any) -> None:
    """The list is tried on real rows in test_purge.py; here, that no table of ours was left out of it."""
    tables = {model._meta.db_table for model in apps.get_models()}
    ours = {name for name in connection.introspection.table_names() if name.startswith("sadadpay_")}
    assert ours <= tables


def test_nothing_is_no_text() -> None:
    assert list(personal._texts([None, "a", {"b": 1, "c": '["d"]'}])) == ["a", "1", "d"]
