"""The load: so many payments at such a rate, by buyers who come, are refused, leave, return, and by staff."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal

#: Buyers under way at once: most of them wait for an answer.
BUYERS = 36
#: Members of staff who refund.
STAFF = 3


class Tally:
    """What was done and seen, counted over all threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, what: str, times: int = 1) -> None:
        with self._lock:
            self._counts[what] += times

    def __getitem__(self, what: str) -> int:
        return self._counts[what]

    def all(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(self._counts.items()))


@dataclass(order=True)
class RefundJob:
    """A refund that a member of staff is to make, not before ``due`` (monotonic seconds)."""

    due: float
    reference: str = field(compare=False)
    sadad_id: str = field(compare=False)
    amount: Decimal | None = field(compare=False)
    key: str = field(compare=False)
    tries: int = field(compare=False, default=0)


class Desk:
    """The refunds that wait for staff, the earliest first."""

    def __init__(self) -> None:
        self._jobs: list[RefundJob] = []
        self._busy = 0
        self._lock = threading.Lock()

    def put(self, job: RefundJob) -> None:
        with self._lock:
            heapq.heappush(self._jobs, job)

    def take(self) -> RefundJob | None:
        """The next one that is due; ``done()`` must follow."""
        with self._lock:
            if not self._jobs or self._jobs[0].due > time.monotonic():
                return None
            self._busy += 1
            return heapq.heappop(self._jobs)

    def done(self) -> None:
        with self._lock:
            self._busy -= 1

    @property
    def is_empty(self) -> bool:
        with self._lock:
            return not self._jobs and not self._busy


@dataclass(frozen=True)
class Plan:
    """How much: ``payments`` at ``rate`` a second, but not longer than ``seconds``."""

    payments: int
    rate: float
    seconds: float
    seed: int


class Load:
    """Buyers in a pool of threads, staff in threads of their own.

    :param visit: one buyer's visit; counts "payments" in the tally when the bank has said yes.
    :param refund: one refund by staff.
    """

    def __init__(
        self,
        plan: Plan,
        tally: Tally,
        desk: Desk,
        visit: Callable[[random.Random], None],
        refund: Callable[[RefundJob], None],
    ) -> None:
        self.plan, self.tally, self.desk = plan, tally, desk
        self.visit, self._refund = visit, refund
        self._closing = threading.Event()
        self._slots = threading.Semaphore(BUYERS)

    def run(self) -> float:
        """Seconds that it took until the payments were made. The desk may still have refunds to make."""
        began = time.monotonic()
        staff = [threading.Thread(target=self._work, name=f"staff-{n}", daemon=True) for n in range(STAFF)]
        for one in staff:
            one.start()
        try:
            self._buy(began)
            took = time.monotonic() - began
            self._clear_desk()
        finally:
            self._closing.set()
        for one in staff:
            one.join(60)
        return took

    def _buy(self, began: float) -> None:
        """Open loop: visits begin at the given rate whether or not the shop keeps up, up to ``BUYERS``."""
        source = random.Random(self.plan.seed)
        started, under_way = 0, _Counter()
        with ThreadPoolExecutor(BUYERS, "buyer") as pool:
            while self._wants_more(began, under_way):
                self._slots.acquire()
                under_way.add(1)
                pool.submit(self._one, random.Random(source.random()), under_way)
                started += 1
                time.sleep(max(0.0, began + started / self.plan.rate - time.monotonic()))

    def _wants_more(self, began: float, under_way: _Counter) -> bool:
        """Whoever is under way will pay, most likely: the last few are not bought twice over."""
        while True:
            if time.monotonic() - began > self.plan.seconds:
                return False
            paid = self.tally["payments"]
            if paid >= self.plan.payments:
                return False
            if paid + under_way.value < self.plan.payments:
                return True
            time.sleep(0.02)

    def _one(self, source: random.Random, under_way: _Counter) -> None:
        try:
            self.visit(source)
        except Exception as error:  # noqa: BLE001 - a visit that breaks off is counted and shown
            self.tally.add(f"visit broke off: {type(error).__name__}: {error}"[:200])
        finally:
            under_way.add(-1)
            self._slots.release()

    def _work(self) -> None:
        while not self._closing.is_set():
            job = self.desk.take()
            if job is None:
                self._closing.wait(0.1)
                continue
            try:
                self._refund(job)
            except Exception as error:  # noqa: BLE001 - as a visit
                self.tally.add(f"staff broke off: {type(error).__name__}: {error}"[:200])
            finally:
                self.desk.done()

    def _clear_desk(self) -> None:
        until = time.monotonic() + 120
        while not self.desk.is_empty and time.monotonic() < until:
            time.sleep(0.1)


class _Counter:
    def __init__(self) -> None:
        self.value = 0
        self._lock = threading.Lock()

    def add(self, number: int) -> None:
        with self._lock:
            self.value += number
