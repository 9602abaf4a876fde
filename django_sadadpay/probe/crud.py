"""The steps that all kinds of objects have in common: made twice, refused, read, listed, changed, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django_sadadpay.gateway.envelope import TOKEN_REFUSED
from django_sadadpay.probe.comparing import Expected
from django_sadadpay.probe.model import Filter, Id, Key, Step

#: No key of an object has so few digits (contract 3.2), and no object so large an id.
NO_KEY, NO_ID = "00000000", 999_999_999

UNREAD = Expected(("WrongObject",), 400)
FOREIGN = Expected(("UnauthorizedAccess",))
NO_TOKEN = Expected(tuple(sorted(TOKEN_REFUSED)), 401)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object.

    :ivar label: of the first; the second is ``<label>_2``, with ``second`` in place of some values.
    :ivar missing: our name of a field → the error key when it is left out. :ivar wrong: the same for a value.
    :ivar change: values of the update. :ivar echo: our names of reply fields that are as sent.
    :ivar keyed: calls that name it by its key; those of ``getbyid`` are always there but for such kinds.
    :ivar in_use: the error key when it is deleted while the object ``held_by`` holds it.
    """

    folder: str
    label: str
    values: Mapping[str, Any]
    second: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[tuple[str, Any, str], ...] = ()
    change: Mapping[str, Any] = field(default_factory=dict)
    echo: tuple[str, ...] = ()
    by_id: bool = True
    keyed: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    in_use: str = ""
    held_by: str = ""

    @property
    def other(self) -> str:
        return f"{self.label}_2"


def opening(kind: Kind) -> Iterator[Step]:
    """Everything but the deletion."""
    yield from _inserts(kind)
    if kind.by_id:
        yield from _by_id(kind, f"{kind.folder}/getbyid")
    for call in kind.keyed:
        yield from _by_key(kind, f"{kind.folder}/{call}")
    yield from listing(kind.folder, (kind.label, kind.other), kind.filters)
    yield Step(
        f"{kind.folder}/update", values={"id": Id(kind.label), **kind.values, **kind.change}, reads=kind.label
    )
    yield _read(kind, "after the update")


def _inserts(kind: Kind) -> Iterator[Step]:
    name, folder = f"{kind.folder}/insert", kind.folder
    yield Step(name, values=kind.values, makes=kind.label, folder=folder)
    yield Step(name, "a second one", {**kind.values, **kind.second}, makes=kind.other, folder=folder)
    yield from refusals(name, kind.values, folder, kind.missing, kind.wrong)
    yield Step(name, "a body that is no object", body="probe", expect=UNREAD, folder=folder)


def refusals(
    name: str,
    values: Mapping[str, Any],
    folder: str,
    missing: Mapping[str, str],
    wrong: tuple[tuple[str, Any, str], ...] = (),
) -> Iterator[Step]:
    """Bad inserts. What one makes all the same is deleted again."""
    for ours, key in missing.items():
        yield Step(name, f"without {ours}", values, Expected((key,)), without=ours, folder=folder)
    for ours, value, key in wrong:
        yield Step(name, f"a wrong {ours}", values, Expected((key,)), wrong={ours: value}, folder=folder)


def _read(kind: Kind, name: str) -> Step:
    if kind.by_id:
        return Step(f"{kind.folder}/getbyid", name, {"id": Id(kind.label)}, reads=kind.label, echo=kind.echo)
    values = {"key": Key(kind.label)}
    return Step(f"{kind.folder}/{kind.keyed[0]}", name, values, reads=kind.label, echo=kind.echo)


def _by_id(kind: Kind, name: str) -> Iterator[Step]:
    yield Step(name, values={"id": Id(kind.label)}, reads=kind.label, echo=kind.echo)
    required = Expected(("IdRequired",), is_valid=True)
    yield Step(name, "without id", {"id": NO_ID}, required, without="id")


def _by_key(kind: Kind, name: str) -> Iterator[Step]:
    yield Step(name, values={"key": Key(kind.label)}, reads=kind.label, echo=kind.echo)
    yield Step(name, "without key", {"key": NO_KEY}, Expected(("KeyRequired",)), without="key")
    yield Step(name, "an unknown key", {"key": NO_KEY}, Expected(("InvalidKey",)))


def listing(folder: str, shows: tuple[str, ...], filters: tuple[Filter, ...]) -> Iterator[Step]:
    """The trials of a getall."""
    name = f"{folder}/getall"
    yield Step(name, rows=True, shows=shows)
    for trial in filters:
        yield Step(name, f"filter {trial.name}", filter=trial)
    yield Step(name, "page by page", pages=True, shows=shows)
    yield Step(name, "without a token", expect=NO_TOKEN, credential="none")


def holding(kind: Kind) -> Iterator[Step]:
    """What another object holds is not deleted. To be tried while it is held."""
    if kind.in_use:
        values, expect = {"id": Id(kind.label)}, Expected((kind.in_use,))
        name = f"{kind.folder}/delete"
        yield Step(name, "while it is in use", values, expect, ends=kind.label, holder=kind.held_by)


def closing(kind: Kind) -> Iterator[Step]:
    """The deletion, and what can be seen of it."""
    name, number = f"{kind.folder}/delete", {"id": Id(kind.label)}
    yield Step(name, values=number, ends=kind.label)
    yield Step(name, "deleted before", number, FOREIGN, after=kind.label)
    if kind.by_id:
        yield Step(f"{kind.folder}/getbyid", "deleted before", number, FOREIGN, after=kind.label)
    yield Step(name, "the second one", {"id": Id(kind.other)}, ends=kind.other)
