"""Secrets are compared in a time that tells nothing: a search through the code, so that none is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from secrets import compare_digest

import pytest

import django_sadadpay

FOLDER = Path(django_sadadpay.__file__).parent
#: Names of what an attacker would like to guess by the time that an answer takes.
SECRET = re.compile(
    r"secret|password|signature|hmac|digest_given|authorization|api_key|client_key", re.IGNORECASE
)
_EQUAL = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
_COMPARING = ("startswith", "endswith", "__eq__", "index", "find")
#: Where a name of that kind is compared and nothing is guessed.
HARMLESS = {
    "conf.py": "settings are checked for being there, at start-up",
    "checks.py": "settings are checked at start-up",
    "probe": "a developer's own tool",
    "emulator": "stands in for Sadad on a developer's machine",
}


def comparisons(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every comparison that a secret's name is a part of."""
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Compare) and any(isinstance(one, _EQUAL) for one in node.ops):
            parts = [node.left, *node.comparators]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _COMPARING
        ):
            parts = [node.func.value, *node.args]
        elif isinstance(node, ast.match_case):
            continue
        if any(SECRET.search(name) for part in parts for name in _names(part)):
            yield node.lineno, ast.unparse(node)  # type: ignore[attr-defined]  # expressions all have a line


def _names(node: ast.expr) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr


def test_no_secret_is_compared_with_an_equals_sign() -> None:
    found = []
    for file in sorted(FOLDER.rglob("*.py")):
        path = file.relative_to(FOLDER)
        if path.parts[0] not in HARMLESS and SECRET.search(file.read_text("utf-8")):
            found += [
                f"{path}:{line}: {text}" for line, text in comparisons(ast.parse(file.read_text("utf-8")))
            ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "given == account.webhook_secret",
        "secret in known",
        "account.client_secret != x",
        "signature.startswith(given)",
        "request.headers['x'] == hmac",
    ],
)
def test_the_search_finds_what_it_looks_for(code: str) -> None:
    assert len(list(comparisons(ast.parse(code)))) == 1


def test_the_webhook_s_secret_is_compared_in_constant_time() -> None:
    source = (FOLDER / "views.py").read_text("utf-8")
    assert "from secrets import compare_digest" in source
    assert source.count("compare_digest(") == 1


def test_all_secrets_are_compared_even_after_one_fits(
    monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    """An account that is not there costs a comparison too: its name cannot be found out by the time."""
    from django_sadadpay import views
    from tests.views.buying import SECRET as OPENS
    from tests.views.buying import with_account

    compared: list[bytes] = []

    def compare(given: bytes, known: bytes) -> bool:
        compared.append(known)
        return compare_digest(given, known)

    monkeypatch.setattr(views, "compare_digest", compare)
    settings.SADADPAY = with_account(WEBHOOK_SECRET=[OPENS, "another-webhook-secret"])  # type: ignore[attr-defined]  # pytest-django's wrapper
    assert views._account("default", OPENS) is not None
    assert len(compared) == 2
    assert views._account("nobody", OPENS) is None
    assert len(compared) == 3
