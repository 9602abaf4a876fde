"""``SECURITY.md`` leaves no threat without a test (``tests/docs`` checks that it exists), and no test out."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import ROOT, rows

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_threat_names_what_holds_it_and_a_test() -> None:
    threats = [row for row in rows(PAGE) if row[0] != "What"]
    assert len(threats) >= 25
    assert [row[0] for row in threats if len(row) != 3 or not row[1] or "::test_" not in row[2]] == []


def test_every_file_of_security_tests_stands_on_the_page() -> None:
    files = [*Path(__file__).parent.glob("test_*.py"), *(ROOT / "tests" / "network").glob("test_*.py")]
    names = [f"{file.relative_to(ROOT)}" for file in files if file != Path(__file__)]
    assert len(names) >= 7
    assert sorted(name for name in names if name not in PAGE) == []
