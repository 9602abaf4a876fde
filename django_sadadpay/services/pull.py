"""Pull: take over what exists at Sadad, page after page, into the mirrors; and invoices that the shop knows.

A list is walked in parts of about a thousand objects. After each part the place is written down (``Mark``),
so that a run that was killed goes on there. Nothing of a list is kept in memory but the part in hand and one
bit for each row of ours that was seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from django_sadadpay import conf
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import AuthenticationError, RateLimited, SadadError
from django_sadadpay.gateway.hidden import hide
from django_sadadpay.gateway.paging import TAKE, Page
from django_sadadpay.models import Attention, Mark
from django_sadadpay.services import (
    clock,
    gateway,
    keys,
    mirrored,
    panel_invoices,
    patience,
    tokens,
    transactions,
)
from django_sadadpay.services.errors import PaymentError
from django_sadadpay.services.kinds import KINDS
from django_sadadpay.services.lists import Change, Taken

MARK = "pull"
INVOICES = "invoices"
#: Objects in one part: so many share the statements of a part.
BATCH = 1000
#: A place that was written down longer ago is not gone on from: the list has changed too much.
_GOOD_FOR = timedelta(hours=24)


class CannotPull(ValueError):
    """What was asked for cannot be done; nothing was. The message says why."""


@dataclass
class Counted:
    """What a run did with one list.

    :ivar counts: objects by what became of them. ``new``; ``changed`` (Sadad's change was taken); ``same``
        (in step, only Sadad's words were noted); ``unchanged`` (nothing was written); ``matched`` (a row of
        ours whose id was not known); ``conflict`` (changed on both sides), ``asked`` of them; ``waiting``
        (push or a person is at it, or our change is still to be sent, or was sent after the list was asked
        for); ``gone`` (Sadad has it no more); ``foreign`` (invoices that no payable knows); ``unreadable``
        (without an id); ``failed`` (tried again next time).
    :ivar error: why the list was not read to its end.
    :ivar began_at: objects left out before, by a run that was killed.
    :ivar whole: the list was seen from its beginning to its end.
    """

    account: str
    resource: str
    seen: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    error: str = ""
    seconds: float = 0.0
    began_at: int = 0
    whole: bool = False

    def add(self, taken: Taken) -> None:
        for what, number in taken.counts.items():
            self.counts[what] = self.counts.get(what, 0) + number

    @property
    def needs_a_look(self) -> bool:
        """Something failed, or was changed on both sides."""
        return bool(self.error) or any(self.counts.get(word) for word in ("failed", "unreadable", "conflict"))


@dataclass
class Report:
    """What a run did. ``dry_run``: what it would have done."""

    lists: list[Counted] = field(default_factory=list)
    dry_run: bool = False
    calls: int = 0
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0: all is well. 1: some objects or lists need a look. 2: no list could be read."""
        if self.lists and all(one.error and not one.seen for one in self.lists):
            return 2
        return int(any(one.needs_a_look for one in self.lists))

    def called(self, _endpoint: str) -> None:
        self.calls += 1


@dataclass(frozen=True)
class Progress:
    """Where a run is, after each part of a list.

    :ivar done: objects of this list. :ivar total: as Sadad says, if it does.
    :ivar changes: of a dry run: what differs.
    """

    account: str
    resource: str
    done: int
    total: int | None
    seconds: float
    changes: Sequence[Change] = ()


OnProgress = Callable[[Progress], object]


class Source(Protocol):
    """A list at Sadad, and what is done with its objects."""

    def pages(self, skip: int) -> Iterator[Page]: ...

    def take(self, rows: Sequence[Mapping[str, Any]], began: datetime) -> Taken:
        """Take over a part of the list.

        :param began: before Sadad was asked for any of it, by the database's clock.
        :raises SadadError: the list is not read on.
        """

    def finish(self, total: int | None) -> Taken:
        """The whole list was seen."""


def resources() -> tuple[str, ...]:
    """Names of what can be pulled, parents before children."""
    return (*(kind.group for kind in KINDS), INVOICES)


def run(
    *,
    account: str | None = None,
    resources: Sequence[str] | None = None,
    since: date | None = None,
    dry_run: bool = False,
    details: bool = True,
    on_progress: OnProgress | None = None,
) -> Report:
    """Walk Sadad's lists and take over what is there.

    :param account: default all. :param resources: names of :func:`resources`; default all but invoices.
    :param since: only what was made on that day (Kuwait) or later, where Sadad's list knows dates.
    :param dry_run: call Sadad and compare, and write nothing; ``on_progress`` is told what differs.
    :param details: read new and changed objects one by one where the list does not show all of them
        (products, payment links, product links).
    :raises InsideTransaction: a transaction is open.
    :raises CannotPull: no such account or resource, or ``since`` with a list that knows no dates.
    """
    transactions.ensure_outside()
    accounts, names = _accounts(account), _names(resources)
    began, report = time.monotonic(), Report(dry_run=dry_run)
    order = _Order(since, dry_run, details, on_progress)
    with gateway.watch(report.called):
        for each in accounts:
            client = gateway.client_for(each, tokens.HeldTokenStore(tokens.store_for(each)))
            sources = [(name, _source(name, each, client, order)) for name in names]
            for name, source in sources:
                walk = _Walk(each, name, source, order)
                report.lists.append(walk.counted)
                if not walk.run():
                    break
    report.seconds = time.monotonic() - began
    return report


@dataclass(frozen=True)
class _Order:
    since: date | None
    dry_run: bool
    details: bool
    on_progress: OnProgress | None


def _accounts(name: str | None) -> list[conf.Account]:
    config = conf.current()
    if name is None:
        return list(config.accounts.values())
    if name not in config.accounts:
        raise CannotPull(f'SADADPAY["ACCOUNTS"] has no account {name!r}')
    return [config.accounts[name]]


def _names(asked: Sequence[str] | None) -> list[str]:
    """In the order in which they are pulled, whatever the order in which they were asked for."""
    if asked is None:
        return [kind.group for kind in KINDS]
    known = resources()
    short = {kind.name: kind.group for kind in KINDS} | {"invoice": INVOICES}
    words = (name.replace("-", "_").lower() for name in asked)
    folded = {short.get(word, word) for word in words}
    wrong = sorted(folded - set(known))
    if wrong:
        raise CannotPull(f"no such resource: {', '.join(wrong)}. There are: {', '.join(known)}")
    return [name for name in known if name in folded]


def _source(name: str, account: conf.Account, client: SadadClient, order: _Order) -> Source:
    kind = next((kind for kind in KINDS if kind.group == name), None)
    folder = "Invoice" if kind is None else kind.folder
    filters = {f.name for f in client.endpoints[f"{folder}/getall"].fields}
    if order.since is not None and "create_date_from" not in filters:
        raise CannotPull(f"Sadad's list of {name} knows no dates: it can only be pulled whole, without since")
    if kind is None:
        return panel_invoices.Invoices(account, client, order.since, dry_run=order.dry_run)
    return mirrored.Objects(kind, account, client, dry_run=order.dry_run, details=order.details)


class _Walk:
    """One list from the place where it was left to its end."""

    def __init__(self, account: conf.Account, name: str, source: Source, order: _Order) -> None:
        self.counted = Counted(account.name, name)
        self._account, self._source, self._order = account, source, order
        self._mark = f"{MARK}:{account.name}:{account.environment}:{name}"
        self._total: int | None = None
        self._began = time.monotonic()

    def run(self) -> bool:
        """:return: False when the account's other lists need not be tried: its keys are refused."""
        try:
            self._walk(self._start())
        except AuthenticationError as error:
            self.counted.error = str(error)
            if not self._order.dry_run:
                keys.note(Attention(account=self._account.name, environment=self._account.environment), error)
            return not error.endpoint.startswith("User/")
        except (SadadError, PaymentError) as error:
            self.counted.error = str(error)
        finally:
            self.counted.seconds = time.monotonic() - self._began
        return True

    def _walk(self, start: int) -> None:
        self.counted.began_at = start
        rows: list[Mapping[str, Any]] = []
        began = clock.now()
        for page in self._pages(start):
            self._total = page.total if page.total is not None else self._total
            rows += [hide(row) for row in page.rows]
            while len(rows) >= BATCH or (page.is_last and rows):
                part, rows = rows[:BATCH], rows[BATCH:]
                self._take(part, began)
                # Of a page that is taken in parts, the place is its beginning: what comes twice is unchanged.
                self._remember(page.skip if rows else page.skip + TAKE)
                began = began if rows else clock.now()
        self._end(start)

    def _end(self, start: int) -> None:
        seen = self.counted.seen
        self.counted.whole = start == 0 and (self._total is None or seen >= self._total)
        if self.counted.whole and self._order.since is None:
            taken = self._source.finish(self._total)
            self.counted.add(taken)
            self._tell(taken)
        self._remember(0)

    def _take(self, rows: Sequence[Mapping[str, Any]], began: datetime) -> None:
        taken = self._source.take(rows, began)
        self.counted.seen += len(rows)
        self.counted.add(taken)
        self._tell(taken)

    def _tell(self, taken: Taken) -> None:
        if self._order.on_progress is not None:
            seconds = time.monotonic() - self._began
            done = self.counted.seen + self.counted.began_at
            place = (self.counted.account, self.counted.resource, done, self._total, seconds)
            self._order.on_progress(Progress(*place, tuple(taken.changes)))

    def _pages(self, skip: int) -> Iterator[Page]:
        """Page after page; after a 429, from where it was turned away."""
        pages = self._source.pages(skip)
        while True:
            try:
                page = next(pages, None)
            except RateLimited:
                page = patience.call(partial(self._again, skip))
                pages = self._source.pages(skip + TAKE)
            if page is None:
                return
            yield page
            if page.is_last:
                return
            skip = page.skip + TAKE

    def _again(self, skip: int) -> Page | None:
        return next(self._source.pages(skip), None)

    # The place

    def _start(self) -> int:
        if self._order.dry_run or self._order.since is not None:
            return 0
        row = Mark.objects.filter(name=self._mark).first()
        if row is None or row.at is None or clock.now() - row.at > _GOOD_FOR:
            return 0
        return int(row.detail.get("skip", 0))

    def _remember(self, skip: int) -> None:
        if self._order.dry_run or self._order.since is not None:
            return
        values = {"detail": {"skip": skip}, "at": clock.sql_now()}
        rows = Mark.objects.filter(name=self._mark)
        if not transactions.run(lambda: rows.update(**values)):
            transactions.run(lambda: Mark.objects.get_or_create(name=self._mark))
            transactions.run(lambda: rows.update(**values))
