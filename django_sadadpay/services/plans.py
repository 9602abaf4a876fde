"""Instalment plans once they exist: each part's state, what is left, paying a part, who is told.

Everything that Sadad is asked here is assumed (contract 3.9, 10). The interleavings of asking for a part's
invoice:

===========================================  ============================================================
What happens                                 Why a part is not billed twice
===========================================  ============================================================
Two ask at once                              One holds the part's claim; the other is told to wait.
The answer is lost                           The plan is read: its schedule names the invoice. If not, the
                                             claim stays for as long as the call may be under way.
An older read is stored after the answer     ``parts``: no id takes the place of one that is known.
Killed before or after the call              The claim runs out; the next one reads the plan first.
The schedule does not tell invoices at all   Nobody can look: a person is asked before it is sent again,
                                             once for each call that was lost.
The payer pays on the plan's own page        The webhook, or the next run, finds it by reference or schedule.
It is paid already                           ``AlreadyPaid``: the plan is read before anything is sent.
===========================================  ============================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Q

from django_sadadpay import money
from django_sadadpay.gateway import coerce
from django_sadadpay.gateway.coerce import Row, fold
from django_sadadpay.gateway.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SadadError,
)
from django_sadadpay.models import Attention, Installment, InstallmentPlan, Invoice, Mark, Mirror
from django_sadadpay.services import (
    attention,
    bills,
    clock,
    gateway,
    instalments,
    kinds,
    parts,
    plain,
    schedule,
    telling,
    transactions,
)
from django_sadadpay.services.errors import AlreadyPaid, NeedsAttention, OutcomePending, Refused, TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.told import Reader, Told

Code = Attention.Code
#: Sadad's words for a plan on which nothing more is to be paid (contract 10: the panel's words).
_ENDED = ("completed", "closed")
#: ``next_check_at`` of a plan that is over; None stands for one that was not looked at yet.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


# For shops


@dataclass(frozen=True)
class Left:
    """KWD of a plan that are not paid: ``ours`` by settled invoices, late fees aside; ``theirs``: Sadad's."""

    ours: Decimal
    theirs: Decimal | None


def left(plan: InstallmentPlan) -> Left:
    """What is left to pay, by what is stored. Refunds of a part do not open it again."""
    rows = plan.installments.select_related("invoice")
    amounts = [part.amount or Decimal(0) for part in rows if not is_paid(part)]
    paid = [part.amount or Decimal(0) for part in rows if is_paid(part)]
    total = sum(amounts, Decimal(0)) if plan.amount is None else plan.amount - sum(paid, Decimal(0))
    return Left(money.parse(total), plan.remaining_amount)


def is_paid(part: Installment) -> bool:
    """By our own invoice, or told so when it was."""
    return part.told == telling.PAID or (part.invoice is not None and part.invoice.is_applied)


def refresh(plan: InstallmentPlan) -> InstallmentPlan:
    """Read the plan with its parts, and store both. Nothing is settled and nobody is told.

    :raises InsideTransaction: a transaction is open. :raises Refused: ``parked``, or ``no_sadad_id``.
    :raises TryAgain: Sadad could not be asked. :raises NotFound: Sadad has it no more.
    """
    return bills.asking(lambda: _refresh(plan)[0])


def follow(plan: InstallmentPlan, origin: Origin = bills.ORIGIN) -> InstallmentPlan:
    """Everything that is to be done about it now: read it, settle its bills, tell the shop.

    :raises InsideTransaction, Refused, TryAgain, NotFound: as ``refresh``.
    """
    return bills.asking(lambda: _follow(plan, origin))


def pay(plan: InstallmentPlan, installment: Installment, origin: Origin = bills.ORIGIN) -> Invoice:
    """The invoice of one part, with its ``pay_url``: the one that waits for money, or a new one.

    :raises InsideTransaction: a transaction is open. :raises AlreadyPaid: the part is paid.
    :raises Refused: Sadad refused it (``DueDateNotComeYet``), or ``no_sadad_id``: it was not pushed yet.
    :raises OutcomePending: another request is at it, or the answer was lost and nothing tells yet what came
        of it.
    :raises NeedsAttention: what Sadad made is not what the part asks for. :raises TryAgain: nothing was done.
    """
    return bills.asking(lambda: _pay(plan, installment.number, origin))


# Background work


def arm() -> int:
    """Make those due that were never looked at, and those that go on; one statement. For ``reconcile``.

    Whether parts were read says nothing: ``refresh`` and ``pay`` read them, and settle nothing.
    """
    over = Q(status__iexact=_ENDED[0]) | Q(status__iexact=_ENDED[1])
    unseen = Q(next_check_at=None) | Q(~over, next_check_at=_NEVER)
    rows = InstallmentPlan.objects.filter(unseen, sadad_id__isnull=False)
    return transactions.run(lambda: rows.update(next_check_at=clock.now()))


def check(pk: int) -> None:
    """The work of ``reconcile`` on one that is due.

    :raises SadadError: Sadad could not be asked; it is due again soon.
    """
    plan = InstallmentPlan.objects.get(pk=pk)
    if plan.state == Mirror.State.DELETED or plan.sadad_id is None:
        telling.parts(pk)
        transactions.run(partial(_reschedule, pk, soon=False))
    elif gateway.is_parked(plan):
        transactions.run(partial(_postpone, pk))
    else:
        try:
            _follow(plan, bills.ORIGIN)
        except NotFound:
            transactions.run(partial(_gone, pk))


def _postpone(pk: int) -> None:
    plan = transactions.lock(InstallmentPlan, pk)
    plan.next_check_at = clock.now() + schedule.DAY
    plan.save(update_fields=["next_check_at"])


def _gone(pk: int) -> None:
    """Wrong keys look alike: nothing is concluded, a person is asked."""
    _postpone(pk)
    plan = InstallmentPlan.objects.get(pk=pk)
    attention.ask(Code.MIRROR_GONE, clock.now(), plan, mirror=plan, kind=plan.kind)


def _follow(plan: InstallmentPlan, origin: Origin) -> InstallmentPlan:
    plan, _names = _refresh(plan)
    failed: SadadError | None = None
    for part in _to_look_at(plan):
        try:
            bills.look(part, origin)
        except SadadError as error:
            failed = error  # the others' turn comes with the next run; what is settled is told now
            break
    telling.parts(plan.pk)
    transactions.run(partial(_reschedule, plan.pk, soon=failed is not None))
    if failed is not None:
        raise failed
    return InstallmentPlan.objects.get(pk=plan.pk)


def _to_look_at(plan: InstallmentPlan) -> list[Installment]:
    """Bills that are new to us, and those that Sadad calls paid and we do not."""
    untold = plan.installments.exclude(sadad_invoice_id="").filter(told="").order_by("number")
    return [part for part in untold.select_related("invoice", "plan") if _is_worth_a_look(part)]


def _is_worth_a_look(part: Installment) -> bool:
    invoice = part.invoice
    if invoice is None or bills.is_news(part) or invoice.made_from != attention.subject_of(part.plan):
        return True
    return not invoice.is_paid and part.status.casefold() == bills.PAID_WORD


def _reschedule(pk: int, *, soon: bool) -> None:
    plan, now = transactions.lock(InstallmentPlan, pk), clock.now()
    retry, rows = now + bills.SOON if soon else telling.again(plan, now), list(plan.installments.all())
    over = plan.state == Mirror.State.DELETED or (plan.status.casefold() in _ENDED and bool(rows))
    plan.next_check_at = (retry or _NEVER) if over else bills.next_check(now, _next_due(rows), retry)
    plan.save(update_fields=["next_check_at"])


def _next_due(rows: list[Installment]) -> date | None:
    today = schedule.kuwait_day(clock.now())
    return min(
        (part.due_on for part in rows if part.due_on is not None and part.due_on > today), default=None
    )


# Read and store


def _refresh(plan: InstallmentPlan) -> tuple[InstallmentPlan, bool]:
    """The plan as it is stored now, and whether Sadad's schedule names invoices at all."""
    if plan.sadad_id is None:
        raise Refused("no_sadad_id")
    client = gateway.client_of(plan)
    record = client.installment_plans.getbyid(plan.sadad_id)
    reader = Reader(kinds.of(plan), client)
    told = reader.read(record.raw)
    if told is None or told.sadad_id != plan.sadad_id:
        raise TryAgain  # an answer about another one is no answer
    reader.deepen(told, record.raw)
    names = any(
        fold(str(key)) == "invoiceid" for row in reader.items(told, "installments") for key in row.raw
    )
    said = coerce.Row(record.raw, client.endpoints["InstallmentPlan/getbyid"].reply)
    return transactions.run(partial(_store, plan.pk, reader, told, said)), names


def _store(pk: int, reader: Reader, told: Told, said: Row) -> InstallmentPlan:
    plan = transactions.lock(InstallmentPlan, pk)
    plan.status = plain.text(said.text("status"), 40)
    plan.paid_amount = parts.kwd(said.get("paid_amount"))
    plan.remaining_amount = parts.kwd(said.get("remaining_amount"))
    plan.save(update_fields=["status", "paid_amount", "remaining_amount"])
    bills.found_again(plan)
    instalments.store(reader, [(plan, told)])
    return plan


# Pay one part


def _pay(plan: InstallmentPlan, number: int, origin: Origin) -> Invoice:
    plan, names_invoices = _refresh(plan)
    part = _part(plan, number)
    invoice = _payable(part, origin)
    if invoice is not None:
        return invoice
    if not transactions.run(partial(_claim, part, names_invoices=names_invoices)):
        raise OutcomePending
    invoice = _look_again(part, origin) or _new_invoice(plan, part, origin)
    if invoice is None:
        raise OutcomePending  # the claim stays while the call may be under way
    _release(part.pk)
    return invoice


def _look_again(part: Installment, origin: Origin) -> Invoice | None:
    """Who had the claim before may have asked for it since we looked."""
    try:
        plan, _names = _refresh(part.plan)
        return _payable(_part(plan, part.number), origin)
    except Exception:  # whatever it was, it goes on; nothing was sent, so the claim must not stay
        _release(part.pk)
        raise


def _new_invoice(plan: InstallmentPlan, part: Installment, origin: Origin) -> Invoice | None:
    sadad_id = _ask_for_invoice(plan, part)
    try:
        return _made(part, sadad_id, origin)
    except SadadError as error:
        raise OutcomePending from error


def _made(part: Installment, sadad_id: str, origin: Origin) -> Invoice | None:
    """What came of asking for it. The plan is read anew: late fees stand in the invoice now."""
    if sadad_id:
        transactions.run(partial(_learn, part.pk, sadad_id))
    plan, _names = _refresh(part.plan)
    return _payable(_part(plan, part.number), origin)


def _part(plan: InstallmentPlan, number: int) -> Installment:
    part = plan.installments.select_related("invoice", "plan").filter(number=number).first()
    if part is None:
        raise Refused("no_such_part")
    return part


def _payable(part: Installment, origin: Origin) -> Invoice | None:
    """The part's invoice if it can be paid, as Sadad says now; None: there is none."""
    if is_paid(part):
        raise AlreadyPaid(invoice=part.invoice)
    if not part.sadad_invoice_id:
        return None
    invoice = bills.look(part, origin)
    if invoice is None:
        raise NeedsAttention
    if invoice.is_paid:
        raise AlreadyPaid(invoice=invoice)
    if invoice.attention.filter(resolved_at=None, code__in=(Code.MISMATCH, Code.ID_CONFLICT)).exists():
        raise NeedsAttention(invoice=invoice)
    return invoice if invoice.state == Invoice.State.OPEN else None


def _ask_for_invoice(plan: InstallmentPlan, part: Installment) -> str:
    """Its id; empty where the answer was lost and the plan has to tell."""
    values = {"installment_plan_key": plan.sadad_key, "installment_id": part.sadad_id}
    try:
        return gateway.client_of(plan).invoices.create_installment_plan_link_invoice(values)
    except OutcomeUnknown:
        return ""
    except (Rejected, InvalidRequest) as error:
        if isinstance(error, Rejected) and not error.refusal:
            return ""  # an unlisted key proves nothing: the invoice may exist
        _release(part.pk)
        raise Refused(error.error_key or "no_sadad_id") from error  # without a key: the plan's is not known
    except SadadError:
        _release(part.pk)
        raise


def _mark(part_pk: int) -> str:
    return f"installment:{part_pk}"


def _claim(part: Installment, *, names_invoices: bool) -> bool:
    """False: an earlier call was not answered, the schedule tells no invoices: a person has to look first.

    :raises OutcomePending: another request is at it, or may be.
    """
    part, now = transactions.lock(Installment, part.pk), clock.now()
    mark = Mark.objects.filter(name=_mark(part.pk)).first()
    if mark is not None and mark.at is not None and mark.at > now:
        raise OutcomePending
    if mark is not None and not names_invoices and _waits_for_a_person(part, mark):
        return False
    Mark.objects.update_or_create(name=_mark(part.pk), defaults={"at": now + schedule.BUSY})
    return True


def _waits_for_a_person(part: Installment, lost: Mark) -> bool:
    """Ask, unless a person has dealt with it: with this very call, not with one that was lost before."""
    plan, code, number = part.plan, Code.BILL_UNKNOWN, part.number
    about: dict[str, Any] = {"kind": plan.kind, "number": number, "lost": str(lost.at)}
    attention.ask(code, clock.now(), plan, mirror=plan, part=number, **about)
    slot = attention.slot_of(code, plan, number)
    return Attention.objects.filter(open_slot=slot).exists()


def _release(part_pk: int) -> None:
    transactions.run(lambda: Mark.objects.filter(name=_mark(part_pk)).delete())


def _learn(part_pk: int, sadad_id: str) -> None:
    """The id that Sadad answered counts, whatever its schedule says by now."""
    part = transactions.lock(Installment, part_pk)
    if not is_paid(part):
        parts.learn(part, sadad_id)
