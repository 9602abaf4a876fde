"""SIGKILL, at moments spread over the run, to whoever is in the middle of something."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from benchmarks.soak.processes import Stack, kill

#: In turn: a worker of gunicorn, a child of a Celery pool, a whole Celery node.
VICTIMS = ("gunicorn worker", "celery child", "celery node")


class Killer(threading.Thread):
    """Kills ``times`` processes, evenly over the payments, and starts again what its parent does not.

    :param at: the part of the run that is over, 0 to 1.
    """

    def __init__(self, stack: Stack, times: int, seed: int, at: Callable[[], float]) -> None:
        super().__init__(name="killer", daemon=True)
        self._stack, self._times, self._at = stack, times, at
        self._source = random.Random(f"{seed}:kills")
        self._closing = threading.Event()
        self.done: list[str] = []
        self.revived: list[str] = []

    def run(self) -> None:
        while not self._closing.wait(0.5):
            self.revived += self._stack.revive()
            # the first tenth is left in peace: it is what memory is compared with
            if len(self.done) < self._times and self._at() >= 0.1 + 0.85 * len(self.done) / self._times:
                self.strike(VICTIMS[len(self.done) % len(VICTIMS)])

    def stop(self) -> None:
        """No more kills; what has ended runs again."""
        self._closing.set()
        self.join()
        self.revived += self._stack.revive()

    def strike(self, victim: str) -> None:
        """Kill one process of this kind."""
        node = self._source.choice([name for name in self._stack.programs if name.startswith("celery")])
        if victim == "celery node":
            self._stack.programs[node].kill()
            self.done.append(victim)
            return
        program = self._stack.programs["shop" if victim == "gunicorn worker" else node]
        children = program.children()
        if children and kill(self._source.choice(children)):
            self.done.append(victim)
