"""Raise and close what waits for a person. Called inside the transaction that found the reason."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from django_sadadpay import signals
from django_sadadpay.models import Attention, Invoice, Mirror, Refund, WebhookEvent
from django_sadadpay.models.attention import BLOCKING
from django_sadadpay.models.base import AccountRow, exact
from django_sadadpay.services import transactions
from django_sadadpay.services.ledger import Origin

#: The resolution of a row that a person has dealt with outside.
DISMISSED = "dismissed"
#: These are about what was wanted: dismissed, they are news again once something else is refused.
_OF_A_WISH = (Attention.Code.MIRROR_REFUSED,)


def ask(
    code: str,
    now: datetime,
    row: AccountRow,
    *,
    invoice: Invoice | None = None,
    refund: Refund | None = None,
    event: WebhookEvent | None = None,
    mirror: Mirror | None = None,
    part: int | None = None,
    **params: Any,
) -> bool:
    """Keep one open row for this reason and subject; True when that is news.

    Asked again, the row's details are brought up to date; what a person has dealt with in just these words
    stays closed, until ``close`` says that it was over.

    :param part: number of the part of ``mirror`` that it is about: each has a row of its own.
    """
    slot = _slot(code, row, invoice, refund, event, mirror, part=part)
    if mirror is not None and code in _OF_A_WISH:
        params["wish"] = mirror.digest[:16]
    rows = Attention.objects.using(transactions.alias())
    found = rows.filter(open_slot=slot).first()
    if found is not None:
        if found.params == params:
            return False
        found.params = params
        found.save(update_fields=["params"])
        return True
    subject = {"invoice": invoice, "refund": refund, "event": event, "subject": subject_of(mirror)}
    if _dealt_with(
        rows.filter(code=code, account=row.account, environment=row.environment, **subject), params
    ):
        return False
    values = {
        "account": row.account,
        "environment": row.environment,
        "code": code,
        "params": params,
        **subject,
    }
    attention, new = rows.get_or_create(open_slot=slot, defaults={**values, "created_at": now})
    if new:
        _announce(attention)
    return new


def _dealt_with(rows: Any, params: dict[str, Any]) -> bool:
    """Dismissed by a person before, in the same words, and not over since (``_end_dismissals``). Compared
    here: databases differ on equal JSON.
    """
    return any(row.params == params for row in rows.filter(resolution__startswith=DISMISSED))


def close(
    codes: tuple[str, ...],
    now: datetime,
    resolution: str,
    *,
    invoice: Invoice | None = None,
    refund: Refund | None = None,
    event: WebhookEvent | None = None,
    mirror: Mirror | None = None,
    part: int | None = None,
    origin: Origin | None = None,
) -> int:
    """Close the open rows of these codes for a subject, because what they asked for came true.

    :param part: of ``mirror``: only what is about this part.
    """
    rows = Attention.objects.using(transactions.alias()).filter(resolved_at=None, code__in=codes)
    if mirror is not None:
        _end_dismissals(codes, mirror, part, now)
        rows = rows.filter(subject=subject_of(mirror))
        if part is not None:
            rows = rows.filter(open_slot__in=[slot_of(code, mirror, part) for code in codes])
    elif event is not None:
        rows = rows.filter(event=event)
    elif refund is not None:
        rows = rows.filter(refund=refund)
    else:
        rows = rows.filter(invoice=invoice, refund=None)
    return rows.update(**_resolved(now, resolution, origin))


def _end_dismissals(codes: tuple[str, ...], mirror: Mirror, part: int | None, now: datetime) -> None:
    """A dismissal is about what was wrong then: when it happens again, a person hears of it again."""
    rows = Attention.objects.using(transactions.alias()).filter(code__in=codes, subject=subject_of(mirror))
    for row in rows.filter(resolution__startswith=DISMISSED):
        if "over" not in row.params and part in (None, row.params.get("number")):
            row.params = {**row.params, "over": now.isoformat()}
            row.save(update_fields=["params"])


def slot_of(code: str, mirror: Mirror, part: int) -> str:
    """``open_slot`` of a case about one part of a subscription or plan."""
    return _slot(code, mirror, None, None, None, mirror, part=part)


def subject_of(mirror: Mirror | None) -> str:
    """How a case names a mirrored object: ``product:12``."""
    return "" if mirror is None else f"{mirror.kind}:{mirror.pk}"


def close_account(code: str, row: AccountRow, now: datetime) -> int:
    """Close a case that is about an account as a whole."""
    rows = Attention.objects.using(transactions.alias()).filter(
        resolved_at=None, code=code, account=row.account, environment=row.environment
    )
    return rows.update(**_resolved(now, "keys accepted", None))


def dismiss(attention: Attention, now: datetime, origin: Origin, resolution: str = DISMISSED) -> bool:
    """Close one row; False when somebody was quicker."""
    rows = Attention.objects.using(transactions.alias()).filter(pk=attention.pk, resolved_at=None)
    return bool(rows.update(**_resolved(now, resolution, origin)))


def blocking(slot_rows: Any) -> Invoice | None:
    """The invoice among ``slot_rows`` whose payment waits for a person, if any."""
    row = (
        Attention.objects.using(transactions.alias())
        .filter(resolved_at=None, code__in=BLOCKING, invoice__in=slot_rows)
        .select_related("invoice")
        .first()
    )
    return row.invoice if row else None


def _resolved(now: datetime, resolution: str, origin: Origin | None) -> dict[str, Any]:
    return {
        "open_slot": None,
        "resolved_at": now,
        "resolution": resolution[:250],
        "by": origin.by if origin else None,
        "by_name": origin.by_name if origin else "",
    }


def _slot(code: str, row: AccountRow, *subjects: Any, part: int | None = None) -> str:
    *rows, mirror = subjects
    about = ["" if s is None else str(s.pk) for s in rows] + [subject_of(mirror)]
    if part is not None:
        about.append(str(part))
    return exact(code, row.account, row.environment, *about)


def _announce(attention: Attention) -> None:
    send = partial(
        signals.invoice_needs_attention.send_robust,
        sender=Invoice,
        invoice=attention.invoice,
        attention=attention,
    )
    transaction.on_commit(send, using=transactions.alias(), robust=True)
