"""The list of mutants that no test notices: kept true between runs of ``./run mutate``, which take long."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import mutation
from tools.mutation import Change, Outcome

ENTRIES = sorted(mutation.explained(list(mutation.MODULES)))
MONEY = "django_sadadpay.money.show"


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty list of survivors in place of the real one."""
    file = tmp_path / "survivors.toml"
    file.write_text("survivor = []\n", encoding="utf-8")
    monkeypatch.setattr(mutation, "SURVIVORS", file)
    return file


def outcome(killed: int, *survivors: Change) -> Outcome:
    return Outcome("money", killed + len(survivors), killed, [], list(survivors), 1.0)


def entry(change: Change, kind: str = "equivalent", why: str = "no input differs") -> str:
    return f"{mutation._entry(change)}\nkind = '{kind}'\nwhy = '{why}'\n"


@pytest.mark.parametrize("change", ENTRIES, ids=lambda change: change.function)
def test_each_entry_speaks_of_a_line_that_is_there(change: Change) -> None:
    (module,) = (name for name in mutation.MODULES if change.function.startswith(dotted(name)))
    source = (mutation.ROOT / "django_sadadpay" / f"{module}.py").read_text(encoding="utf-8")
    assert change.was in " ".join(source.split())
    assert change.was != change.now
    assert f"def {change.function.rpartition('.')[2]}(" in source


def dotted(module: str) -> str:
    return f"django_sadadpay.{module.replace('/', '.')}."


def test_every_module_and_its_tests_are_there() -> None:
    for module, tests in mutation.MODULES.items():
        assert (mutation.ROOT / "django_sadadpay" / f"{module}.py").is_file()
        assert [name for name in tests if not (mutation.ROOT / name).exists()] == []


def test_a_survivor_without_a_reason_is_shown_as_it_is_to_be_written_down(entries: Path) -> None:
    change = Change(MONEY, "a = 'b'", "a = None")
    (wrong,) = mutation.judge([outcome(99, change)])
    assert wrong == f"survives without a reason:\n{mutation._entry(change)}"
    entries.write_text(entry(change), encoding="utf-8")
    assert mutation.judge([outcome(99, change)]) == []


def test_an_entry_that_is_noticed_after_all_is_wrong(entries: Path) -> None:
    entries.write_text(entry(Change(MONEY, "a", "b")), encoding="utf-8")
    (wrong,) = mutation.judge([outcome(99)])
    assert wrong.startswith("explained, but it does not survive")


def test_entries_of_a_module_that_did_not_run_are_left_alone(entries: Path) -> None:
    entries.write_text(entry(Change("django_sadadpay.services.inbox.store", "a", "b")), encoding="utf-8")
    assert mutation.judge([outcome(99)]) == []


def test_too_few_that_are_noticed_is_wrong_whatever_the_reasons(entries: Path) -> None:
    changes = [Change(MONEY, "a", f"b{number}") for number in range(11)]
    entries.write_text("\n".join(map(entry, changes)), encoding="utf-8")
    assert mutation.judge([outcome(89, *changes)]) == ["89.0% noticed, 90.0% needed"]
    assert mutation.judge([outcome(99, *changes)]) == []


@pytest.mark.parametrize(("kind", "why"), [("because", "no input differs"), ("accepted", " ")])
def test_an_entry_without_a_kind_or_a_reason_ends_the_run(entries: Path, kind: str, why: str) -> None:
    entries.write_text(entry(Change(MONEY, "a", "b"), kind, why), encoding="utf-8")
    with pytest.raises(SystemExit, match="a kind and a reason"):
        mutation.judge([outcome(99)])


def test_what_was_noticed_by_its_time_alone_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    endless = Change(MONEY, "a += 1", "a -= 1")
    mutation.report([Outcome("money", 4, 2, [endless], [Change(MONEY, "a", "b")], 1.0)])
    shown = capsys.readouterr().out
    assert f"timed out: {MONEY}: a -= 1" in shown
    assert "4 mutants,     2 killed,   1 timed out,    1 survived: 75.0%" in shown


def test_a_mutant_that_runs_for_ever_counts_as_noticed() -> None:
    assert mutation._noticed(1)
    assert mutation._noticed(-24)
    assert not any(map(mutation._noticed, (0, None, 2, 5, 33, 35)))
