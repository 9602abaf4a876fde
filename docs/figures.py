"""The figures of the results page, from the files that benchmarks and experiments have written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"


class Shown(NamedTuple):
    """A file of results: its title on the page, and the command that writes it."""

    title: str
    file: str
    command: str


_FIRE = "SADADPAY_FIRE_RESULTS=benchmarks/results"
_LONG = f"{_FIRE} SADADPAY_RACE_ROUNDS=100 SADADPAY_RACE_EVENTS=1000 ./run test races"
SHOWN = (
    Shown("State machine", "model-sqlite.json", f"{_FIRE} SADADPAY_FIRE=longer ./run test fire"),
    Shown("Races on PostgreSQL", "races-postgresql.json", _LONG),
    Shown("Races on MariaDB", "races-mysql.json", _LONG),
    Shown("Soak", "soak.json", "./run bench soak --payments 10000"),
    Shown("Mutation testing", "mutation.json", "./run mutate"),
    Shown("Speed on PostgreSQL", "postgres-full.json", "./run bench --database postgres"),
    Shown("Speed on SQLite", "sqlite-full.json", "./run bench"),
    Shown(
        "Memory of a pull",
        "memory.json",
        "./run bench --database postgres --memory 10000 1000000 --json benchmarks/results/memory.json",
    ),
    Shown(
        "Beside a peer",
        "peers.json",
        "./run bench --database postgres --peers --json benchmarks/results/peers.json",
    ),
)


def page() -> str:
    """Every file's figures, or that it was not measured."""
    return "\n".join(line for shown in SHOWN for line in _section(shown))


def _section(shown: Shown) -> Iterator[str]:
    yield f"### {shown.title}\n"
    yield f"```\n{shown.command}\n```\n"
    file = RESULTS / shown.file
    if not file.exists():
        yield "Not measured in this version.\n"
        return
    found = json.loads(file.read_text(encoding="utf-8"))
    yield f"{_words(found.pop('circumstances'))}.\n"
    yield from _parts(found)


def _parts(found: Mapping[str, Any]) -> Iterator[str]:
    """Tables of lists, and of what is said once."""
    once = {name: value for name, value in found.items() if not isinstance(value, (list, dict))}
    if once:
        yield from _table([{"what": _word(name), "figure": value} for name, value in once.items()])
    for name, value in found.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from _table(value)
        elif isinstance(value, dict):
            yield from _table([{_word(name): _word(key), "figure": one} for key, one in value.items()])


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    yield f"| {' | '.join(_word(name) for name in columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(_cell(row.get(name)) for name in columns)} |"
    yield ""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return _words(value)
    if isinstance(value, list):
        return ", ".join(_cell(one) for one in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value).replace("|", "\\|")


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{_word(name)} {value}" for name, value in values.items())


def _word(name: str) -> str:
    return name.replace("_", " ")
