from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import django_sadadpay

ROOT = Path(__file__).parents[2]


def python(code: str, folder: Path = ROOT, **env: str) -> str:
    """What the code prints in a Python of its own, for which Django has no settings unless given."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_the_package_itself_imports_nothing() -> None:
    code = "import sys, django_sadadpay; print({'django', 'requests'} & set(sys.modules))"
    assert python(code) == "set()"


@pytest.mark.parametrize("part", ["gateway.client", "gateway.webhook", "emulator", "money"])
def test_gateway_emulator_and_money_work_without_django(part: str) -> None:
    code = f"import sys; sys.modules['django'] = None; import django_sadadpay.{part}; print('fine')"
    assert python(code) == "fine"


@pytest.mark.parametrize("name", sorted(django_sadadpay.__all__))
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(django_sadadpay, name).__name__ == name
    assert name in dir(django_sadadpay)


def test_the_base_of_the_public_errors_is_there_too() -> None:
    assert issubclass(django_sadadpay.TryAgain, django_sadadpay.PaymentError)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'django_sadadpay' has no attribute 'chekout'"):
        django_sadadpay.chekout  # noqa: B018 - asking is the point


def test_what_describes_a_payment_can_be_imported_in_a_shops_models(tmp_path: Path) -> None:
    """Django is loading apps then: no model may be touched yet."""
    app = tmp_path / "yourshop"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "models.py").write_text(
        "from django.db import models\n"
        "from django_sadadpay import CannotFulfil, Customer, DraftError, InvoiceDraft, Line\n"
        "from django_sadadpay import Payable, register\n"
        "class Basket(models.Model):\n"
        "    pass\n"
    )
    (app / "sadadpay.py").write_text(
        "from django_sadadpay import Payable, checkout, checkout_url, refund, register\n"
        "from yourshop.models import Basket\n"
        "@register(Basket)\n"
        "class BasketPayable(Payable):\n"
        "    pass\n"
    )
    code = (
        "import django\n"
        "from django.conf import settings\n"
        "settings.configure(USE_TZ=True, INSTALLED_APPS=[\n"
        "    'yourshop', 'django.contrib.auth', 'django.contrib.contenttypes',\n"
        "    'django_sadadpay.apps.SadadPayConfig'])\n"
        "django.setup()\n"
        "from django_sadadpay.registry import payables\n"
        "print([payable.name for payable in payables])\n"
    )
    assert python(code, tmp_path, PYTHONPATH=f"{ROOT}:{tmp_path}") == "['yourshop.basket']"
