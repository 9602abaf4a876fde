"""Deleting what the probe made, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.probe.looking import Found, Looker, carries
from django_sadadpay.probe.refunding import PAID, refund

if TYPE_CHECKING:
    from django_sadadpay.probe.calling import Caller
    from django_sadadpay.probe.journal import Entry, Journal

Say = Callable[[str], None]


class Cleaner:
    """Works through a journal, last made first.

    What is deleted is read first and must carry the text of its insert: an id alone could be anybody's.
    """

    def __init__(self, caller: Caller, journal: Journal, say: Say) -> None:
        self._caller = caller
        self._journal = journal
        self._looker = Looker(caller)
        self._say = say

    def clean(self) -> list[str]:
        """Delete everything that may still be there; the names of what is left."""
        self._caller.step = "cleaning up"
        for _ in range(2):  # what was in use the first time may be free now
            for entry in self._journal.open:
                self._one(entry)
        for entry in self._journal.open:
            self._say(f"left: {line(entry)}")
        return [line(entry) for entry in self._journal.open]

    def _one(self, entry: Entry) -> None:
        found = self._looker.by_id(entry.folder, entry.id) if entry.id else Found()
        if not carries(found.raw, entry.text):
            found = self._by_mark(entry, found)
        if found.raw is None:
            if found.sure:
                self._journal.write(entry.mark, state="gone")
        elif entry.folder == "Invoice" and self._settled(entry, InvoiceRecord.from_wire(found.raw)):
            return
        else:
            self._delete(entry, found)

    def _by_mark(self, entry: Entry, by_id: Found) -> Found:
        """By its text, unless its own id surely names nothing any more."""
        if entry.id and by_id.raw is None and by_id.sure:
            return by_id
        found = self._looker.by_mark(entry.folder, entry.text)
        if found.raw is None:
            return Found(sure=by_id.sure and found.sure)
        self._journal.write(entry.mark, state="made", id=found.id, key=found.key)
        return found

    def _delete(self, entry: Entry, found: Found) -> None:
        row = self._caller.endpoints[f"{entry.folder}/delete"]
        reply = self._caller.send(row.name, query={row.fields[0].wire: found.id})
        if reply is not None and not reply.lost and not reply.failed:
            self._journal.write(entry.mark, state="gone")

    def _settled(self, entry: Entry, invoice: InvoiceRecord) -> bool:
        """Whether nothing of it can be deleted: it was cancelled, or paid and given back."""
        if invoice.deleted or invoice.status == "Canceled":
            self._journal.write(entry.mark, state="gone")
            return True
        if invoice.status not in PAID:
            return False
        if not entry.pay:
            self._say(f"paid, though nobody was asked to: {line(entry)}")
        elif entry.refund == "":
            refund(self._caller, self._journal, entry)
        elif (invoice.refunded_amount or 0) > 0:
            self._journal.write(entry.mark, refund="done")
        if entry.refund == "done":
            self._journal.write(entry.mark, state="gone")
        return True


def line(entry: Entry) -> str:
    """What a person looks for in the panel."""
    refund = "; whether its refund was made must be looked at" if entry.refund == "intended" else ""
    return f"{entry.folder} `{entry.text}`{refund}"
