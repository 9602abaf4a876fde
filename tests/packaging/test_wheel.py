"""What we publish is whole: built, looked into, installed anew and used from another folder."""

from __future__ import annotations

import re
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Run

pytestmark = pytest.mark.packaging

PROJECT = ("--settings=settings", "--pythonpath=.")
MIGRATE = ("-m", "django", "migrate", "--run-syncdb", *PROJECT)


def files_of_the_package() -> set[str]:
    found = (path for path in (ROOT / "django_sadadpay").rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if path.suffix not in {".pyc", ".pyo"}}


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    assert {name for name in names(wheel) if ".dist-info/" not in name} == files_of_the_package()


@pytest.mark.parametrize(
    "pattern",
    [
        r"django_sadadpay/py\.typed",
        r"django_sadadpay/templates/sadadpay/.+\.html",
        r"django_sadadpay/static/sadadpay/.+",
        r"django_sadadpay/locale/ar/LC_MESSAGES/django\.mo",
        r"django_sadadpay/emulator/templates/.+\.html",
        r"django_sadadpay/migrations/0001_initial\.py",
        r"django_sadadpay/management/commands/sadadpay_doctor\.py",
        r".+\.dist-info/licenses/LICENSE",
    ],
)
def test_the_wheel_holds_what_is_not_code_too(wheel: Path, pattern: str) -> None:
    assert any(re.fullmatch(pattern, name) for name in names(wheel))


def test_the_sdist_holds_its_licence_and_readme(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "setup.cfg", "pyproject.toml"} <= files


def test_the_metadata_say_what_it_needs(wheel: Path) -> None:
    about = metadata(wheel)
    assert (about["Name"], about["Version"]) == ("django-sadadpay", "0.1.0")
    assert about["Requires-Python"] == ">=3.11"
    assert "BSD-3-Clause" in (about["License-Expression"] or about["License"])
    hard = {need.split(">=")[0] for need in about.get_all("Requires-Dist", []) if "extra ==" not in need}
    assert hard == {"Django", "djangorestframework", "requests", "cryptography"}
    assert {"celery", "emulator", "api", "test", "docs"} <= set(about.get_all("Provides-Extra", []))


def test_a_shop_elsewhere_migrates_and_has_nothing_to_complain_about(shop: Run) -> None:
    assert "sadadpay" in shop(
        "-m", "django", "migrate", "--settings=settings", "--run-syncdb", "--pythonpath=."
    )
    said = shop("-m", "django", "check", "--settings=settings", "--pythonpath=.")
    assert "no issues" in said


def test_a_shop_elsewhere_sells_and_shows_the_arabic_page(shop: Run) -> None:
    shop(*MIGRATE)
    seen = dict(line.split(" ", 1) for line in shop("walk.py").splitlines() if " " in line)
    assert "site-packages" in seen["package"]
    assert seen["page"] == "200 True True True"
    assert seen["paid"] == "True"
    assert seen["static"] == "True True"


def test_the_emulator_starts_from_the_command_line(shop: Run) -> None:
    assert "--webhook-url" in shop("-m", "django_sadadpay.emulator", "--help")


def test_the_package_loads_without_django_settings(shop: Run) -> None:
    code = (
        "import sys, django_sadadpay.gateway.client, django_sadadpay.emulator; print('django' in sys.modules)"
    )
    assert shop("-c", code).strip() == "False"
