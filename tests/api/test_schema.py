"""The API without drf-spectacular, and the schema with it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.generics import ListAPIView

NAMES = {
    "sadadpay_invoice_list",
    "sadadpay_invoice",
    "sadadpay_invoice_verify",
    "sadadpay_invoice_refund",
    "sadadpay_refund_list",
    "sadadpay_attention_list",
}


@pytest.fixture
def schema(settings: Any) -> dict[str, Any]:
    settings.REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
    GENERATOR_STATS.reset()
    generator: Any = SchemaGenerator
    generated: dict[str, Any] = generator().get_schema(request=None, public=True)
    return generated


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = [operation for path in schema["paths"].values() for operation in path.values()]
    return {operation["operationId"]: operation for operation in found}


def test_the_schema_is_valid_and_raises_no_warning(
    schema: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not GENERATOR_STATS
    assert capsys.readouterr().err == ""
    validate: Any = validate_schema
    validate(schema)
    assert set(operations(schema)) == NAMES


def test_every_property_is_typed_and_every_name_is_ours(schema: dict[str, Any]) -> None:
    components = schema["components"]["schemas"]
    assert all("Sadadpay" in name for name in components)
    for name, component in components.items():
        for title, shape in component.get("properties", {}).items():
            assert shape.keys() & {"type", "$ref", "allOf"}, f"{name}.{title}"


def test_money_is_text_in_the_schema(schema: dict[str, Any]) -> None:
    components = schema["components"]["schemas"]
    for name, component in components.items():
        for title, shape in component.get("properties", {}).items():
            if "amount" in title:
                assert shape["type"] == "string", f"{name}.{title}"
    assert "pattern" in components["SadadpayRefundRequest"]["properties"]["amount"]


def test_states_are_enumerations_of_their_own(schema: dict[str, Any]) -> None:
    components = schema["components"]["schemas"]
    assert "superseding" in components["SadadpayInvoiceState"]["enum"]
    assert "did_not_happen" in components["SadadpayRefundState"]["enum"]
    assert components["SadadpayRefundSource"]["enum"] == ["shop", "panel"]


def test_a_refund_is_documented_with_its_key_and_its_errors(schema: dict[str, Any]) -> None:
    refund = operations(schema)["sadadpay_invoice_refund"]
    (key,) = [one for one in refund["parameters"] if one["in"] == "header"]
    assert (key["name"], key["required"]) == ("Idempotency-Key", True)
    assert set(refund["responses"]) == {"200", "201", "202", "400", "401", "403", "404", "409", "503"}
    assert set(refund["responses"]["409"]["content"]) == {"application/problem+json"}


def test_describing_our_views_leaves_drf_s_own_alone(schema: dict[str, Any]) -> None:
    """drf-spectacular writes on the method that it describes; here that one is inherited by every list."""
    assert not hasattr(ListAPIView.get, "kwargs")


PROGRAM = """
import sys

class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "drf_spectacular":
            raise ModuleNotFoundError(name)

class Absent:
    @staticmethod
    def find_spec(name, package=None):
        return None if name == "drf_spectacular" else found(name, package)

import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = Absent.find_spec
sys.meta_path.insert(0, Missing)

import django
django.setup()
from django.test import Client
from django.test.utils import setup_test_environment
setup_test_environment()
answer = Client().get("/api/invoices/")
assert answer.status_code == 403, answer.status_code
assert answer.json()["code"] == "not_authenticated"
assert not [name for name in sys.modules if name.startswith("drf_spectacular")]
print("works")
"""


def test_everything_works_without_drf_spectacular() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings.memory"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("works", "")
