"""What the documentation names is there, and what is there it names."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.dispatch import Signal

import django_sadadpay
from django_sadadpay import checks, conf, signals, tasks, texts
from django_sadadpay.gateway import errors as gateway_errors
from django_sadadpay.models import Invoice, Refund
from django_sadadpay.services import schedule
from tests.docs.pages import DOCS, ROOT, blocks, pages, rows, slug

SETTINGS = (DOCS / "settings.md").read_text(encoding="utf-8")


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


# Settings


def documented() -> dict[str, str]:
    """Key → default, as the settings page has them."""
    return {row[0].strip("`"): row[1].strip("`") for row in rows(SETTINGS) if row[0].startswith("`")}


def test_every_setting_is_documented_and_no_other() -> None:
    numbers = {name.upper() for name in conf._NUMBERS}
    assert set(documented()) == conf._KNOWN | numbers | conf._ACCOUNT_KEYS


def test_the_defaults_are_those_of_the_code() -> None:
    fields = {field.name.upper(): field.default for field in dataclasses.fields(conf.Config)}
    numbers = {name.upper(): str(fields[name.upper()]) for name in conf._NUMBERS}
    assert {name: documented()[name] for name in numbers} == numbers


def test_the_other_defaults_are_those_of_the_code(settings: object) -> None:
    account = {
        "CLIENT_KEY": "k",
        "CLIENT_SECRET": "s",
        "ENVIRONMENT": "sandbox",
        "WEBHOOK_SECRET": "unguessable-secret",
    }
    settings.SADADPAY = {"ACCOUNTS": {"default": account}}  # type: ignore[attr-defined]  # pytest-django's wrapper
    config, said = conf.current(), documented()
    made = {
        "SITE_URL": repr(config.site_url),
        "TASK_RUNNER": f'"{config.task_runner}"',
        "ENCRYPTION_KEYS": repr(config.encryption_keys),
        "API_URL": repr(config.account("default").api_url),
        "PAY_URL": repr(config.account("default").pay_url),
    }
    assert {name: said[name] for name in made} == made
    assert [said[name] for name in ("ACCOUNTS", *account)] == ["required"] * 5


# Names


def test_every_system_check_is_documented_and_no_other() -> None:
    source = Path(checks.__file__).read_text(encoding="utf-8")
    ids = set(re.findall(r"sadadpay\.[EW]\d{3}", source))
    assert {row[0].strip("`") for row in rows(text("checks.md")) if "sadadpay." in row[0]} == ids


def test_every_public_name_is_documented() -> None:
    everything = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    assert [name for name in django_sadadpay.__all__ if f"`{name}" not in everything] == []
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert [name for name in names if f"`{name}`" not in text("payable.md")] == []


def test_every_public_error_and_gateway_error_has_a_row() -> None:
    from django_sadadpay.services.errors import PaymentError

    public = {cls.__name__ for cls in PaymentError.__subclasses__()}
    assert {row[0].strip("`") for row in rows(text("errors.md"))} >= public
    found = {row[0].strip("`") for row in rows(text("without-django.md"))}
    named = {
        cls.__name__
        for cls in vars(gateway_errors).values()
        if isinstance(cls, type) and cls.__base__ is gateway_errors.SadadError
    }
    assert found >= named


def test_every_state_is_explained() -> None:
    moves, refunds = text("how-payments-move.md"), text("refunds.md")
    assert [
        state for state in Invoice.State.values if not re.search(rf"^\|.*\b{state}\b", moves, re.MULTILINE)
    ] == []
    assert [state for state in Refund.State.values if f"| `{state}` |" not in refunds] == []


def test_every_page_that_a_buyer_can_land_on_is_listed() -> None:
    shown = {row[0] for row in rows(text("webhook.md"))}
    elsewhere = {"preparing", "sorry"}  # the checkout view's
    assert {str(page.title) for name, page in texts.PAGES.items() if name not in elsewhere} <= shown


def test_every_task_and_command_is_listed() -> None:
    listed = text("background.md")
    assert [
        entry["task"] for entry in tasks.beat_schedule().values() if f"`{entry['task']}`" not in listed
    ] == []
    commands = Path(django_sadadpay.__file__).parent / "management" / "commands"
    everything = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    names = [path.stem for path in commands.glob("sadadpay_*.py")]
    assert len(names) >= 4
    assert [name for name in names if name not in everything] == []


def test_how_often_is_what_the_schedule_says() -> None:
    table = "\n".join(line for line in text("background.md").splitlines() if line.startswith("|"))
    for _, pause in (*schedule._UNPAID, *schedule._PAID):
        minutes = int(pause.total_seconds() // 60)
        words = {1440: "every day", 10080: "every 7 days", 60: "every hour"}
        said = words.get(minutes) or (
            f"every {minutes} minutes" if minutes < 60 else f"every {minutes // 60} hours"
        )
        assert said in table


# Code and links


def _python() -> Iterator[tuple[str, str]]:
    for page in pages():
        for index, block in enumerate(blocks(page)):
            yield f"{page.relative_to(ROOT)}:{index}", block


@pytest.mark.parametrize(("where", "block"), [pytest.param(*pair, id=pair[0]) for pair in _python()])
def test_what_code_examples_import_from_us_is_there(where: str, block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django_sadadpay"):
            module = importlib.import_module(node.module or "")
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == [], where


def test_the_examples_without_django_run_as_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks(DOCS / "without-django.md"):
        exec(compile(code, "without-django.md", "exec"), {})
    said = capsys.readouterr().out
    assert "send the buyer to http://127.0.0.1:" in said
    assert "price has more than three decimal places" in said


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in pages()])
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        if anchor:
            body = path.read_text(encoding="utf-8")
            included = re.findall(r"\{include\} (\S+)", body)
            body += "".join((path.parent / file).read_text(encoding="utf-8") for file in included)
            headings = re.findall(r"^#+ (.+)$", body, re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target
