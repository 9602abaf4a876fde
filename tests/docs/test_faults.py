"""docs/faults.md: each row has a test, and each test that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from django_sadadpay.models.attention import RULES
from tests.docs.pages import DOCS, ROOT, rows

FAULTS = DOCS / "faults.md"
SECURITY = ROOT / "SECURITY.md"
HEADING = ["Cause", "The buyer sees", "Staff see", "The developer sees", "What is stored", "Test"]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[(.+?)\])?`")


def faults() -> list[list[str]]:
    return [row for row in rows(FAULTS.read_text(encoding="utf-8")) if row != HEADING]


def named(cell: str) -> list[tuple[str, str, str]]:
    return _NAMED.findall(cell)


@cache
def _tests(path: Path) -> dict[str, ast.FunctionDef]:
    """The test functions of a file; read, not imported, so that no test needs its extras here."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    }


def ids(function: ast.FunctionDef) -> set[str]:
    """The ids of one ``parametrize``: its own, those of plain values, or pytest's (``values5-amount``)."""
    marks = [
        call
        for call in function.decorator_list
        if isinstance(call, ast.Call) and "parametrize" in ast.dump(call.func)
    ]
    if len(marks) != 1 or len(marks[0].args) < 2 or not isinstance(marks[0].args[1], (ast.List, ast.Tuple)):
        return set()
    names = _names(marks[0].args[0])
    return {"-".join(_ids_of(case, names, index)) for index, case in enumerate(marks[0].args[1].elts)}


def _names(node: ast.expr) -> list[str]:
    value = ast.literal_eval(node)
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value)


def _ids_of(case: ast.expr, names: list[str], index: int) -> list[str]:
    parts = case.elts if len(names) > 1 and isinstance(case, ast.Tuple) else [case]
    return [
        str(part.value)
        if isinstance(part, ast.Constant) and isinstance(part.value, (str, int))
        else f"{name}{index}"
        for name, part in zip(names, parts, strict=True)
    ]


def missing(cell: str) -> list[str]:
    """The tests named in a cell that do not exist."""
    found = []
    for path, name, case in named(cell):
        function = _tests(ROOT / path).get(name) if (ROOT / path).exists() else None
        if function is None or (case and case not in ids(function)):
            found.append(f"{path}::{name}" + (f"[{case}]" if case else ""))
    return found


def test_every_row_is_whole() -> None:
    assert [row[0] for row in faults() if len(row) != len(HEADING) or not row[0]] == []


def test_every_row_names_a_test() -> None:
    assert [row[0] for row in faults() if not named(row[-1])] == []


def test_nothing_else_stands_where_the_test_is_named() -> None:
    assert [row[-1] for row in faults() if _NAMED.sub("", row[-1]).replace("<br>", "").strip()] == []


def test_every_named_test_exists() -> None:
    assert [name for row in faults() for name in missing(row[-1])] == []


def test_no_cause_stands_there_twice() -> None:
    causes = [row[0].casefold() for row in faults()]
    assert sorted({cause for cause in causes if causes.count(cause) > 1}) == []


def test_every_table_has_the_same_columns() -> None:
    headings = [row for row in rows(FAULTS.read_text(encoding="utf-8")) if row[0] == HEADING[0]]
    assert headings
    assert [row for row in headings if row != HEADING] == []


def test_every_case_that_staff_can_meet_stands_in_a_row() -> None:
    told = " ".join(row[2] for row in faults())
    assert [str(code) for code in RULES if f"`{code}`" not in told] == []


def test_every_promise_of_the_security_page_names_a_test() -> None:
    promises = [row for row in rows(SECURITY.read_text(encoding="utf-8")) if row[0] != "What"]
    assert len(promises) > 5
    assert [row[0] for row in promises if not named(row[-1])] == []
    assert [name for row in promises for name in missing(row[-1])] == []


@pytest.mark.parametrize(
    "cell",
    [
        "`tests/docs/test_faults.py::test_that_is_not_there`",
        "`tests/docs/no_such_file.py::test_every_row_is_whole`",
        "`tests/docs/test_faults.py::test_every_row_is_whole[html]`",
        "`tests/docs/test_faults_behaviour.py::test_an_unreadable_answer_to_insert_makes_one_invoice[pdf]`",
    ],
)
def test_a_test_that_does_not_exist_is_noticed(cell: str) -> None:
    assert len(missing(cell)) == 1


def test_a_case_of_a_parametrised_test_is_found() -> None:
    cell = (
        "`tests/docs/test_faults_behaviour.py::test_an_unreadable_answer_to_insert_makes_one_invoice[html]`"
    )
    assert (len(named(cell)), missing(cell)) == (1, [])
