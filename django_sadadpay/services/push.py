"""Push: bring Sadad in step with what is wanted, row by row, each on its own.

The rows are the queue. A worker selects rows that are due, claims a few with one conditional UPDATE (which
also writes down what is about to be sent), calls Sadad outside any transaction, and stores what came of it
with one conditional UPDATE. What can happen at the same time, and why nothing is lost or sent twice:

- Two workers select the same row: the claim asks for a free lease, and one of them gets it.
- The object is saved between select and claim: the claim asks for the digest that was selected.
- It is saved while the call is under way: the result is stored with ``CASE digest``; only what was sent
  counts as pushed, and the row stays due.
- It is deleted while its insert is under way: the mark sees ``sending`` and leaves the row pending; the
  result brings the id, and the next round deletes it.
- It is saved again while its delete is under way: the delete clears the id, and it is inserted anew.
- The save is rolled back, or its savepoint: the mark goes with it.
- An insert's answer is lost, or the worker is killed after sending: ``sending`` was committed before the
  call; the object is looked for at Sadad before anything is sent.
- The worker is killed before sending: the same look; not found, it is sent. Groups are small, and of one row
  where only a person could look.
- A lost answer, then an edit: the mark leaves the row unknown; the look adopts what is there, and an update
  follows, since nothing counts as pushed.
- A lost answer, then a delete: the same; what is found is deleted.
- A worker sleeps past its lease and then stores: its UPDATE asks for its own lease. An id that nobody has
  learned yet is kept; another id than the stored one waits for a person.
- Pull meets the object before push has its id: the unique id refuses a second row; pull's is merged.
- A parent is not at Sadad yet: its children are not selected. Parents come first, and go last.
- 429, refused keys, no answers at all: the account rests; rows not begun are released as they were.
"""

from __future__ import annotations

import contextvars
import logging
import secrets
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, models, transaction
from django.db.models import Q

from django_sadadpay import conf
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.models import Mark, Mirror, ProductLink, ProductLinkItem
from django_sadadpay.services import (
    clock,
    gateway,
    keys,
    kinds,
    mirroring,
    pushing,
    storing,
    tokens,
    transactions,
    waking,
)
from django_sadadpay.services.errors import InsideTransaction, TryAgain
from django_sadadpay.services.kinds import KINDS, Kind
from django_sadadpay.services.points import point
from django_sadadpay.services.pushing import Outcome

State, Wanted = Mirror.State, Mirror.Wanted
logger = logging.getLogger("django_sadadpay")
#: A claim is good for this long: more than the longest call (a token, the write, a read).
LEASE = timedelta(seconds=180)
#: A row whose claim is older is not begun any more (seconds, by this process's own clock).
_BEGIN_WITHIN = 90.0
_BATCH = 100
#: Rows claimed with one statement; a killed worker leaves at most so many to be looked for.
_GROUP = 4
#: An object can need an answer resolved, then an update, then nothing.
_ROUNDS = 3
#: So many calls in a row without any answer: Sadad is away, and the run ends.
_SILENCE = 5
_DEFAULT_HOLD = 60.0


@dataclass
class Report:
    """What a run did, by what became of rows (see ``pushing.Outcome.what``)."""

    done: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    #: More was due when the run ended.
    left: bool = False
    #: Accounts that rest: 429, refused keys, or no answer.
    resting: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    _DONE = ("inserted", "updated", "deleted", "unchanged", "found", "absent")

    def count(self, what: str) -> None:
        with self._lock:
            table = self.done if what in self._DONE else self.failed
            table[what] = table.get(what, 0) + 1

    def called(self, _endpoint: str) -> None:
        with self._lock:
            self.calls += 1


def run(
    *,
    limit: int | None = None,
    account: str = "",
    max_seconds: float | None = None,
    kinds: Iterable[str] = (),
) -> Report:
    """Push what is due, account by account, until nothing is left or the budget ends.

    :param limit: rows at most, over all accounts. :param kinds: names of kinds, default all.
    :raises InsideTransaction: a transaction is open. :raises ImproperlyConfigured: no such account.
    """
    transactions.ensure_outside()
    config, began = conf.current(), time.monotonic()
    chosen = [config.account(account)] if account else list(config.accounts.values())
    budget = _Budget(limit, None if max_seconds is None else began + max_seconds)
    report, wanted = Report(), set(kinds)
    for each in chosen:
        _Account(each, budget, report, [k for k in KINDS if not wanted or k.name in wanted]).run()
    report.seconds = time.monotonic() - began
    return report


def row(mirror: Mirror) -> Mirror:
    """Push one row now, whatever its next try; as it is afterwards.

    :raises InsideTransaction: a transaction is open.
    """
    rows([mirror])
    return type(mirror)._base_manager.using(transactions.alias()).get(pk=mirror.pk)


def rows(mirrors: Sequence[Mirror]) -> Report:
    """Push these rows now, parents before children, in this thread; parked rows are left alone.

    :raises InsideTransaction: a transaction is open.
    """
    transactions.ensure_outside()
    report, config = Report(), conf.current()
    for name in dict.fromkeys(each.account for each in mirrors):
        mine = [each for each in mirrors if each.account == name and not gateway.is_parked(each)]
        if mine:
            _Account(config.account(name), _Budget(), report, KINDS, mine).run()
    return report


def sync(objects: Iterable[models.Model], *, name: str = "") -> Report:
    """Mark the mirrors of the shop's ``objects`` and push them now.

    :raises InsideTransaction: a transaction is open.
    """
    transactions.ensure_outside()
    listed = list(objects)
    mirroring.mirror(listed, name=name)
    found = (mirroring.row_of(obj, name=name) for obj in listed)
    return rows([each for each in found if each is not None])


def hurry(rows: Iterable[Mirror]) -> list[Mirror]:
    """Make rows due now that would be tried again later; those that changed. Nobody is called."""
    now, changed = clock.now(), []
    with transaction.atomic(using=transactions.alias()):  # a list's action may be inside the request's own
        for row in rows:
            waits = type(row)._base_manager.using(transactions.alias()).filter(pk=row.pk, next_try_at__gt=now)
            if waits.update(next_try_at=now, tries=0):
                changed.append(row)
            waking.after_commit(row)
    return changed


def pending(now: datetime) -> dict[str, int]:
    """How many rows of each kind are due."""
    return {kind.name: _rows(kind).filter(next_try_at__lte=now).count() for kind in KINDS}


@dataclass
class _Budget:
    limit: int | None = None
    until: float | None = None

    @property
    def is_spent(self) -> bool:
        return self.limit == 0 or (self.until is not None and time.monotonic() >= self.until)

    def take(self, wanted: int) -> int:
        """How many of ``wanted`` rows may be taken; they count."""
        if self.is_spent:
            return 0
        if self.limit is None:
            return wanted
        taken = min(wanted, self.limit)
        self.limit -= taken
        return taken


class _Account:
    """One account's run: phases one after the other, each worked on by a few threads."""

    def __init__(
        self,
        account: conf.Account,
        budget: _Budget,
        report: Report,
        kinds: Sequence[Kind],
        only: Sequence[Mirror] | None = None,
    ) -> None:
        self.account, self.budget, self.report, self.kinds = account, budget, report, kinds
        #: Rows asked for by name: due now, and worked on in this thread.
        self.only = (
            None
            if only is None
            else {kind.name: [m.pk for m in only if m.kind == kind.name] for kind in kinds}
        )
        self.store = tokens.HeldTokenStore(tokens.store_for(account))
        self.resting = self.again = False
        self.silent = 0
        self.lock = threading.Lock()

    def run(self) -> None:
        if self._is_held():
            self._rest()
            return
        for number in range(_ROUNDS):
            self.again, now = False, clock.now()
            for kind, wanted in self._phases(now):
                if not self.resting:
                    self._phase(_Feed(self, kind, wanted, now, first=number == 0))
            if self.resting or not self.again:
                return

    def _phases(self, now: datetime) -> Iterator[tuple[Kind, str]]:
        """Parents before children; children are gone before their parents are to go."""
        named = [kind for kind in self.kinds if self.only is None or self.only[kind.name]]
        due = {kind.name: self._due(kind, now) for kind in named}
        yield from ((kind, Wanted.PRESENT) for kind in named if Wanted.PRESENT in due[kind.name])
        yield from ((kind, Wanted.ABSENT) for kind in reversed(named) if Wanted.ABSENT in due[kind.name])

    def _due(self, kind: Kind, now: datetime) -> Collection[str]:
        """What is wanted of rows whose time has come, ready or not: one cheap question spares both phases."""
        if self.only is not None:
            return Wanted.values
        rows = kind.model._base_manager.using(transactions.alias())
        mine = rows.filter(account=self.account.name, environment=self.account.environment)
        return set(mine.filter(next_try_at__lte=now).order_by().values_list("wanted", flat=True).distinct())

    def _phase(self, feed: _Feed) -> None:
        threads = 1 if self.only is not None else feed.threads()
        if threads <= 1:
            self._work(feed)
            return
        errors: list[BaseException] = []

        def work() -> None:
            try:
                self._work(feed)
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
                errors.append(error)
                feed.close()
            finally:
                connections.close_all()

        running = [
            threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(threads)
        ]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        if errors:
            raise errors[0]

    def _work(self, feed: _Feed) -> None:
        client = gateway.client_for(self.account, self.store)
        with gateway.watch(self.report.called):
            while group := feed.next():
                self._group(group, feed.kind, client)

    def _group(self, group: list[Mirror], kind: Kind, client: SadadClient) -> None:
        holder, began = secrets.token_hex(16), time.monotonic()
        try:
            claimed = storing.claim(group, holder, LEASE, forced=self.only is not None)
        except TryAgain:
            self.report.left = True
            return
        point("push.claimed")
        for each in claimed:
            if self.resting or time.monotonic() - began > _BEGIN_WITHIN:
                storing.release(each, holder)
            else:
                self._one(each, kind, holder, client)

    def _one(self, each: Mirror, kind: Kind, holder: str, client: SadadClient) -> None:
        try:
            outcome = pushing.act(each, kind, client)
        except InsideTransaction:
            storing.release(each, holder)
            raise
        except Exception as error:  # noqa: BLE001 - a poisoned row must not stop the others
            logger.warning("push: %s %s: %s", kind.name, each.pk, type(error).__name__)
            outcome = Outcome("unknown", error="program", params={"error": type(error).__name__})
        point("push.answered")
        self._heed(each, outcome)
        try:
            storing.store(each, kind, holder, outcome)
        except TryAgain:
            logger.warning("push: %s %s: the database was busy; it is looked at later", kind.name, each.pk)
            self.report.count("unknown")
            return
        point("push.stored")
        self.report.count(outcome.what)
        anew = outcome.what == "deleted" and each.is_wanted
        if outcome.again or anew or outcome.what in ("found", "absent"):
            self.again = True

    def _heed(self, each: Mirror, outcome: Outcome) -> None:
        """What one answer says about the whole account."""
        if outcome.cause is not None:
            keys.note(each, outcome.cause)
        with self.lock:
            self.silent = self.silent + 1 if outcome.error in ("unavailable", "outcome_unknown") else 0
        if outcome.what == "stop" and outcome.error == "rate_limited":
            self._hold(outcome.wait)
        if outcome.what == "stop" or self.silent >= _SILENCE:
            self._rest()

    def _rest(self) -> None:
        self.resting = True
        self.report.left = True
        self.report.resting.add(self.account.name)

    # 429: all workers heed it

    @property
    def _mark(self) -> str:
        return f"push_hold:{self.account.name}:{self.account.environment}"

    def _is_held(self) -> bool:
        return Mark.objects.filter(name=self._mark, at__gt=clock.sql_now()).exists()

    def _hold(self, seconds: float | None) -> None:
        until = clock.now() + timedelta(seconds=min(seconds or _DEFAULT_HOLD, 3600.0))
        transactions.run(lambda: Mark.objects.update_or_create(name=self._mark, defaults={"at": until}))


class _Feed:
    """The rows of one phase, handed out in groups to the threads that ask; read in batches, oldest first."""

    def __init__(self, account: _Account, kind: Kind, wanted: str, now: datetime, *, first: bool) -> None:
        self.account, self.kind, self.wanted, self.now, self.first = account, kind, wanted, now, first
        self._lock = threading.Lock()
        self._rows: list[Mirror] = []
        self._handed: set[int] = set()
        #: The last batch was not full: nothing was left behind it, and nobody needs to ask again.
        self._closed = self._drained = False
        self._threads = 1
        #: Where only a person could look, no row is claimed before its turn.
        self._size = _GROUP if kind.key else 1

    def threads(self) -> int:
        """Threads worth starting, after a first look."""
        with self._lock:
            self._fill()
            groups = -(-len(self._rows) // self._size)
            self._threads = max(1, min(conf.current().push_concurrency, groups))
        return self._threads

    def next(self) -> list[Mirror]:
        with self._lock:
            if self._closed or self.account.resting:
                return []
            if not self._rows and not self._drained:
                self._fill()
            taken = self.account.budget.take(min(self._share(), len(self._rows)))
            if not taken and self._rows:
                self.account.report.left = True
            group, self._rows = self._rows[:taken], self._rows[taken:]
            return group

    def _share(self) -> int:
        """Rows for one thread. The last ones are spread: none has four to do while others wait."""
        left = len(self._rows) // self._threads
        return min(self._size, max(left, 1)) if self._drained else self._size

    def close(self) -> None:
        self._closed = True

    def _fill(self) -> None:
        """Rows made due while we work have a later time, so that a phase comes to its end."""
        due = list(self._due()[: _BATCH + 1])
        self._drained = len(due) <= _BATCH
        self._rows = [each for each in due[:_BATCH] if each.pk not in self._handed]
        self._handed.update(each.pk for each in self._rows)

    def _due(self) -> models.QuerySet[Any]:
        mine = self.account.account
        due = _rows(self.kind).filter(account=mine.name, environment=mine.environment, wanted=self.wanted)
        only = self.account.only
        if only is not None:
            due = due.filter(pk__in=only[self.kind.name])
        if only is None or not self.first:
            due = due.filter(next_try_at__lte=self.now)
        due = due.filter(storing.to_do(self.now))
        free = Q(lease_until=None) | Q(lease_until__lte=self.now)
        return _ready(due.filter(free), self.kind, self.wanted).order_by("next_try_at", "pk")


def _rows(kind: Kind) -> models.QuerySet[Any]:
    rows = kind.model._base_manager.using(transactions.alias())
    if kind.model is ProductLink:
        return ProductLink._base_manager.using(transactions.alias()).prefetch_related("items__product")
    return rows.select_related(*kind.model.PARENTS) if kind.model.PARENTS else rows.all()


def _ready(due: models.QuerySet[Any], kind: Kind, wanted: str) -> models.QuerySet[Any]:
    """Without rows whose parents are not at Sadad, or which others still need there."""
    if wanted == Wanted.PRESENT:
        for name in kind.model.PARENTS:
            due = due.filter(Q(**{name: None}) | Q(**{f"{name}__sadad_id__isnull": False}))
        if kind.model is ProductLink:
            items = ProductLinkItem._base_manager.using(transactions.alias())
            # Not by a join: an empty link would be left out too, and never sent.
            due = due.exclude(items__in=items.filter(product__sadad_id=None))
        return due
    for model, lookup in kinds.dependants(kind):
        others = model._base_manager.using(transactions.alias())
        there = others.filter(**{lookup: models.OuterRef("pk")}, sadad_id__isnull=False)
        due = due.exclude(models.Exists(there))
    return due
