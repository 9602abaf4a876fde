"""Mutation testing of what decides about money, with mutmut: ``./run mutate [module…]``.

Each module is changed in one small place after another, and the tests that reach that place must notice. It
all happens in a temporary copy: a run that is killed leaves no changed file behind. What survives must stand,
with its reason, in ``tests/mutation/survivors.toml``, and what stands there must survive. mutmut changes what
is inside functions; a module's constants stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import tomllib

from benchmarks.machine import describe

ROOT = Path(__file__).resolve().parent.parent
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.toml"
RESULTS = ROOT / "benchmarks" / "results" / "mutation.json"
NEEDED = 90.0  # percent of all mutants of the modules that ran
COPIED = ("django_sadadpay", "tests", "tools", "setup.cfg", "pyproject.toml")
SERVICES = "tests/services/"
#: Each module and the tests that speak about it; mutmut finds out which of them reach which function. More
#: tests would notice no less, but each survivor runs all of them.
MODULES: dict[str, tuple[str, ...]] = {
    "money": ("tests/money",),
    "gateway/webhook": ("tests/gateway/test_webhook.py", "tests/gateway/test_webhook_ids.py"),
    "services/settlement": (SERVICES + "test_settlement_steps.py",),
    "services/refunds": (SERVICES + "test_refunds.py", SERVICES + "test_refund_steps.py"),
    "services/inbox": (SERVICES + "test_inbox_steps.py",),
    "services/checkout": (SERVICES + "test_checkout_steps.py",),
}
#: pytest's exit codes as mutmut reads them; a mutant that runs for ever is noticed by its time.
KILLED, TIMEOUT = {1, 3}, {-24, 24, 36, 152, 255}
_CONFIG = """
[mutmut]
source_paths = django_sadadpay
only_mutate = django_sadadpay/{module}.py
also_copy = tools
timeout_multiplier = 6
timeout_constant = 15
use_git_change_detection = false
pytest_add_cli_args =
    -p
    pytest_django.plugin
    -p
    tests.mutation.plugin
    -p
    no:cacheprovider
pytest_add_cli_args_test_selection =
    {tests}
"""


class Change(NamedTuple):
    """A mutant by what it changes, not by its number: numbers move with every edit."""

    function: str
    was: str
    now: str


class Outcome(NamedTuple):
    """What became of a module's mutants."""

    module: str
    mutants: int
    killed: int
    timeouts: list[Change]
    survivors: list[Change]
    seconds: float

    @property
    def score(self) -> float:
        """Percent that was noticed."""
        return 100.0 * (self.killed + len(self.timeouts)) / self.mutants


def measure(module: str, workers: int, folder: Path) -> Outcome:
    """Run mutmut on one module, in a copy of its own below ``folder``.

    Where an earlier run left its copy there, the verdicts on functions that are still the same stand: only
    what is new, or survived, runs.
    """
    began = time.monotonic()
    own = folder / module.replace("/", "-")
    tree = own / "tree"
    _copy(module, tree)
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings.sqlite",
        "SADADPAY_TEST_FOLDER": str(own),
        "PYTEST_ADDOPTS": "",
        # Looking for plugins took a fifth of a mutant's time.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    run = ("run", "--max-children", str(workers))
    before = [name for name, code in _codes(tree, module).items() if not _noticed(code) and code is not None]
    _mutmut(tree, environ, *run)
    again = [name for name in before if name in _codes(tree, module)]
    if again:
        _mutmut(tree, environ, *run, *again)
    codes = _codes(tree, module)
    killed = sum(code in KILLED for code in codes.values())
    timeouts = [_change(tree, environ, name) for name in sorted(codes) if codes[name] in TIMEOUT]
    survivors = [_change(tree, environ, name) for name in sorted(codes) if not _noticed(codes[name])]
    return Outcome(module, len(codes), killed, timeouts, survivors, time.monotonic() - began)


def _copy(module: str, tree: Path) -> None:
    """Beside it stands what the tests' databases are copied from: made anew, for there may be a migration."""
    tree.mkdir(parents=True, exist_ok=True)
    (tree.parent / "template.sqlite3").unlink(missing_ok=True)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy2(ROOT / name, tree / name)
    with (tree / "setup.cfg").open("a", encoding="utf-8") as file:
        file.write(_CONFIG.format(module=module, tests="\n    ".join(MODULES[module])))


def _mutmut(tree: Path, environ: dict[str, str], *arguments: str) -> str:
    """Its output. A run that mutmut itself gives up ends this one: there is no result to show."""
    command = [str(Path(sys.executable).parent / "mutmut"), *arguments]
    done = subprocess.run(
        command, cwd=tree, env=environ, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(f"mutmut {' '.join(arguments)} failed:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _codes(tree: Path, module: str) -> dict[str, int | None]:
    """Each mutant's exit code; None: it was not run."""
    meta = tree / "mutants" / "django_sadadpay" / f"{module}.py.meta"
    if not meta.exists():
        return {}
    codes: dict[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


def _noticed(code: int | None) -> bool:
    return code in KILLED or code in TIMEOUT


def _change(tree: Path, environ: dict[str, str], mutant: str) -> Change:
    lines = _mutmut(tree, environ, "show", mutant).splitlines()
    changed = [line for line in lines if re.match(r"[+-](?!--|\+\+)", line)]
    parts = [" ".join(line[1:].strip() for line in changed if line[0] == sign) for sign in "-+"]
    module, _, name = mutant.partition("__mutmut_")[0].rpartition(".")
    return Change(f"{module}.{re.sub('^x_?', '', name).strip('ǁ').replace('ǁ', '.')}", *parts)


def explained(modules: list[str]) -> dict[Change, str]:
    """The survivors' file, as far as it speaks of ``modules``: change → reason."""
    prefixes = tuple(f"django_sadadpay.{module.replace('/', '.')}." for module in modules)
    rows = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivor"]
    found = {}
    for row in rows:
        if row["kind"] not in {"equivalent", "accepted"} or not row["why"].strip():
            sys.exit(f"{SURVIVORS.name}: {row['function']}: a kind and a reason, please")
        if row["function"].startswith(prefixes):
            found[Change(row["function"], row["was"], row["now"])] = f"{row['kind']}: {row['why']}"
    return found


def judge(outcomes: list[Outcome]) -> list[str]:
    """What is wrong with the run; nothing when it is empty."""
    known = explained([one.module for one in outcomes])
    alive = {change for one in outcomes for change in one.survivors}
    wrong = [f"survives without a reason:\n{_entry(change)}" for change in sorted(alive - set(known))]
    wrong += [
        f"explained, but it does not survive:\n{_entry(change)}" for change in sorted(set(known) - alive)
    ]
    score = _total(outcomes)
    if score < NEEDED:
        wrong.append(f"{score:.1f}% noticed, {NEEDED}% needed")
    return wrong


def _entry(change: Change) -> str:
    """As it is written in the survivors' file."""
    return "\n".join(
        ["[[survivor]]", *(f"{name} = {_quoted(value)}" for name, value in change._asdict().items())]
    )


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else json.dumps(text, ensure_ascii=False)


def _total(outcomes: list[Outcome]) -> float:
    mutants = sum(one.mutants for one in outcomes)
    return 100.0 * sum(one.mutants - len(one.survivors) for one in outcomes) / mutants


def report(outcomes: list[Outcome]) -> None:
    """A line for each module, and what was noticed by its time alone: on a busy machine that may be luck."""
    for one in outcomes:
        for change in one.timeouts:
            print(f"timed out: {change.function}: {change.now}")
        print(
            f"{one.module:<20} {one.mutants:5} mutants, {one.killed:5} killed,",
            f"{len(one.timeouts):3} timed out, {len(one.survivors):4} survived:",
            f"{one.score:.1f}% ({one.seconds:.0f} s)",
        )
    print(f"{'all of these':<20} {_total(outcomes):.1f}%", flush=True)


def keep(outcomes: list[Outcome], workers: int) -> None:
    """Write the figures down, for the results page; a module that did not run keeps its earlier row."""
    known = json.loads(RESULTS.read_text(encoding="utf-8"))["modules"] if RESULTS.exists() else []
    rows = {row["name"]: row for row in known if row["name"] in MODULES}
    rows.update({one.module: _row(one) for one in outcomes})
    noticed = sum(row["killed"] + row["timeouts"] for row in rows.values())
    data = {
        "circumstances": {
            "command": f"./run mutate --workers {workers}",
            **describe(),
            "django": version("django"),
            "mutmut": version("mutmut"),
            "database": "SQLite",
        },
        "modules": [rows[name] for name in MODULES if name in rows],
        "mutants": sum(row["mutants"] for row in rows.values()),
        "noticed": noticed,
        "score": round(100.0 * noticed / sum(row["mutants"] for row in rows.values()), 1),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"written to {RESULTS.relative_to(ROOT)}", file=sys.stderr)


def _row(one: Outcome) -> dict[str, Any]:
    return {
        "name": one.module,
        "mutants": one.mutants,
        "killed": one.killed,
        "timeouts": len(one.timeouts),
        "survived": len(one.survivors),
        "score": round(one.score, 1),
        "seconds": round(one.seconds),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": _commit(),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    """0 when enough was noticed, and every survivor, and nothing else, is explained."""
    parser = argparse.ArgumentParser(prog="./run mutate", description="mutation testing with mutmut")
    parser.add_argument("modules", nargs="*", metavar="module", help=", ".join(MODULES))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2, help="mutants at a time")
    parser.add_argument("--folder", type=Path, help="keep the copies here, and go on from what is there")
    options = parser.parse_args(arguments)
    options.folder = options.folder and options.folder.resolve()
    unknown = set(options.modules) - set(MODULES)
    if unknown:
        parser.error(f"no module {', '.join(sorted(unknown))}; there are: {', '.join(MODULES)}")
    with tempfile.TemporaryDirectory(prefix="sadadpay-mutants-") as temporary:
        outcomes = []
        for module in options.modules or MODULES:
            print(f"{module} …", file=sys.stderr, flush=True)
            outcomes.append(measure(module, options.workers, options.folder or Path(temporary)))
            report(outcomes[-1:])
            keep(outcomes[-1:], options.workers)
    report(outcomes)
    wrong = judge(outcomes)
    print(*wrong, sep="\n\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
