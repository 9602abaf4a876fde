"""How many calls of an account may be under way at once, over all processes: it has so many slots.

A slot is a row of ``Mark``, held until its time. Who dies with one gives it back by dying: it runs out.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import IntegrityError

from django_sadadpay import conf
from django_sadadpay.models import Mark
from django_sadadpay.services import clock, transactions
from django_sadadpay.services.errors import TryAgain

#: Longer than a group of rows can take after a renewal, and no longer than the rows' own lease.
_HOLD = timedelta(seconds=180)
#: A slot renewed so many seconds ago is good for another group.
_FRESH = 30.0


class Slot:
    """The right to have one call under way. Held by one thread."""

    def __init__(self, name: str, until: datetime) -> None:
        self._name, self._until, self._kept = name, until, time.monotonic()

    def keep(self) -> bool:
        """Renew it in good time; False if it ran out and is another's by now."""
        if time.monotonic() - self._kept < _FRESH:
            return True
        kept, until = time.monotonic(), clock.now() + _HOLD
        if not self._set(until):
            return False
        self._kept, self._until = kept, until
        return True

    def free(self) -> None:
        self._set(clock.now())

    def _set(self, at: datetime) -> bool:
        mine = Mark.objects.filter(
            name=self._name, at=self._until
        )  # nobody else has written just this moment
        try:
            return bool(transactions.statement(lambda: mine.update(at=at)))
        except TryAgain:
            return False


def take(account: conf.Account, most: int) -> list[Slot]:
    """Up to ``most`` free slots of the account; none, if others hold them all."""
    names = [_name(account, "slot", number) for number in range(conf.current().push_concurrency)]
    held = set(Mark.objects.filter(name__in=names, at__gt=clock.sql_now()).values_list("name", flat=True))
    taken: list[Slot] = []
    for name in names:
        if len(taken) == most:
            break
        if name not in held and (slot := _take(name)) is not None:
            taken.append(slot)
    return taken


def _take(name: str) -> Slot | None:
    now = clock.now()
    until = now + _HOLD
    over = Mark.objects.filter(name=name, at__lte=now)
    try:
        if not transactions.statement(lambda: over.update(at=until)):
            transactions.run(lambda: Mark.objects.create(name=name, at=until))
    except (IntegrityError, TryAgain):
        return None  # somebody was quicker
    return Slot(name, until)


def note(name: str, at: datetime) -> None:
    """Set a mark. On a database that stays locked it is not set: a mark is never worth a run."""
    rows = Mark.objects.filter(name=name)
    with suppress(IntegrityError, TryAgain):
        if not transactions.statement(lambda: rows.update(at=at)):
            transactions.run(lambda: Mark.objects.create(name=name, at=at))


def call_again(account: conf.Account) -> None:
    """Ask whoever holds the slots to look once more for what is due: there was none for us."""
    note(_name(account, "woken"), clock.now())


def is_called(account: conf.Account, since: datetime) -> bool:
    """Whether somebody found no slot since then. Asked once our own are free."""
    return Mark.objects.filter(name=_name(account, "woken"), at__gte=since).exists()


def _name(account: conf.Account, what: str, number: int | str = "") -> str:
    return f"push_{what}:{account.name}:{account.environment}:{number}"
