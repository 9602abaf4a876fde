"""A list of one kind of object at Sadad, as ``pull`` walks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django_sadadpay import conf
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import AuthenticationError, NotFound, RateLimited, SadadError
from django_sadadpay.gateway.paging import Page
from django_sadadpay.services import finding, patience, pulling, vanishing
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.lists import Known, Place, Taken
from django_sadadpay.services.told import Reader, Told


class Objects:
    """Implements ``pull.Source``."""

    def __init__(
        self, kind: Kind, account: conf.Account, client: SadadClient, *, dry_run: bool, details: bool
    ) -> None:
        reader = Reader(kind, client)
        asks = conf.current().pull_conflict == "ask"
        self._kind, self._client = kind, client
        self._place = Place(kind, account.name, account.environment, reader, asks, dry_run)
        self._reads = details and reader.shows_more
        self._seen = vanishing.Seen()

    def pages(self, skip: int) -> Iterator[Page]:
        pages: Iterator[Page] = self._kind.calls(self._client).pages(skip=skip)
        return pages

    def take(self, rows: Sequence[Mapping[str, Any]], began: datetime) -> Taken:
        """:raises RateLimited, AuthenticationError: objects cannot be read one by one."""
        read = [self._place.reader.read(row) for row in rows]
        told = {one.sadad_id: one for one in read if one is not None}
        known = pulling.sort(self._place, told, began)
        unchanged = len(told) - len(known.changed) - len(known.new)
        failed = self._deepen(known) if self._reads else 0
        taken = pulling.take(self._place, known)
        self._seen.add(known.seen)
        self._seen.add(taken.stored)
        taken.count("unchanged", unchanged)
        taken.count("unreadable", read.count(None))
        taken.count("failed", failed)
        return taken

    def finish(self, total: int | None) -> Taken:
        return vanishing.look(self._place, self._client, self._seen)

    def _deepen(self, known: Known) -> int:
        """Read one by one what the list shows in part; what could not be read waits for the next pull."""
        failed = 0
        for pk, one in list(known.changed.items()):
            if pk not in known.uncompared and not self._read(one):
                del known.changed[pk]
                failed += 1
        before = len(known.new)
        known.new = [one for one in known.new if self._read(one)]
        return failed + before - len(known.new)

    def _read(self, one: Told) -> bool:
        try:
            key = str(one.values.get("key") or "")
            record = patience.call(partial(finding.by_id, self._kind, self._client, one.sadad_id, key))
        except (RateLimited, AuthenticationError):
            raise
        except NotFound:
            return False  # deleted meanwhile
        except SadadError:
            return False
        if record is None:
            return False
        self._place.reader.deepen(one, record.raw)
        return True
