"""What all our tables share: money columns, the account, who did it, and text that any collation can
compare.
"""

from __future__ import annotations

import hashlib
import string
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import models, router
from django.utils.translation import gettext_lazy as _

_PLAIN = frozenset(string.ascii_lowercase + string.digits + "._-")
_LONGEST = 255
M = TypeVar("M", bound=models.Model)


def exact(*parts: str) -> str:
    """``parts`` joined by ``:`` into text of at most 255 characters that differs wherever the parts differ.

    MariaDB compares without case and trailing blanks by default, so that ``A1`` and ``a1`` would share a
    unique slot:
    everything but ``a-z 0-9 . _ -`` is written as ``%hex``. What is too long is replaced by its digest.
    """
    text = ":".join("".join(c if c in _PLAIN else f"%{ord(c):x}." for c in part) for part in parts)
    return text if len(text) <= _LONGEST else "sha256-" + hashlib.sha256(text.encode()).hexdigest()


if TYPE_CHECKING:
    _DecimalField = models.DecimalField[Any, Any]
else:
    _DecimalField = models.DecimalField


class MoneyField(_DecimalField):
    """KWD (or the shop's currency), three places, at most 15 digits: what SQLite keeps exactly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 15)
        kwargs.setdefault("decimal_places", 3)
        super().__init__(*args, **kwargs)


class PrimaryManager(models.Manager[M]):
    """Reads what was written: never a replica, which a router may offer, since decisions are made on these
    rows.
    """

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().using(router.db_for_write(self.model))


class Row(models.Model):
    """What all our tables share."""

    if not TYPE_CHECKING:  # the checker gives each model its own manager
        objects = PrimaryManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


class AccountRow(Row):
    """A row of one merchant account in one environment; sandbox and live never mix (money-flow 1)."""

    account = models.CharField(_("account"), max_length=40)
    environment = models.CharField(_("environment"), max_length=10)

    class Meta(Row.Meta):
        abstract = True


def person(help_text: Any) -> models.ForeignKey[Any, Any]:
    """A member of staff: the row outlives the user, whose name is kept beside it."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        help_text=help_text,
    )
