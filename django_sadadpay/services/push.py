"""Push: bring Sadad in step with what is wanted, row by row, each on its own.

The rows are the queue. A worker selects rows that are due, claims a few with one conditional UPDATE (which
also writes down what is about to be sent), calls Sadad outside any transaction, and stores what came of it
with one conditional UPDATE. What can happen at the same time, and why nothing is lost or sent twice:

- Two workers select the same row: the claim asks for a free lease, and one of them gets it.
- It is saved, sent, matched by pull or held back between select and claim: the claim asks for the row exactly
  as it was selected.
- Somebody pushes, or edits, right after an answer was lost: nobody looks before that call can be over.
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
- Changed on both sides, gone at Sadad, or not to be sent: the row is ``held``, whoever asks for it.
- Many runs at once: each call needs one of the account's slots.
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

from django.db import connections, models, transaction

from django_sadadpay import conf
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.models import Mark, Mirror
from django_sadadpay.services import (
    clock,
    due,
    gateway,
    keys,
    mirroring,
    needing,
    pushing,
    slots,
    storing,
    tokens,
    transactions,
    waking,
)
from django_sadadpay.services.errors import InsideTransaction, TryAgain
from django_sadadpay.services.feeding import Budget, Feed
from django_sadadpay.services.kinds import KINDS, Kind
from django_sadadpay.services.points import point
from django_sadadpay.services.pushing import Outcome
from django_sadadpay.services.slots import Slot

Wanted = Mirror.Wanted
logger = logging.getLogger("django_sadadpay")
#: A claim is good for this long: more than the longest call (a token, the write, a read).
LEASE = timedelta(seconds=180)
#: A row whose claim is older is not begun any more (seconds, by this process's own clock).
_BEGIN_WITHIN = 90.0
#: The mark that holds when a run over everything last ended.
MARK = "push"
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
    budget = Budget(limit, None if max_seconds is None else began + max_seconds)
    report, wanted = Report(), set(kinds)
    for each in chosen:
        _Account(each, budget, report, [k for k in KINDS if not wanted or k.name in wanted]).run()
    report.seconds = time.monotonic() - began
    if not account and not wanted:
        slots.note(MARK, clock.now())
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
            _Account(config.account(name), Budget(), report, KINDS, mine).run()
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
    return due.pending(now)


def is_late(now: datetime) -> timedelta | None:
    """How long no run has ended, if that is too long while something is due; None when all is well."""
    limit = timedelta(seconds=conf.current().reconcile_late_after)
    mark = Mark.objects.filter(name=MARK).first()
    last = mark.at if mark is not None else None
    if (last is not None and now - last <= limit) or not due.is_any(now - limit):
        return None
    return limit if last is None else now - last


class _Account:
    """One account's run: phases one after the other, each worked on by as many threads as there are slots."""

    def __init__(
        self,
        account: conf.Account,
        budget: Budget,
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
        self.slots: list[Slot] = []

    def run(self) -> None:
        if self._is_held():
            self._rest()
            return
        while True:
            began = clock.now()
            try:
                self._rounds()
            finally:
                worked = bool(self.slots)
                for slot in self.slots:
                    slot.free()
                self.slots = []
            ends = self.resting or self.only is not None or self.budget.is_spent
            if ends or not worked or not slots.is_called(self.account, began):
                return

    def _rounds(self) -> None:
        for number in range(_ROUNDS):
            self.again = False
            for kind, wanted, now in self._phases(clock.now()):
                if not self.resting and not self._phase(kind, wanted, now, first=number == 0):
                    return
            if self.resting or not self.again:
                return

    def _phases(self, now: datetime) -> Iterator[tuple[Kind, str, datetime]]:
        """Parents before children; children are gone before their parents are to go."""
        named = [kind for kind in self.kinds if self.only is None or self.only[kind.name]]
        asked = {kind.name: self._wishes(kind, now) for kind in named}
        going = [kind for kind in named if Wanted.ABSENT in asked[kind.name]]
        freed = [needing.free(kind, self.account, now) for kind in going if self.only is None]
        if any(freed):
            now = clock.now()  # what was drafted anew is due since a moment, and goes first
            asked = {kind.name: self._wishes(kind, now) for kind in named}
        yield from ((kind, Wanted.PRESENT, now) for kind in named if Wanted.PRESENT in asked[kind.name])
        yield from (
            (kind, Wanted.ABSENT, now) for kind in reversed(named) if Wanted.ABSENT in asked[kind.name]
        )

    def _wishes(self, kind: Kind, now: datetime) -> Collection[str]:
        return Wanted.values if self.only is not None else due.wishes(kind, self.account, now)

    def _phase(self, kind: Kind, wanted: str, now: datetime, *, first: bool) -> bool:
        """False: others hold all slots of the account."""
        only = None if self.only is None else self.only[kind.name]
        batches = due.batches(kind, self.account, wanted, now, only, forced=first and only is not None)
        feed = Feed(kind, batches, self.budget, 1 if only is not None else conf.current().push_concurrency)
        if feed.threads and not self._have(feed.threads):
            return False
        if feed.threads:
            self._work_on(feed, self.slots[: feed.threads])
        self.report.left = self.report.left or feed.is_cut
        return True

    def _have(self, threads: int) -> bool:
        """Hold a slot for each thread, if there are so many; whether there is one at all."""
        if len(self.slots) < threads:
            self.slots += slots.take(self.account, threads - len(self.slots))
        if not self.slots and self.only is None:
            slots.call_again(self.account)
            self.slots = slots.take(self.account, threads)
        if not self.slots:
            self.report.left = True  # the rows stay due: whoever holds the slots, or the next run, sends them
        return bool(self.slots)

    def _work_on(self, feed: Feed, held: Sequence[Slot]) -> None:
        if len(held) == 1:
            self._work(feed, held[0])
            return
        errors: list[BaseException] = []

        def work(slot: Slot) -> None:
            try:
                self._work(feed, slot)
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
                errors.append(error)
                feed.close()
            finally:
                connections.close_all()

        running = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, slot)) for slot in held
        ]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        if errors:
            raise errors[0]

    def _work(self, feed: Feed, slot: Slot) -> None:
        client = gateway.client_for(self.account, self.store)
        with gateway.watch(self.report.called):
            while not self.resting and slot.keep() and (group := feed.next()):
                self._group(group, feed, client)

    def _group(self, group: list[Mirror], feed: Feed, client: SadadClient) -> None:
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
                self._one(each, feed, holder, client)

    def _one(self, each: Mirror, feed: Feed, holder: str, client: SadadClient) -> None:
        kind = feed.kind
        try:
            outcome = pushing.act(each, kind, client, feed.lists)
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
        slots.note(self._mark, clock.now() + timedelta(seconds=min(seconds or _DEFAULT_HOLD, 3600.0)))
