"""The journal survives whatever ends the probe."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from django_sadadpay.probe.journal import Journal, Unwritten
from tests.probe.conftest import KINDS

EVERYTHING = (*KINDS, "Invoice")
HEAD = {"run": "1234", "environment": "sandbox", "api_url": "http://127.0.0.1/api"}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.start(tmp_path / "probe.journal", HEAD)


def test_what_is_written_is_read_again(journal: Journal) -> None:
    journal.write("a", folder="Product", text="a")
    journal.write("b", folder="Invoice", text="b", pay="0.100")
    journal.write("b", state="made", id="7", key="123")
    found = Journal.read(journal.path)
    assert found.head == HEAD
    assert found.entries == journal.entries
    assert (found.entries["b"].id, found.entries["b"].pay, found.entries["b"].state) == ("7", "0.100", "made")


def test_it_is_on_disk_before_the_call_returns(journal: Journal) -> None:
    journal.write("a", folder="Product", text="a")
    lines = journal.path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"head": HEAD},
        {"mark": "a", "folder": "Product", "text": "a"},
    ]


def test_open_is_what_may_still_be_there_last_made_first(journal: Journal) -> None:
    for mark in "abcd":
        journal.write(mark, folder="Product", text=mark)
    journal.write("b", state="refused")
    journal.write("c", state="made", id="3")
    journal.write("d", state="gone")
    assert [entry.mark for entry in journal.open] == ["c", "a"]


@pytest.mark.parametrize(
    ("torn", "looked_for"),
    [
        ('{"mark": "probe-1234-002", "folder": "Customer", "sta', [("Customer", "probe-1234-002")]),
        (
            '{"mark": "probe-1234-002", "folder": "Invoice", "text": "probe-1234-001", ',
            [("Invoice", "probe-1234-001")],
        ),
        ('{"mark": "probe-1234-002", "fol', [(name, "probe-1234-002") for name in EVERYTHING]),
        ('{"mark": "probe-12', [(name, "probe-1234-002") for name in EVERYTHING]),
        ('{"mark": "probe-1234-001", "state": "go', []),
    ],
)
def test_what_a_line_that_was_cut_short_may_be_about_is_looked_for(
    journal: Journal, torn: str, looked_for: list[tuple[str, str]]
) -> None:
    journal.write("probe-1234-001", folder="Product", text="probe-1234-001")
    with journal.path.open("a") as file:
        file.write(torn)
    found = Journal.read(journal.path)
    assert [(entry.folder, entry.text) for entry in found.entries.values()] == [
        ("Product", "probe-1234-001"),
        *looked_for,
    ]
    assert Journal.read(journal.path).entries == found.entries


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with room for ten bytes more: a part is written, and only the count says so."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:10]))


def test_a_line_that_did_not_fit_is_told_and_nothing_of_it_stays(journal: Journal, full: None) -> None:
    before = journal.path.read_bytes()
    with pytest.raises(Unwritten):
        journal.write("a", folder="Product", text="a")
    assert journal.path.read_bytes() == before
    assert journal.entries == {}


def test_what_has_come_of_an_insert_is_known_even_where_it_cannot_be_written(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.write("a", folder="Product", text="a")
    monkeypatch.setattr(os, "write", lambda handle, data: 0)
    with pytest.raises(Unwritten):
        journal.note("a", state="gone")
    assert journal.open == []
    assert [entry.mark for entry in Journal.read(journal.path).open] == ["a"]


def test_a_journal_that_went_away_is_not_begun_anew(journal: Journal) -> None:
    journal.path.unlink()
    with pytest.raises(Unwritten):
        journal.write("a", folder="Product", text="a")
    assert not journal.path.exists()


def test_a_journal_that_cannot_be_begun_is_not_left_behind(tmp_path: Path, full: None) -> None:
    with pytest.raises(Unwritten):
        Journal.start(tmp_path / "new.journal", HEAD)
    assert list(tmp_path.iterdir()) == []


def test_the_file_goes_when_nothing_is_left_and_stays_otherwise(journal: Journal) -> None:
    journal.write("a", folder="Product", text="a")
    journal.close()
    assert journal.path.exists()
    journal.write("a", state="gone")
    journal.close()
    assert not journal.path.exists()
    journal.close()


def test_one_journal_never_writes_over_another(journal: Journal) -> None:
    with pytest.raises(FileExistsError):
        Journal.start(journal.path, HEAD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n",
        "[]\n",
        "{}\n",
        '{"head": {}}\n{"no": "mark"}\n',
        '{"head": {}}\n{"mark": "a", "odd": "b"}\n',
    ],
)
def test_another_file_is_no_journal(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"list\.txt is no journal of a probe"):
        Journal.read(path)
