"""What the probe makes, on disk before the next call, so that it can be deleted whatever happens."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Entries in these states may still stand in the account.
_OPEN = ("intended", "answered", "made")
#: Ends the mark of what Sadad may make of an insert.
BILLS = " bills"
#: What an insert can make: where a line that was cut short may have led.
_FOLDERS = (
    *("ProductCategory", "Product", "ProductLink", "PaymentLink", "Customer", "SubscriptionTemplate"),
    *("Subscription", "SubscriptionLink", "InstallmentPlan", "Invoice"),
)


class Unwritten(OSError):
    """The journal could not be written: nothing more may be made."""


@dataclass(slots=True)
class Entry:
    """One insert.

    :ivar folder: ``"Product"``. :ivar mark: different for each insert.
    :ivar text: what the object carries: its mark, or that of what it was made from.
    :ivar state: ``intended`` (may come to exist), ``answered`` (with what proves nothing: may exist),
        ``made``, ``refused`` (surely not made) or ``gone``.
    :ivar pay: KWD that a person was asked to pay for this invoice, else ``""``.
    :ivar refund: ``""``, ``intended`` (sent, or about to be), ``done`` or ``refused``.
    """

    folder: str
    mark: str
    text: str = ""
    state: str = "intended"
    id: str = ""
    key: str = ""
    pay: str = ""
    refund: str = ""

    @property
    def by_itself(self) -> bool:
        """Not an insert of ours but what Sadad makes of one, maybe several times: bills of a subscription."""
        return self.mark.endswith(BILLS)

    @property
    def open(self) -> bool:
        return self.state in _OPEN


@dataclass(slots=True)
class Journal:
    """Lines of JSON, each forced to disk before the next call is made.

    :ivar head: run, environment, API address and fingerprint of the account: ids mean nothing elsewhere.
        No keys, no personal data.
    """

    path: Path
    head: Mapping[str, str]
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def start(cls, path: Path, head: Mapping[str, str]) -> Journal:
        """:raises FileExistsError: a journal is never written over. :raises OSError: it cannot be written."""
        with path.open("x", encoding="utf-8"):
            pass
        found = cls(path, dict(head))
        try:
            found._write({"head": dict(head)})
        except Unwritten:
            path.unlink()
            raise
        _keep_name(path)
        return found

    @classmethod
    def read(cls, path: Path) -> Journal:
        """:raises ValueError: not a journal. :raises OSError: it cannot be read.

        A last line that was cut short was most likely never followed by its call; it is looked after all the
        same.
        """
        lines = path.read_text(encoding="utf-8").split("\n")
        try:
            rows = [json.loads(line) for line in lines[:-1]]
            found = cls(path, {str(key): str(value) for key, value in rows[0]["head"].items()})
            for row in rows[1:]:
                found._apply(row)
        except (ValueError, LookupError, TypeError, AttributeError):
            raise ValueError(f"{path.name} is no journal of a probe") from None
        found._mend(lines[-1])
        return found

    def write(self, mark: str, **changes: str) -> None:
        """What is about to be done to an insert's entry; a new mark begins one (``folder``).

        :raises Unwritten: it is not on disk, and must not be done.
        """
        row = {"mark": mark, **changes}
        self._write(row)
        self._apply(row)

    def note(self, mark: str, **changes: str) -> None:
        """What has come of it: known here even where it cannot be written.

        :raises Unwritten: on disk it is still as before, so that whoever reads it looks once more.
        """
        row = {"mark": mark, **changes}
        self._apply(row)
        self._write(row)

    @property
    def open(self) -> list[Entry]:
        """What may still stand in the account, last made first: the order in which it can be deleted."""
        return [entry for entry in reversed(self.entries.values()) if entry.open]

    def close(self) -> None:
        """Forget the file if nothing is left to do with it."""
        if not self.open:
            self.path.unlink(missing_ok=True)

    def _apply(self, row: dict[str, str]) -> None:
        changes = {name: str(value) for name, value in row.items() if name != "mark"}
        entry = self.entries.get(row["mark"])
        if entry is None:
            self.entries[row["mark"]] = Entry(mark=row["mark"], **changes)
            return
        for name, value in changes.items():
            setattr(entry, name, value)

    def _write(self, row: Mapping[str, Any]) -> None:
        self._append((json.dumps(row) + "\n").encode())

    def _append(self, data: bytes) -> None:
        """All of it or nothing; a full disk takes a part and says so only by the count."""
        try:
            size = self.path.stat().st_size
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise Unwritten(error.errno, "the journal cannot be opened") from None
        try:
            if os.write(handle, data) != len(data):
                raise Unwritten("the disk is full")
            os.fsync(handle)
        except OSError as error:
            with suppress(OSError):
                os.truncate(self.path, size)
            raise Unwritten(error.errno, "the journal cannot be written") from None
        finally:
            os.close(handle)

    def _mend(self, torn: str) -> None:
        if not torn:
            return
        os.truncate(self.path, self.path.stat().st_size - len(torn.encode()))
        found: dict[str, str] = dict(_TOLD.findall(torn))
        count = sum(not entry.by_itself for entry in self.entries.values())
        mark = found.get("mark") or f"probe-{self.head.get('run', '')}-{count + 1:03d}"
        if mark in self.entries:  # a change of it: what is open is looked at anyway
            return
        for folder in (found["folder"],) if "folder" in found else _FOLDERS:
            self.write(f"{mark} {folder}", folder=folder, text=found.get("text") or mark)


#: A whole name and value of a line that was cut short.
_TOLD = re.compile(r'"(mark|folder|text)": "([^"]*)"')


def _keep_name(path: Path) -> None:
    """A new file's name is on disk only with its folder; systems that cannot do that are left alone."""
    with suppress(OSError):
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
