"""What the probe makes, on disk before the next call, so that it can be deleted whatever happens."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Entries in these states may still stand in the account.
_OPEN = ("intended", "made")


@dataclass(slots=True)
class Entry:
    """One insert.

    :ivar folder: ``"Product"``. :ivar mark: different for each insert.
    :ivar text: what the object carries: its mark, or that of what it was made from.
    :ivar state: ``intended`` (may exist), ``made``, ``refused`` (surely not made), ``gone`` (deleted).
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
    def open(self) -> bool:
        return self.state in _OPEN


@dataclass(slots=True)
class Journal:
    """Lines of JSON, each forced to disk before the next call is made.

    :ivar head: run, environment and API address: ids mean nothing elsewhere. No keys, no personal data.
    """

    path: Path
    head: Mapping[str, str]
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def start(cls, path: Path, head: Mapping[str, str]) -> Journal:
        """:raises FileExistsError: a journal is never written over."""
        with path.open("x", encoding="utf-8"):
            pass
        found = cls(path, dict(head))
        found._write({"head": dict(head)})
        return found

    @classmethod
    def read(cls, path: Path) -> Journal:
        """:raises ValueError: not a journal. :raises OSError: it cannot be read.

        A last line that was cut short was never finished: the call after it was never made.
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
        """Note a change of an insert's entry; a new mark begins one (``folder``)."""
        row = {"mark": mark, **changes}
        self._write(row)
        self._apply(row)

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
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _mend(self, torn: str) -> None:
        if torn:
            os.truncate(self.path, self.path.stat().st_size - len(torn.encode()))
