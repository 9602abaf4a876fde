"""Shop, staff, panel, pushes, pulls, faults and deaths around the mirrors, in any order: a walk by a seed.

Not by Hypothesis' rules: a step here is worth ten there, since the weights are ours. A walk that breaks
something is made shorter by leaving steps out, and shown as what can be played again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from django_sadadpay import CategoryDraft, PaymentError, PaymentLinkDraft, mirror
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.models import Attention, Mirror
from django_sadadpay.registry import DraftError
from django_sadadpay.services import aligning, cases, deciding, mirroring, pull, push
from django_sadadpay.services.kinds import BY_NAME, KINDS
from tests.fire.mirror_books import MirrorBooks
from tests.fire.mirror_walk import MODELS, Fault, Step, Trouble
from tests.fire.mirror_world import (
    FOLDERS,
    NAMES,
    SHOP,
    MirrorLab,
    acts,
    create,
    in_transaction,
    panel_creates,
    panel_deletes,
    panel_edits,
    pick,
)
from tests.shop import models as shop

#: What a shop has that is not empty.
OPENING: tuple[type[Any], ...] = (
    shop.Category,
    shop.Client,
    shop.Level,
    shop.Product,
    shop.Product,
    shop.Choice,
    shop.Membership,
)


class MirrorFire:
    """One walk. ``tally`` counts what was done over all walks."""

    def __init__(self, lab: MirrorLab, staff: Any, tally: Counter[str]) -> None:
        self.lab, self.staff, self.tally = lab, staff, tally
        self.lab.reset()
        self.books = MirrorBooks(self.lab)
        self.unchecked = False

    def play(self, steps: Sequence[Step]) -> None:
        """:raises Broken: an invariant does not hold."""
        for step in steps:
            getattr(self, step.what)(**step.values)
            self.tally["steps"] += 1
            self.check()
        self.end_well()
        self.tally["walks"] += 1

    # Helpers

    def did(self, what: str) -> None:
        self.tally[what] += 1
        self.unchecked = True

    @contextmanager
    def process(self, trouble: Trouble) -> Iterator[None]:
        """One process at work, in this trouble."""
        self.lab.advance(1)
        if trouble.fault is not None:
            place, kind, options = trouble.fault
            self.tally[f"fault {kind}"] += 1
            self.lab.control.faults.add(place, kind, times=trouble.times, skip=trouble.skip, **options)
        self.tally["deaths"] += trouble.kill is not None
        other = partial(self._meanwhile, trouble.meanwhile, trouble.which)
        if trouble.point:
            self._meets(trouble.point, trouble.skip, other)
        if trouble.statements is not None:
            self.lab.interrupted(trouble.statements, other)
        with self.lab.process(trouble.kill), suppress(PaymentError):
            yield

    def _meets(self, point: str, skip: int, other: Callable[[], object]) -> None:
        """At the point, when the process comes by it for the ``skip``-th time more."""
        left = skip

        def once() -> None:
            nonlocal left
            if left:
                left -= 1
                self.lab.meets(point, once)
            else:
                other()

        self.lab.meets(point, once)

    def _meanwhile(self, what: str, which: int) -> None:
        self.tally[f"meanwhile {what}"] += 1
        first, _, then = what.partition(" and ")
        with self.lab.undisturbed(), suppress(PaymentError):
            self._note()
            if first == "push":
                push.run()
            elif first == "push now":
                self._push_one(which)
            elif first == "lost push":
                for folder in FOLDERS.values():
                    self.lab.control.faults.add(f"{folder}/insert", "cut_after", times=2)
                push.run()
            elif first == "pull":
                pull.run()
            elif first == "decide":
                self._decide(which, which)
            elif first.startswith("panel"):
                self._panel(
                    first.removeprefix("panel "), list(FOLDERS.values())[which % 6], which, NAMES[which % 3]
                )
            else:
                model = (shop.Category, shop.Product, shop.Client, shop.Choice, shop.Level)[which % 5]
                in_transaction(acts(first, model, which // 5, NAMES[which % 3], which), "commit", _nothing)
            self._note()
            if then:
                push.run()

    def _note(self) -> None:
        with self.lab.looked_at():
            self.books.note_wishes()

    def _row(self, which: int, **filters: Any) -> Any:
        """Any row of any kind, or None."""
        with self.lab.looked_at():
            rows = [
                row
                for kind in KINDS
                for row in kind.model._base_manager.filter(**filters).order_by("-pk")[:5]
            ]
        return rows[which % len(rows)] if rows else None

    def _push_one(self, which: int) -> None:
        row = self._row(which)
        if row is not None:
            push.row(row)

    # The shop

    def opens(self, asks: bool, start: str) -> None:
        self.lab.configures(PULL_CONFLICT="ask" if asks else "theirs", PUSH_CONCURRENCY=1)
        self.tally["asks"] += asks
        if start == "empty":
            return
        for number, model in enumerate(OPENING):
            create(model, 0, NAMES[number % 3], number)
        if start == "synced":
            push.run()
            pull.run()

    def shop_changes(self, what: str, model: str, which: int, name: str, number: int, end: str) -> None:
        self.did(f"shop: {what}")
        self.tally[f"shop: {end}"] += 1
        self.lab.advance(1)
        other = acts("create", shop.Category, 0, name, number)
        in_transaction(acts(what, MODELS[model], which, name, number), end, other)
        if what == "let_go":
            self._untold()

    def _untold(self) -> None:
        """What Django told nobody of is the shop's to tell: until then the rows may be behind."""
        for row in (row for kind in ("product", "subscription") for row in self._rows(kind)):
            self.books.strange.add((row.kind, row.pk))

    def _rows(self, kind: str) -> list[Any]:
        return list(BY_NAME[kind].model._base_manager.all())

    # Push and pull

    def pushes(self, trouble: Trouble) -> None:
        self.did("push")
        with self.process(trouble):
            for what, count in push.run().failed.items():
                self.tally[f"pushed: {what}"] += count

    def pushes_later(self, seconds: int, trouble: Trouble) -> None:
        self.lab.advance(seconds)
        self.pushes(trouble)

    def pushes_one_now(self, which: int, trouble: Trouble) -> None:
        self.did("push now")
        with self.process(trouble):
            self._push_one(which)

    def syncs_one_now(self, model: str, which: int, name: str, trouble: Trouble) -> None:
        self.did("sync")
        obj = pick(MODELS[model], which)
        if obj is not None:
            with self.process(trouble):
                push.sync([obj])

    def pulls(self, trouble: Trouble, dry_run: bool, details: bool) -> None:
        self.did("pull")
        with self.process(trouble):
            for one in pull.run(dry_run=dry_run, details=details).lists:
                self.tally.update({f"pulled: {what}": count for what, count in one.counts.items()})

    def time_passes(self, seconds: int) -> None:
        self.tally["time"] += 1
        self.lab.advance(seconds)

    def fault(self, fault: Fault, times: int) -> None:
        """One that waits for whoever comes next."""
        place, kind, options = fault
        self.lab.control.faults.add(place, kind, times=times, **options)

    def inserts_are_answered_otherwise(self, reply: str) -> None:
        self.lab.control.settings(insert_reply=reply)

    # The panel, and staff

    def panel(self, what: str, folder: str, which: int, name: str) -> None:
        self.did(f"panel: {what}")
        self._panel(what, folder, which, name)

    def _panel(self, what: str, folder: str, which: int, name: str) -> None:
        there = [one["id"] for one in self.lab.control.objects(folder)]
        if what == "creates":
            panel_creates(self.lab, folder, name, which)
        elif there:
            number = there[which % len(there)]
            self._is_strange(folder, str(number))
            if what == "edits":
                panel_edits(self.lab, folder, number, name, which)
            else:
                panel_deletes(self.lab, folder, number)

    def _is_strange(self, folder: str, number: str) -> None:
        """Whoever has the object, or will find it, may take the panel's word."""
        with self.lab.looked_at():
            for kind in (one for one in KINDS if one.folder == folder):
                rows = kind.model._base_manager
                for pk in rows.filter(sadad_id__in=[number]).values_list("pk", flat=True):
                    self.books.strange.add((kind.name, pk))
                if born := self.books.births.get((folder, number)):
                    self.books.strange.add(born)

    def staff_acts(self, what: str, which: int, name: str, trouble: Trouble) -> None:
        self.did(f"staff: {what}")
        own = self._row(which, source="")
        with self.process(trouble), suppress(DraftError, SadadError):
            if what == "link":
                mirroring.create(PaymentLinkDraft(title=name, amount=which + 1, inactive=which % 2 == 0))
            elif what == "category":
                mirroring.create(CategoryDraft(name_en=name, inactive=which % 2 == 0))
            elif what in ("change", "remove") and own is not None:
                self._staff_writes(what, own, name, which)
            elif what in ("look", "insist", "hurry"):
                self._staff_compares(what, which)

    def _staff_writes(self, what: str, own: Any, name: str, which: int) -> None:
        if what == "remove":
            mirroring.remove(own)
            self.books.removed.add((own.kind, own.pk))
        elif own.kind in ("paymentlink", "productcategory"):
            self.books.removed.discard((own.kind, own.pk))
            flag = which % 2 == 0
            link = PaymentLinkDraft(title=name, amount=which + 1, inactive=flag)
            mirroring.change(
                own, link if own.kind == "paymentlink" else CategoryDraft(name_en=name, inactive=flag)
            )

    def _staff_compares(self, what: str, which: int) -> None:
        row = self._row(which, sadad_id__isnull=False)
        if what == "hurry" or row is None:
            push.hurry([one for one in [self._row(which)] if one is not None])
        elif what == "insist":
            deciding.insist(row)
        else:
            seen = aligning.look(row)
            self.books.strange.add((row.kind, row.pk))
            deciding.take(row, seen)

    def staff_decides(self, which: int, action: int, trouble: Trouble) -> None:
        self.did("decision")
        with self.process(trouble):
            self._decide(which, action)

    def _decide(self, which: int, action: int) -> None:
        with self.lab.looked_at():
            waiting = list(Attention.objects.filter(resolved_at=None).order_by("pk"))
            case = waiting[which % len(waiting)] if waiting else None
            chosen, note = self._truthful(case, action) if case else ("", "")
        if case is not None and chosen:
            row = case.mirror
            if row is not None:
                self.books.lost.pop((row.kind, row.pk), None)
                if chosen == "take_theirs":
                    self.books.strange.add((row.kind, row.pk))
            self.tally[f"decided: {chosen}"] += 1
            cases.act(case, chosen, by=self.staff, note=note)

    def _truthful(self, case: Attention, action: int) -> tuple[str, str]:
        """What a person says who has looked into the panel; nothing, where something else has to be done."""
        row, offered = case.mirror, [one for one in cases.actions(case) if one != "dismiss"]
        if row is not None and "adopt" in offered:
            found = self.books.in_the_panel(row)
            return ("adopt", found) if found else ("send_again", "")
        if row is not None and "send_again" in offered:
            gone = row.sadad_id not in {
                str(one["id"]) for one in self.lab.control.objects(BY_NAME[row.kind].folder)
            }
            return ("send_again", "") if gone else ("", "")
        if not offered and case.code == Attention.Code.MIRROR_TWICE:
            return "dismiss", ""
        return (offered[action % len(offered)], "") if offered else ("", "")

    # What must hold

    def check(self) -> None:
        if self.unchecked:
            self.books.check()
            self.unchecked = False

    def end_well(self) -> None:
        """Faults stop, time passes, and people decide; then everything is saved once more."""
        self.lab.control.faults.clear()
        self.lab.control.settings(insert_reply="object")
        self._rest(saved=False)
        self._mend_what_is_spoilt()
        self._rest(saved=True)
        for kind in KINDS:
            rows = list(kind.model._base_manager.all())
            self.tally["rows"] += len(rows)
            self.tally["in step"] += sum(row.state == Mirror.State.SYNCED for row in rows)
            self.tally.update(f"left open: {code}" for row in rows for code in self.books.cases_of(row))

    def _rest(self, *, saved: bool) -> None:
        """Push and pull until nothing is left to do; then once more, which changes nothing."""
        for number in range(8):
            self.lab.advance(2 * 86_400)
            push.run()
            if number < 2:
                pull.run()
            for which in range(Attention.objects.filter(resolved_at=None).count()):
                with suppress(PaymentError):
                    self._decide(which, 1 if saved else number)  # at the end, ours counts
            if not self.books.left():
                break
        self.books.check_ended(saved=saved)
        if saved:
            pull.run()
            push.run()
            self.books.check_ended(saved=saved)

    def _mend_what_is_spoilt(self) -> None:
        for named in (shop.Category, shop.Product):
            for obj in named._base_manager.filter(name=""):
                obj.name = "Mended"
                obj.save()
        for choice in shop.Choice.objects.all():
            choice.products.remove(*choice.products.filter(hidden=True))
        for model in reversed(SHOP):
            mirror(model._base_manager.all())


def _nothing() -> None:
    """No other act."""
