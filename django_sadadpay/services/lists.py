"""What the modules of a pull hand to one another: the rows meant, a part of a list, what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from django_sadadpay.models import Mirror
from django_sadadpay.services import transactions
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.told import Reader, Told


@dataclass(frozen=True)
class Change:
    """One field that differs. Personal values are never held here: they are ``•••``.

    :ivar what: ``new``, ``changed``, ``matched``, ``conflict`` or ``gone``.
    """

    what: str
    kind: str
    sadad_id: str
    name: str = ""
    ours: str = ""
    theirs: str = ""


@dataclass
class Taken:
    """What became of the objects of one part, by word: see ``pull.Counted``."""

    counts: dict[str, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    #: Rows that were made or matched: they are there, although the list was compared before.
    stored: list[int] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        if number:
            self.counts[what] = self.counts.get(what, 0) + number


@dataclass
class Known:
    """A part of a list before anything is written: what is unchanged needs nothing more.

    :ivar changed: by our primary key; ``uncompared`` are those that no list was held against before.
    :ivar seen: every row of ours that the part showed.
    :ivar began: when Sadad was asked for it, by the database's clock: what was pushed later is newer than it.
        None: it is held against nothing newer.
    """

    changed: dict[int, Told] = field(default_factory=dict)
    new: list[Told] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    uncompared: set[int] = field(default_factory=set)
    began: datetime | None = None

    def is_older(self, row: Mirror) -> bool:
        """Whether we have brought Sadad in step since: it may show what was there before."""
        return self.began is not None and row.synced_at is not None and row.synced_at >= self.began


@dataclass(frozen=True)
class Place:
    """Which rows are meant: one kind in one account and environment."""

    kind: Kind
    account: str
    environment: str
    reader: Reader
    asks: bool = False
    dry_run: bool = False

    @property
    def rows(self) -> models.QuerySet[Any]:
        rows = self.kind.model._base_manager.using(transactions.alias())
        return rows.filter(account=self.account, environment=self.environment)
