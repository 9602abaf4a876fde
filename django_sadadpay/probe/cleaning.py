"""Deleting what the probe made, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
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

    :param pause: seconds that Sadad may still work at an insert whose answer was given up.
    """

    def __init__(self, caller: Caller, journal: Journal, say: Say, *, pause: float) -> None:
        self._caller = caller
        self._journal = journal
        self._looker = Looker(caller)
        self._say = say
        self._pause = pause
        self._waited = False
        self._early: set[str] = set()
        self._paid: set[str] = set()

    def clean(self) -> list[str]:
        """Delete everything that may still be there; the names of what is left."""
        self._caller.step = "cleaning up"
        self._caller.stop_recording()
        self._twice()
        if self._early:
            self._tell(f"waiting {self._pause:.0f} s: an insert without an answer may still be at work")
            self._caller.sleep(self._pause)
            self._waited = True
            self._twice()
        left = [self._line(entry) for entry in self._journal.open]
        for line in left:
            self._tell(f"left: {line}")
        return left

    def _twice(self) -> None:
        for _ in range(2):  # what was in use the first time may be free now
            for entry in self._journal.open:
                if self._waited or entry.mark not in self._early:
                    self._tried(entry)

    def _tried(self, entry: Entry) -> None:
        """Whatever goes wrong with one, the others are deleted; it stays open, so that it is told."""
        try:
            self._one(entry)
        except Exception as error:  # noqa: BLE001 - see above; the same holds for a fault of our own
            self._tell(f"{entry.folder} `{entry.text}`: {type(error).__name__}")

    def _one(self, entry: Entry) -> None:
        found = self._looker.by_id(entry.folder, entry.id) if entry.id else Found()
        if not carries(found.raw, entry.text):
            found = self._by_mark(entry, found)
        if found.raw is None:
            self._absent(entry, found)
        elif entry.folder != "Invoice" or not self._settled(entry, found):
            self._delete(entry, found)

    def _by_mark(self, entry: Entry, by_id: Found) -> Found:
        """By its text in the list: only that can prove that it is not there."""
        found = self._looker.by_mark(entry.folder, entry.text)
        if found.raw is None:
            return Found(sure=by_id.sure and found.sure)
        self._journal.note(entry.mark, state="made", id=found.id, key=found.key)
        return found

    def _absent(self, entry: Entry, found: Found) -> None:
        """An insert without an answer may still be at work: it is looked for again before it is forgotten."""
        if entry.state == "intended" and not self._waited:
            self._early.add(entry.mark)
        elif found.sure:
            self._journal.note(entry.mark, state="gone")

    def _delete(self, entry: Entry, found: Found) -> None:
        row = self._caller.endpoints[f"{entry.folder}/delete"]
        if not found.id:
            return
        reply = self._caller.send(row.name, query={row.fields[0].wire: found.id})
        if reply is not None and not reply.lost and not reply.failed and not entry.by_itself:
            self._journal.note(entry.mark, state="gone")

    def _settled(self, entry: Entry, found: Found) -> bool:
        """Whether nothing of it can be deleted: it was cancelled, or paid and given back."""
        invoice = InvoiceRecord.from_wire(found.raw, found.fields)
        if invoice.deleted or invoice.status == "Canceled":
            self._journal.note(entry.mark, state="gone")
            return True
        if invoice.status not in PAID:
            return False
        self._paid.add(entry.mark)
        if entry.pay and entry.refund == "":
            refund(self._caller, self._journal, entry)
        elif entry.pay and (invoice.refunded_amount or 0) > 0:
            self._journal.note(entry.mark, refund="done")
        if entry.refund == "done":
            self._journal.note(entry.mark, state="gone")
        return True

    def _line(self, entry: Entry) -> str:
        """What a person looks for in the panel."""
        return f"{entry.folder} `{entry.text}`{self._about(entry)}"

    def _about(self, entry: Entry) -> str:
        if entry.refund == "intended":
            return "; whether its refund was made must be looked at"
        if entry.mark in self._paid or entry.refund == "refused":
            asked = "" if entry.pay else ", though nobody was asked to,"
            return f"; it was paid{asked} and not given back: refund it in the panel"
        return "; its insert was not answered: it may still appear" if entry.state == "intended" else ""

    def _tell(self, text: str) -> None:
        """Nobody may be listening any more."""
        with suppress(OSError, ValueError):
            self._say(text)
