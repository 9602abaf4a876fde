"""./run says what it cannot do here, and CI does not let that pass."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.packaging.conftest import ROOT
from tools import matrix, system
from tools.matrix import Outcome
from tools.python import interpreter
from tools.system import Need

pytestmark = pytest.mark.packaging


def absent(name: str) -> Need:
    return Need(name, ("sadadpay-no-such-program",), ("/nowhere/*",), ("no-such-package",))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(system.NEEDS, "Redis", absent("Redis"))
    monkeypatch.setattr(system, "_may_install", lambda: False)
    monkeypatch.setattr(matrix, "_run_all", lambda names: [Outcome(name, 0, 1.0, "", []) for name in names])
    monkeypatch.delenv("CI", raising=False)


def test_help_names_every_command() -> None:
    said = run("--help")
    assert said.returncode == 0
    assert all(f"./run {name}" in said.stdout for name in ("demo", "demo --check", "test", "bench", "docs"))


def test_an_unknown_command_is_an_error() -> None:
    assert run("tset").returncode == 2


def test_an_unknown_environment_is_an_error_that_names_the_known_ones() -> None:
    said = run("test", "nosuch")
    assert said.returncode == 2
    assert "nosuch" in said.stderr
    assert "py312-django61" in said.stderr


@pytest.mark.usefixtures("without_redis")
def test_what_cannot_run_is_listed_with_the_command_that_mends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.test(["celery", "lint"]) == 0
    seen = capsys.readouterr().out
    assert "NOT RUN celery: needs Redis (apt-get install -y no-such-package)" in seen
    assert "NOT RUN lint" not in seen


@pytest.mark.usefixtures("without_redis")
def test_under_ci_what_cannot_run_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert matrix.test(["celery", "lint"]) == 1
    assert matrix.test(["lint"]) == 0


@pytest.mark.usefixtures("without_redis")
def test_coverage_needs_what_its_two_environments_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(system.NEEDS, "PostgreSQL", absent("PostgreSQL"))
    matrix.test(["py312-django61", "postgres", "coverage"])
    seen = capsys.readouterr().out
    assert "NOT RUN coverage" in seen
    assert "NOT RUN py312-django61" not in seen


@pytest.mark.usefixtures("without_redis")
def test_one_red_environment_makes_the_run_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "_run_all", lambda names: [Outcome("lint", 1, 1.0, "", [])])
    assert matrix.test(["lint"]) == 1


def test_every_environment_of_the_matrix_has_its_needs_known() -> None:
    known = {*matrix.known(), *matrix.special()}
    assert set(matrix.NEEDS_OF) | set(matrix.ORDER) | set(matrix.AFTER) <= known
    assert {need for needs in matrix.NEEDS_OF.values() for need in needs} <= set(system.NEEDS)


def test_an_interpreter_is_the_real_program_and_not_a_shim() -> None:
    series = f"{sys.version_info[0]}.{sys.version_info[1]}"
    path = interpreter(series)
    assert path is not None
    assert f"{os.sep}shims{os.sep}" not in path
    assert interpreter("3.99") is None
