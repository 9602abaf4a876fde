"""The kit as a shop uses it: in a folder of its own, with one line in its conftest.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = 'pytest_plugins = ["django_sadadpay.testing.plugin"]\n'
SHOP_TEST = """
from decimal import Decimal

import pytest

from django_sadadpay import checkout, refund
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_order_is_paid_once_and_partly_refunded(sadad):
    order = Order.objects.create(number="A-1", amount=Decimal("12.345"))
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver(times=2)
    order.refresh_from_db()
    assert (order.status, order.paid_calls) == ("paid", 1)
    refund(invoice, Decimal("2.345"), reason="returned")
    order.refresh_from_db()
    assert order.refunded == Decimal("2.345")


def test_each_test_has_a_sadad_of_its_own(sadad):
    assert sadad.control.invoices() == []
    assert sadad.calls() == []
"""
CARELESS_TEST = """
import pytest
from django.db import transaction

from django_sadadpay import conf
from django_sadadpay.services import gateway


@pytest.mark.django_db(transaction=True)
def test_that_hides_a_call_inside_a_transaction(sadad):
    with transaction.atomic():
        try:
            gateway.client_for(conf.current().account("default")).common.getcurrencies()
        except Exception:
            pass
"""
PLAIN_TEST = "def test_without_a_database():\n    assert True\n"


def run(folder: Path, *options: str, **files: str) -> tuple[int, str]:
    """The exit code and the output of pytest in a shop's folder, with a database of its own."""
    for name, text in {"conftest": CONFTEST, **files}.items():
        (folder / f"{name}.py").write_text(text)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SADADPAY_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir=.", *options, "."],
        cwd=folder,
        env={**env, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "tests.settings.sqlite"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_shop_tests_its_payments_with_the_fixtures(tmp_path: Path) -> None:
    code, output = run(tmp_path, test_shop=SHOP_TEST)
    assert code == 0, output
    assert re.search(r"\b2 passed\b", output)


def test_a_call_inside_a_transaction_fails_the_test_even_when_the_shop_hides_it(tmp_path: Path) -> None:
    code, output = run(tmp_path, test_careless=CARELESS_TEST)
    assert code == 1, output
    assert "called inside a transaction: Common/getcurrencies" in output


@pytest.mark.parametrize("options", [(), ("-p", "no:django")])
def test_tests_without_a_database_are_left_alone(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, output = run(tmp_path, *options, test_plain=PLAIN_TEST)
    assert code == 0, output
    assert re.search(r"\b1 passed\b", output)


def test_loading_the_plugin_imports_nothing_of_the_app() -> None:
    code = (
        "import sys, django_sadadpay.testing.plugin;"
        "print(sorted(m for m in sys.modules if m.startswith(('django_sadadpay.', 'django.', 'factory'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['django_sadadpay.testing', 'django_sadadpay.testing.plugin']"
