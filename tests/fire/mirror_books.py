"""What must hold between a shop's mirrors and Sadad: with each call, after each step, and at rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django_sadadpay.models import Attention, Mirror
from django_sadadpay.registry import Mirrored, mirrors
from django_sadadpay.services import attention
from django_sadadpay.services.kinds import BY_NAME, KINDS, Kind
from tests.fire.books import hold
from tests.fire.mirror_world import MirrorLab
from tests.mirrors.sides import differences
from tests.shop import models as shop

if TYPE_CHECKING:
    from django_sadadpay.emulator.api import Call

Who = tuple[str, int]
State, Code = Mirror.State, Attention.Code
WRITES = ("insert", "update", "delete")
#: After these nobody can say whether Sadad acted, or will.
_LOST = {"error_before", "cut_before", "error_after", "cut_after", "unreadable", "latency", "slow_drip"}
#: A call may be under way for so long after its caller has given up.
_SETTLED = timedelta(seconds=60)
_FOLDERS = {kind.folder: kind for kind in KINDS}


class MirrorBooks:
    """One for each run. ``who`` is a row: its kind and primary key."""

    def __init__(self, lab: MirrorLab) -> None:
        self.lab = lab
        #: Which row's insert made which object.
        self.births: dict[tuple[str, str], Who] = {}
        #: When a row's insert was last lost.
        self.lost: dict[Who, datetime] = {}
        #: Rows that somebody wanted gone, since their object was made.
        self.unwanted: set[Who] = set()
        #: Rows that staff wanted gone.
        self.removed: set[Who] = set()
        #: Rows whose values at Sadad, or here, are not their object's until it is saved again.
        self.strange: set[Who] = set()
        self.breaches: list[tuple[Any, ...]] = []
        lab.heard = self.heard

    # With each call

    def heard(self, call: Call) -> None:
        """Sadad has had a call, and perhaps acted; the caller does not know yet."""
        folder, _, verb = call.endpoint.partition("/")
        if verb not in WRITES or folder not in _FOLDERS:
            return
        if not self.lab.acting:
            self.breaches.append(("nobody pushes, and something is sent", call.endpoint))
            return
        who = self.lab.acting[-1]
        with self.lab.looked_at():
            self._not_held(call, who)
            if verb == "insert":
                self._inserted(call, _FOLDERS[folder], who)
            elif verb == "delete" and call.done:
                self.note_wishes()
                if who not in self.unwanted:
                    self.breaches.append(("what is wanted was deleted", call.endpoint, who, call.query))

    def _not_held(self, call: Call, who: Who) -> None:
        waiting = Attention.objects.filter(resolved_at=None, code=Code.MIRROR_CONFLICT)
        if waiting.filter(subject=f"{who[0]}:{who[1]}").exists():
            self.breaches.append(("sent while a person is asked about a conflict", call.endpoint, who))

    def _inserted(self, call: Call, kind: Kind, who: Who) -> None:
        before = self.lost.get(who)
        if before is not None and self.lab.time - before < _SETTLED:
            self.breaches.append(("sent again while the first may be under way", call.endpoint, who))
        if call.done:
            self._born(call, kind, who)
        if _LOST & set(call.faults) or (call.error_key or "").strip() == "Error":
            self.lost[who] = self.lab.time
        else:
            self.lost.pop(who, None)

    def _born(self, call: Call, kind: Kind, who: Who) -> None:
        number = str(max(self.lab.world.objects[kind.folder]))
        for folder, other in [key for key, one in self.births.items() if one == who]:
            if self._is_there(folder, other) and self._holder(kind, other) in (None, who):
                self.breaches.append(("one wish was inserted twice", call.endpoint, who, other, number))
        self.births[kind.folder, number] = who
        self.unwanted.discard(who)

    def _is_there(self, folder: str, number: str) -> bool:
        return not self.lab.world.objects[folder][int(number)].deleted

    def _holder(self, kind: Kind, number: str) -> Who | None:
        pk = kind.model._base_manager.filter(sadad_id=number).values_list("pk", flat=True).first()
        return None if pk is None else (kind.name, pk)

    # What is wanted

    def note_wishes(self) -> None:
        """Whose object is not wanted at this moment. By the shop's own tables and by what staff did."""
        wanted = {one.name: _wanted(one) for one in mirrors}
        for kind in KINDS:
            for pk, source, object_id in kind.model._base_manager.values_list("pk", "source", "object_id"):
                who = (kind.name, pk)
                if who in self.removed or (source and object_id not in wanted[source]):
                    self.unwanted.add(who)

    # After each step

    def check(self) -> None:
        with self.lab.looked_at():
            self.note_wishes()
            hold(not self.breaches, "a call that must not be", *self.breaches)
            hold(not self.lab.surprises.found, "an error nobody had thought of", self.lab.surprises.found)
            for kind in KINDS:
                rows = list(kind.model._base_manager.all())
                self._nothing_is_forgotten(kind, rows)
                self._nobody_is_left(rows)

    def _nothing_is_forgotten(self, kind: Kind, rows: list[Any]) -> None:
        """An object that we made and no row has is one that some row still looks for."""
        held = {row.sadad_id for row in rows}
        strays = [
            (number, who)
            for (folder, number), who in self.births.items()
            if folder == kind.folder and number not in held and self._is_there(folder, number)
        ]
        looking = [row.pk for row in rows if row.sending == "insert"]
        hold(len(strays) <= len(looking), f"{kind.folder} made and forgotten", strays, looking)

    def _nobody_is_left(self, rows: list[Any]) -> None:
        """What is not in step is due some time, or a person is asked."""
        for row in rows:
            if row.state not in (State.SYNCED, State.DELETED) and row.next_try_at is None:
                hold(self.cases_of(row), "left by everybody", row.kind, row.pk, row.state, row.error)

    def cases_of(self, row: Mirror) -> list[str]:
        waiting = Attention.objects.filter(resolved_at=None, subject=attention.subject_of(row))
        return list(waiting.values_list("code", flat=True))

    # At rest

    def left(self) -> bool:
        """Something is due some time."""
        return any(kind.model._base_manager.filter(next_try_at__isnull=False).exists() for kind in KINDS)

    def check_ended(self, *, saved: bool) -> None:
        """Both sides say the same, or exactly one open case says why not.

        :param saved: the shop has saved everything since the panel's last change was taken.
        """
        self.check()

        def from_panel(row: Mirror) -> bool:
            return not saved and (row.kind, row.pk) in self.strange

        found = differences(self.lab.emulator, cases=True, from_panel=from_panel)
        hold(not found, "the sides differ", *found)

    # What a person finds in the panel

    def in_the_panel(self, row: Mirror) -> str | None:
        """Sadad's id of the object of a lost insert; None if there is none."""
        kind = BY_NAME[row.kind]
        free = [
            (who == (row.kind, row.pk), number)
            for (folder, number), who in self._strays(kind)
            if who == (row.kind, row.pk) or self._has_another(who)
        ]
        return max(free)[1] if free else None

    def _strays(self, kind: Kind) -> Iterator[tuple[tuple[str, str], Who]]:
        held = set(kind.model._base_manager.exclude(sadad_id=None).values_list("sadad_id", flat=True))
        for (folder, number), who in self.births.items():
            if folder == kind.folder and number not in held and self._is_there(folder, number):
                yield (folder, number), who

    def _has_another(self, who: Who) -> bool:
        """Its twin took the other's object: this one is free."""
        row = BY_NAME[who[0]].model._base_manager.filter(pk=who[1]).first()
        return row is None or row.sending != "insert"


def _wanted(mirrored: Mirrored[Any]) -> set[str]:
    """Primary keys of the objects that the shop wants at Sadad."""
    rows = mirrored.model._base_manager.all()
    if mirrored.model is shop.Product:
        rows = rows.filter(hidden=False)
    return {str(pk) for pk in rows.values_list("pk", flat=True)}
