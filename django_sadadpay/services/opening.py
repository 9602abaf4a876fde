"""Make an invoice: the row first, then Invoice/insert exactly once, then getbyid (money-flow 3.2, 3.3)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django_sadadpay.gateway.errors import (
    AuthenticationError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    SadadError,
    Unavailable,
)
from django_sadadpay.gateway.hidden import HiddenDict
from django_sadadpay.models import Attention, Invoice, InvoiceLine
from django_sadadpay.services import (
    attention,
    cancelling,
    clock,
    gateway,
    hooks,
    keys,
    orphans,
    plain,
    schedule,
    transactions,
    transitions,
)
from django_sadadpay.services.drafts import Plan
from django_sadadpay.services.errors import OutcomePending, Refused, TryAgain
from django_sadadpay.services.ledger import Origin, change, created
from django_sadadpay.services.looking import look
from django_sadadpay.services.points import point

State = Invoice.State
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_OUR_FORM = re.compile(r"[A-Za-z0-9._-]{0,20}-[a-z2-7]{10}")
#: A process that was stopped for longer between its commit and the call does not send: others have given
#: the row up.
_SEND_WITHIN = 30.0


def new_reference(shop_reference: str) -> str:
    """The shop's number cut to 20 ASCII characters, ``-`` and 10 random base32 characters (money-flow 1)."""
    plain = "".join(c for c in shop_reference if c.isascii() and (c.isalnum() or c in "._-"))[:20]
    return f"{plain}-{''.join(secrets.choice(_BASE32) for _ in range(10))}"


def is_our_form(reference: str) -> bool:
    """Whether it looks like one that was made here."""
    return _OUR_FORM.fullmatch(reference) is not None


def create(plan: Plan, return_url: Callable[[str], str], origin: Origin, now: datetime) -> Invoice:
    """The row that takes the object's open slot, in the caller's transaction.

    :raises IntegrityError: another row has taken the slot meanwhile.
    """
    reference = new_reference(plan.shop_reference)
    urls = {"return_url": return_url(reference), "expiry_date": _kuwait_date(plan.expires_at)}
    invoice = Invoice.objects.create(
        account=plan.account.name,
        environment=plan.account.environment,
        reference=reference,
        shop_reference=plan.shop_reference,
        payable=plan.payable.name,
        object_id=plan.object_id,
        object_key=plan.object_key,
        purpose=plan.purpose,
        open_slot=plan.slot,
        shop_currency=plan.currency,
        shop_amount=plan.shop_amount,
        rate=plan.rate,
        amount=plan.amount,
        lines_digest=plan.digest,
        language=plan.language,
        kind=plan.kind,
        customer=plan.customer,
        request={**plan.request, **urls},
        created_at=now,
        expires_at=plan.expires_at,
        busy_until=now + schedule.BUSY,
        next_check_at=now + schedule.BUSY,
    )
    rows = [
        InvoiceLine(
            invoice=invoice,
            position=i,
            name=x.name,
            quantity=x.quantity,
            amount=x.amount,
            supplier_id=x.supplier_id,
        )
        for i, x in enumerate(plan.lines, 1)
    ]
    InvoiceLine.objects.bulk_create(rows)
    created(invoice, origin, now)
    return invoice


def send(invoice: Invoice, elapsed: float, origin: Origin) -> Invoice:
    """Insert and read back. The row was committed before; it is sent at most once.

    :param elapsed: seconds since the row was made, by this process's own clock.
    :raises Refused: Sadad refused it. :raises TryAgain: surely nothing was done.
    :raises OutcomePending: nobody knows; the row has given up its slot.
    """
    if elapsed > _SEND_WITHIN:
        refuse(invoice.pk, "not_sent", origin)
        raise TryAgain
    try:
        sadad_id = gateway.client_of(invoice).invoices.insert(body(invoice))
    except OutcomeUnknown:
        point("insert.lost")
        return _after_lost_answer(invoice, origin)
    except (Rejected, NotFound, InvalidRequest) as error:
        code = _code(error)
        if isinstance(error, Rejected) and not error.refusal:
            # An unlisted key proves nothing: the invoice may exist. Looked for now, and by reconcile if not
            # found.
            return _after_unclear_refusal(invoice, code, origin)
        refuse(invoice.pk, plain.text(code, 80), origin)
        raise Refused(code, invoice=invoice) from error
    except (AuthenticationError, Unavailable, RateLimited) as error:
        refuse(invoice.pk, "not_sent", origin)
        keys.note(invoice, error)
        raise TryAgain from error
    point("insert.answered")
    row = learn(invoice.pk, sadad_id, origin)
    point("insert.learned")
    return read_back(row, origin) if row.sadad_id else _after_lost_answer(row, origin)


def _code(error: SadadError) -> str:
    if isinstance(error, Rejected):
        return error.error_key
    return "UnauthorizedAccess" if isinstance(error, NotFound) else "WrongObject"


def read_back(invoice: Invoice, origin: Origin) -> Invoice:
    """The pay link comes from getbyid alone (contract 3.1).

    :raises OutcomePending: inserted, but not read yet; the next call goes on from here.
    """
    try:
        row = look(invoice, origin)
    except NotFound as error:
        hooks.run(partial(cancelling.vanished, invoice.pk, origin))
        release(invoice.pk)
        raise OutcomePending(invoice=invoice) from error
    except SadadError as error:
        release(invoice.pk)
        raise OutcomePending(invoice=invoice) from error
    return give_up_if_stuck(row, origin)


def give_up_if_stuck(row: Invoice, origin: Origin) -> Invoice:
    """A row in the making that was read and still is none of ours, and of which no person is asked any
    more.
    """
    if row.state != State.NEW or cancelling.is_doubtful(row):
        return row
    return orphans.mark_unknown(row.pk, origin)


def learn(pk: int, sadad_id: str, origin: Origin) -> Invoice:
    """Write the id that insert gave, unless the webhook or reconcile was quicker.

    Another id than the one stored, or one that another row holds, asks a person and is not written.
    """

    def block() -> Invoice:
        invoice, now = transactions.lock(Invoice, pk), clock.now()
        taken = transitions.holder_of_id(invoice, sadad_id) is not None
        if invoice.sadad_id is None and not taken:
            change(invoice, "identified", origin, now, sadad_id=sadad_id)
        elif invoice.sadad_id != sadad_id:
            ours, code = invoice.sadad_id or "–", Attention.Code.ID_CONFLICT
            attention.ask(code, now, invoice, invoice=invoice, what="id", ours=ours, theirs=sadad_id)
        return invoice

    return transactions.run(block)


def body(invoice: Invoice) -> dict[str, Any]:
    """What Invoice/insert is sent, by our field names; the endpoint table gives Sadad's (contract 3.1)."""
    request, customer = invoice.request, HiddenDict(invoice.customer)
    fields: dict[str, Any] = {
        "ref_number": invoice.reference,
        "amount": f"{invoice.amount:.3f}",
        "customer_name": customer["name"],
        "customer_mobile": customer["mobile"],
        "customer_email": customer["email"],
        "lang": invoice.language,
        "currency_code": invoice.shop_currency,
        "items": [_item(line) for line in invoice.lines.all()],
        "success_return_url": request["return_url"],
        "fail_return_url": request["return_url"],
        "expiry_date": request["expiry_date"],
    }
    optional = {"send_type": request["send"], "comment": request["comment"]}
    fields |= {name: value for name, value in optional.items() if value}
    kind = {} if invoice.kind == "Invoice" else {"type": invoice.kind}
    return HiddenDict({**fields, **kind})


def _item(line: InvoiceLine) -> dict[str, Any]:
    item = {"name": line.name, "quantity": line.quantity, "amount": f"{line.amount:.3f}"}
    return item if line.supplier_id is None else {**item, "supplier_id": line.supplier_id}


def _after_lost_answer(invoice: Invoice, origin: Origin) -> Invoice:
    """Look once; the row keeps its slot only if it is found."""
    found = orphans.find_and_adopt(invoice, origin)
    if found is not None:
        return found
    row = orphans.mark_unknown(invoice.pk, origin)
    point("insert.unknown")
    if row.state == State.UNKNOWN:
        raise OutcomePending("outcome_pending", invoice=row)
    return row  # the webhook or reconcile has found it meanwhile


def abandon(pk: int, origin: Origin) -> None:
    """The row is not sent after all: another payment of the object was applied."""
    refuse(pk, "not_sent", origin)


def _after_unclear_refusal(invoice: Invoice, code: str, origin: Origin) -> Invoice:
    try:
        return _after_lost_answer(invoice, origin)
    except OutcomePending as pending:
        raise Refused(code, invoice=pending.invoice) from pending


def refuse(pk: int, code: str, origin: Origin) -> None:
    """End a row that surely does not exist at Sadad, and free its slot."""

    def block() -> None:
        invoice, now = transactions.lock(Invoice, pk), clock.now()
        if invoice.state == State.NEW and invoice.sadad_id is None:
            values: dict[str, Any] = {"open_slot": None, "busy_until": None, "next_check_at": None}
            change(invoice, "refused", origin, now, state=State.REFUSED, error_code=code, **values)

    transactions.run(block)


def release(pk: int) -> None:
    """Let others go on with the row at once."""

    def block() -> None:
        invoice, now = transactions.lock(Invoice, pk), clock.now()
        invoice.busy_until, invoice.next_check_at = None, now
        invoice.save(update_fields=["busy_until", "next_check_at"])

    transactions.run(block)


def _kuwait_date(moment: datetime) -> str:
    """The last day of an ``expires_at`` as Sadad wants it, ``yyyy-MM-dd`` (contract 3.1)."""
    return schedule.kuwait_day(moment - schedule.MINUTE).isoformat()
