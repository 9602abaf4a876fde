"""The journal survives whatever ends the probe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from django_sadadpay.probe.journal import Journal

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


def test_a_line_that_was_cut_short_is_cut_off(journal: Journal) -> None:
    journal.write("a", folder="Product", text="a")
    with journal.path.open("a") as file:
        file.write('{"mark": "b", "fol')
    found = Journal.read(journal.path)
    assert list(found.entries) == ["a"]
    found.write("c", folder="Product", text="c")
    assert list(Journal.read(journal.path).entries) == ["a", "c"]


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
