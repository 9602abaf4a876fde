"""The README's own lines make a shop that takes a payment: nothing is left out of "put it in your shop"."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import django_sadadpay
from tests.docs.pages import ROOT, blocks

README = ROOT / "README.md"
PROJECT = Path(__file__).resolve().parent / "project"
KEYS = {
    "SADADPAY_CLIENT_KEY": "ck_emulator",
    "SADADPAY_CLIENT_SECRET": "cs_emulator",
    "SADADPAY_WEBHOOK_SECRET": "3Zk8pQvW-xT5mLr9aYc2hNf7uJd4sGe6",
}


def files() -> dict[str, str]:
    """The README's blocks that say in their first line which file they are."""
    found = {}
    for text in blocks(README):
        named = re.match(r"# (\S+\.py)\n", text)
        if named:
            found[named[1]] = text
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as ``startproject`` leaves it, an Order model, and then the README's lines."""
    for template in PROJECT.rglob("*.py-tpl"):
        target = (tmp_path / template.relative_to(PROJECT)).with_suffix(".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    for name, text in files().items():
        path = tmp_path / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(f"{before}\n{text}", encoding="utf-8")
    return tmp_path


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    package = Path(django_sadadpay.__file__).resolve().parents[1]
    environment = {
        **os.environ,
        **KEYS,
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join((str(project), str(package))),
    }
    return subprocess.run(
        [sys.executable, *command], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_the_lines_of_the_readme_take_a_payment_and_give_part_of_it_back(project: Path) -> None:
    done = run(project, "walk.py")
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "checks: nothing to complain about",
        "checkout: to the pay page",
        "webhook: 200",
        "order: paid",
        "refund: done, 1.250",
        "schedule: sadadpay-inbox, sadadpay-push, sadadpay-reconcile, sadadpay-tokens",
        "doctor: ok",
    ]


def test_it_takes_less_than_forty_lines() -> None:
    code = [
        line
        for name, text in files().items()
        if name != "yourshop/celery.py"
        for line in text.splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert 20 < len(code) < 40


def test_all_five_files_are_there() -> None:
    assert sorted(files()) == [
        "settings.py",
        "urls.py",
        "yourshop/celery.py",
        "yourshop/sadadpay.py",
        "yourshop/views.py",
    ]


def test_the_versions_are_those_that_are_tested() -> None:
    text = README.read_text(encoding="utf-8")
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    tested = set(re.findall(r"^    py3(\d+)-django(\d)(\d)$", tox, re.MULTILINE))
    pythons = {f"3.{minor}" for minor, _, _ in tested}
    djangos = {f"{major}.{minor}" for _, major, minor in tested}
    (python,) = re.findall(r"^\| Python \| (.*) \|$", text, re.MULTILINE)
    (django,) = re.findall(r"^\| Django \| (.*) \|$", text, re.MULTILINE)
    assert set(re.findall(r"\d\.\d+", python)) == pythons
    assert set(re.findall(r"\d\.\d+", django.partition("(")[0])) == djangos
