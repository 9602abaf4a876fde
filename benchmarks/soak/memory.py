"""The memory of each process over the run: after its first tenth, and at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.soak.processes import Served, children_of

#: What each process may have at the end, times what it had after its first tenth.
LIMIT = 1.1
#: Samples that a figure is the median of: a garbage collection in between is not the process's size.
WINDOW = 5
#: A run of fewer payments is over before its processes have imported all that they use.
LEAST = 1_000


@dataclass
class Life:
    """One process: its resident memory in KB, at so many payments."""

    role: str
    pid: int
    judged: bool
    samples: list[tuple[int, int]] = field(default_factory=list)

    def figures(self, payments: int) -> tuple[int, int] | None:
        """KB after the first tenth of the run that this process saw, and at its end; None: too short.

        A process that was killed and its successor each count from their own birth.
        """
        birth, end = self.samples[0][0], self.samples[-1][0]
        tenth = birth + payments / 10
        if end < tenth + payments / 10:
            return None
        after = [kb for at, kb in self.samples if at >= tenth]
        if len(after) < 2 * WINDOW:
            return None
        return round(median(after[:WINDOW])), round(median(after[-WINDOW:]))


class Memory(threading.Thread):
    """Looks at every process of the stack twice a second.

    :param at: how many payments there are now.
    :param servers: name → pid of the servers' first process; shown, not judged: they are not ours.
    """

    def __init__(self, programs: dict[str, Served], servers: dict[str, int], at: Callable[[], int]) -> None:
        super().__init__(name="memory", daemon=True)
        self._programs, self._servers, self._at = programs, servers, at
        self._lives: dict[int, Life] = {}
        self._ended: list[Life] = []
        self._closing = threading.Event()

    def run(self) -> None:
        while not self._closing.wait(0.5):
            self.look()

    def stop(self) -> None:
        self._closing.set()
        self.join()

    def look(self) -> None:
        """One sample of each process that runs."""
        payments, seen = self._at(), set()
        for role, pid, judged in self._running():
            kb = resident(pid)
            if kb is None:
                continue
            seen.add(pid)
            self._lives.setdefault(pid, Life(role, pid, judged)).samples.append((payments, kb))
        for pid in set(self._lives) - seen:
            self._ended.append(self._lives.pop(pid))

    def _running(self) -> Iterator[tuple[str, int, bool]]:
        for name, program in self._programs.items():
            if program.pid is None:
                continue
            # The emulator keeps all that it ever did: that is its purpose.
            judged = name != "emulator"
            yield name, program.pid, judged
            yield from ((f"{name} worker", pid, judged) for pid in program.children())
        for name, pid in self._servers.items():
            yield name, pid, False
            yield from ((f"{name} process", child, False) for child in children_of(pid))

    def rows(self, payments: int) -> list[dict[str, Any]]:
        """A row for each process: MB after the first tenth, MB at the end, their ratio."""
        found = []
        for life in [*self._ended, *self._lives.values()]:
            figures = life.figures(payments)
            if figures is None:
                continue
            first, last = figures
            found.append(
                {
                    "process": life.role,
                    "first_tenth_mb": round(first / 1024, 1),
                    "end_mb": round(last / 1024, 1),
                    "ratio": round(last / first, 3),
                    "judged": life.judged,
                }
            )
        return sorted(_worst_of_servers(found), key=lambda row: (not row["judged"], str(row["process"])))


def _worst_of_servers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """PostgreSQL has a process for each connection: of what is only shown, the one that grew most."""
    judged = [row for row in rows if row["judged"]]
    shown: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if not row["judged"]:
            shown.setdefault(str(row["process"]), []).append(row)
    return judged + [
        {**max(same, key=lambda row: float(row["ratio"])), "of": len(same)} for same in shown.values()
    ]


def holds(rows: list[dict[str, Any]]) -> bool:
    """Whether every judged process stayed within the limit."""
    return all(row["ratio"] <= LIMIT for row in rows if row["judged"])


def resident(pid: int) -> int | None:
    """VmRSS in KB; None when the process is gone."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return None
