"""What a merchant keeps at Sadad beside invoices, mirrored in rows of ours: one small base for all kinds.

A row says what is wanted at Sadad (``wanted``, ``payload``) and what was last seen there (``reply``). It is
also the queue: what has ``next_try_at`` in the past is pushed. Columns of the kinds are only what is
searched, joined or listed; the rest stands in ``payload``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import AccountRow, MoneyField, Row


class Mirror(AccountRow):
    """One object at Sadad. Written by ``services.mirroring`` (what is wanted), ``push`` and ``pull``.

    ``sending`` is set and committed before a call that changes something, and cleared with its answer: with
    an expired lease, or in state ``unknown``, nobody knows whether Sadad acted, and it is looked at first.
    ``sent_at`` is when that call was claimed, and once its answer is known to be lost, when that was.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SYNCED = "synced", _("in step")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("outcome unknown")
        DELETED = "deleted", _("deleted")

    class Wanted(models.TextChoices):
        PRESENT = "present", _("present")
        ABSENT = "absent", _("absent")

    class Held(models.TextChoices):
        """Why nothing is sent, however often it is saved or asked for: somebody has to do something first."""

        BAD = "bad", _("cannot be sent: it has to be mended")
        CONFLICT = "conflict", _("changed here and at Sadad: a person decides")
        GONE = "gone", _("Sadad has it no more: a person decides")

    #: Column of the kind → name in ``payload``.
    SHOWN: ClassVar[Mapping[str, str]] = {}
    #: Foreign key of the kind → the field of a call that names its object by Sadad's id.
    PARENTS: ClassVar[Mapping[str, str]] = {}
    #: Names in ``payload`` that hold personal data; masked without ``view_customer_data``.
    PERSONAL: ClassVar[tuple[str, ...]] = ()
    #: Names in ``payload`` that stay wanted when a draft says nothing of them.
    KEPT: ClassVar[tuple[str, ...]] = ()

    sadad_id = models.CharField(_("Sadad id"), max_length=40, null=True, blank=True)
    sadad_key = models.CharField(_("Sadad key"), max_length=60, blank=True)
    code = models.CharField(_("code at Sadad"), max_length=60, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    wanted = models.CharField(_("wanted"), max_length=7, choices=Wanted.choices, default=Wanted.PRESENT)
    held = models.CharField(_("held back"), max_length=8, choices=Held.choices, blank=True)
    payload = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What is wanted at Sadad, by our field names."
    )
    digest = models.CharField(max_length=64, blank=True, editable=False, help_text="Of what is wanted.")
    pushed_digest = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of what was last pushed."
    )
    reply = models.JSONField(
        _("last reply"), null=True, blank=True, editable=False, encoder=DjangoJSONEncoder
    )
    reply_digest = models.CharField(max_length=64, blank=True, editable=False)
    synced_at = models.DateTimeField(_("in step since"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=80, blank=True)
    error_params = models.JSONField(_("details"), default=dict, blank=True, editable=False)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True, db_index=True)
    source = models.CharField(
        _("source"), max_length=100, blank=True, help_text=_("The registered name of the shop's model.")
    )
    object_id = models.CharField(_("object"), max_length=255, blank=True)
    source_key = models.CharField(max_length=255, null=True, editable=False)
    lease_holder = models.CharField(max_length=40, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    sending = models.CharField(
        max_length=6, blank=True, editable=False, help_text="insert, update or delete: sent, not answered."
    )
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_key = models.TextField(
        blank=True, editable=False, help_text="What an unanswered insert is found by, if changed since."
    )

    class Meta(Row.Meta):
        abstract = True
        ordering = ("-pk",)
        indexes = [
            # The admin's list: one state, newest first. Index names have 30 characters at most.
            models.Index(fields=["state", "id"], name="sp_%(class)s_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "environment", "sadad_id"], name="sadadpay_%(class)s_sadad_id"
            ),
            models.UniqueConstraint(
                fields=["source_key", "account", "environment"], name="sadadpay_%(class)s_source"
            ),
            models.CheckConstraint(
                condition=~Q(state="deleted") | Q(wanted="absent", sending="", held=""),
                name="sadadpay_%(class)s_deleted",
            ),
            models.CheckConstraint(
                condition=~Q(state="synced")
                | Q(wanted="present", sending="", held="", sadad_id__isnull=False),
                name="sadadpay_%(class)s_synced",
            ),
            models.CheckConstraint(
                condition=~Q(state="unknown") | ~Q(sending=""), name="sadadpay_%(class)s_unknown"
            ),
            models.CheckConstraint(
                condition=Q(sending="", sent_at__isnull=True) | (~Q(sending="") & Q(sent_at__isnull=False)),
                name="sadadpay_%(class)s_sending",
            ),
        ]

    def __str__(self) -> str:
        return self.code or f"{self._meta.verbose_name} {self.pk}"

    @property
    def kind(self) -> str:
        """The kind's name, as commands, cases and reports write it: ``product``."""
        return self._meta.model_name or ""

    @property
    def is_wanted(self) -> bool:
        return self.wanted == self.Wanted.PRESENT

    def take(self, payload: Mapping[str, Any], children: Iterable[int] = ()) -> None:
        """Want ``payload``: with the columns shown from it, and the digest. Parents are set before.

        :param children: primary keys of rows that the object lists (a link's products).
        """
        self.payload = dict(payload)
        for column, name in self.SHOWN.items():
            setattr(self, column, self._column(column, payload.get(name)))
        self.digest = digest([self.payload, self.parent_pks(), list(children)])

    def listed(self) -> list[Mirror]:
        """Objects that it names in a list (a product link's products), in their order."""
        return []

    def parent_pks(self) -> dict[str, int | None]:
        """Our primary keys of the parents: Sadad's ids may not be known yet."""
        return {name: getattr(self, f"{name}_id") for name in self.PARENTS}

    def _column(self, column: str, value: Any) -> Any:
        field = self._meta.get_field(column)
        if isinstance(field, MoneyField):
            return None if value in (None, "") else Decimal(str(value))
        if isinstance(field, models.BooleanField):
            return bool(value)
        longest = getattr(field, "max_length", None)
        return ("" if value is None else str(value))[
            :longest
        ]  # shown only: the whole value stands in payload

    @classmethod
    def columns(cls) -> list[str]:
        """Fields that ``take`` sets, for ``update_fields`` and bulk statements."""
        return ["payload", "digest", *cls.SHOWN, *cls.PARENTS]


#: Made once: ``json.dumps`` makes one for each call, and a pull takes a million digests.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def digest(value: Any) -> str:
    """SHA-256 of a JSON value in one canonical spelling."""
    return hashlib.sha256(_encode(value).encode()).hexdigest()
