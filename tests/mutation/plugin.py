"""A pytest plugin for ``./run mutate``: each mutant's tests begin at once, on a database of their own.

mutmut forks a process for each mutant and runs pytest in it. Without this every one of them would migrate a
database, two of them at once the same file; and a mutant's tests would run in an order of chance.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import django.test.utils
import pytest
from django.db import connections
from mutmut.state import state

from tests.settings.folder import run_folder

_migrate, _drop = django.test.utils.setup_databases, django.test.utils.teardown_databases
NEVER_RUN = 1e6  # seconds: a test of which nothing is known goes last


def _template() -> Path:
    return run_folder() / "template.sqlite3"


def _kills() -> Path:
    return run_folder() / "kills.txt"


def _function() -> str:
    """The function that is mutated, in mutmut's spelling; empty in mutmut's own runs without a mutant."""
    return os.environ.get("MUTANT_UNDER_TEST", "").partition("__mutmut_")[0]


def setup_databases(*given: Any, **options: Any) -> Any:
    """Migrate once; from then on each process works on a copy."""
    connection = connections["default"]
    if not _template().exists():
        made = _migrate(*given, **options)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(_template())])
        return made
    connection.close()
    own = run_folder() / f"mutant-{os.getpid()}.sqlite3"
    shutil.copyfile(_template(), own)
    connection.settings_dict["NAME"] = str(own)
    return own


def teardown_databases(made: Any, **options: Any) -> None:
    """As it was made: the copy is only removed."""
    if not isinstance(made, Path):
        _drop(made, **options)
        return
    connections["default"].close()
    for path in made.parent.glob(f"{made.name}*"):
        path.unlink()


def pytest_configure() -> None:
    """pytest-django looks both up when it sets the databases up."""
    utils: Any = django.test.utils
    utils.setup_databases, utils.teardown_databases = setup_databases, teardown_databases


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what has killed the most mutants of this function, then the quickest."""
    function, seconds = _function(), state().duration_by_test
    if not function:
        return
    lines = _kills().read_text().splitlines() if _kills().exists() else []
    kills = Counter(line.partition("\t")[2] for line in lines if line.startswith(f"{function}\t"))
    items.sort(key=lambda item: (-kills[item.nodeid], seconds.get(item.nodeid, NEVER_RUN)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember who killed it: the function's other mutants are likely to die of the same test."""
    if report.failed and _function():
        with _kills().open("a") as file:
            file.write(f"{_function()}\t{report.nodeid}\n")
