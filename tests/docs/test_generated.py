"""Pages made from the code are those of today's code."""

from __future__ import annotations

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.models.attention import RULES
from docs import generate
from tests.docs.pages import DOCS


@pytest.mark.parametrize("name", sorted(generate.PAGES))
def test_a_generated_page_is_fresh(name: str) -> None:
    stored = (generate.FOLDER / name).read_text(encoding="utf-8")
    assert stored == generate.text(name), "run python -m docs.generate"


@pytest.mark.parametrize("name", sorted(generate.PAGES))
def test_a_generated_page_is_shown_on_another(name: str) -> None:
    assert [page for page in DOCS.glob("*.md") if f"generated/{name}" in page.read_text(encoding="utf-8")]


def test_every_case_has_advice_and_no_advice_is_left_over() -> None:
    assert sorted(generate.advice()) == sorted(str(code) for code in RULES)


def test_every_endpoint_and_every_mark_is_listed() -> None:
    text = generate.text("evidence.md")
    assert [name for name in ENDPOINTS if f"| `{name}` |" not in text] == []
    assert len(ENDPOINTS) == 67
    for mark in ("documented", "vendor's code", "observed", "**assumed**"):
        assert mark in text
