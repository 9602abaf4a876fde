"""How a step of the probe is written down: what is sent, what should come, and what it makes or ends.

Values are by our names (``name_en``); the endpoint table knows Sadad's. What is only known while the probe
runs stands in them as ``Id("product")``, ``Key("link")``, ``Mark()`` …
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django_sadadpay.probe.comparing import SUCCESS, Expected

Gate = Literal["", "pay", "change_account", "not_live"]

NOT_LIVE = "refused calls about money are not tried in the live environment"
GATES: dict[str, str] = {
    "pay": "needs a payment: run it with --pay",
    "change_account": "would change the account for good: run it with --change-account",
    "not_live": NOT_LIVE,
}


class Unmade(LookupError):
    """A step cannot be tried: the text says what it needs and has not got."""


@dataclass(frozen=True, slots=True)
class Id:
    """The id of what the probe made under this label."""

    label: str


@dataclass(frozen=True, slots=True)
class Key:
    """Its key."""

    label: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A field of it, as last read; through lists, of their first row."""

    label: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """The text by which an insert is found again; without a label the step's own. ``more`` follows it."""

    label: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A date, in days from today in Kuwait."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Contact:
    """The phone number or e-mail address of the options, or that of the second of two objects."""

    what: Literal["mobile", "email", "second_mobile", "second_email"]


@dataclass(frozen=True, slots=True)
class Amount:
    """What a person is asked to pay, KWD."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a getall. Of two objects of the probe it should find ``finds`` and leave out ``leaves``."""

    name: str
    value: Any
    finds: str = ""
    leaves: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to try at one endpoint.

    :ivar without: our name of a field that is left out, past the client's own check.
    :ivar wrong: values put in place of good ones, past that check too.
    :ivar body: sent as it is in place of ``values``.
    :ivar credential: ``""`` the endpoint's own, ``"none"``, or a made-up ``"bearer"`` or ``"basic"``.
    :ivar makes, folder: label of what an insert makes, and the folder under which it can be deleted.
    :ivar reads: label of what a read shows; kept for ``Seen``. :ivar echo: our names of fields in the reply
        that must be as they were last sent for it.
    :ivar carries: label of the thing whose text an insert takes over, where it has none of its own.
    :ivar ends: label of what it deletes. :ivar after: label of what must be deleted before.
    :ivar holder: label of what must still be there.
    :ivar rows: ``response`` is a list. :ivar shows: labels of what must stand in it.
    :ivar filter, pages: one of the trials of a getall.
    :ivar act: what only ``--pay`` does: ``ask`` a person to pay, wait until it is ``paid``, ``refund``.
    """

    endpoint: str
    name: str = "as it should be"
    values: Mapping[str, Any] = field(default_factory=dict)
    expect: Expected = SUCCESS
    without: str = ""
    wrong: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    credential: Literal["", "none", "bearer", "basic"] = ""
    makes: str = ""
    folder: str = ""
    reads: str = ""
    echo: tuple[str, ...] = ()
    carries: str = ""
    ends: str = ""
    after: str = ""
    holder: str = ""
    rows: bool = False
    shows: tuple[str, ...] = ()
    filter: Filter | None = None
    pages: bool = False
    gate: Gate = ""
    act: Literal["", "ask", "paid", "refund"] = ""

    @property
    def inserts(self) -> bool:
        """Whether a success makes something that must be deleted again."""
        return bool(self.folder)

    @property
    def needs(self) -> frozenset[str]:
        """Labels of what must have been made before."""
        named = set(labels(self.values))
        if self.filter is not None:
            named |= {*labels(self.filter.value), self.filter.finds, self.filter.leaves}
        named |= {self.reads, self.ends, self.after, self.carries, self.holder, *self.shows}
        return frozenset(named - {"", self.makes})


def labels(value: Any) -> set[str]:
    """The labels that stand in a value."""
    if isinstance(value, (Id, Key, Seen, Mark)):
        return {value.label} - {""}
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return {label for item in value for label in labels(item)}
    return set()
