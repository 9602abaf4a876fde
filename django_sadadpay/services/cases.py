"""What a member of staff can do about a case that waits for a person: each action of
``models.attention.RULES``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.models import Attention, InstallmentPlan, InvoiceEvent, Mirror, Subscription
from django_sadadpay.services import (
    applying,
    attention,
    clock,
    deciding,
    gateway,
    inbox,
    keys,
    plans,
    push,
    refunds,
    subscriptions,
    transactions,
)
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.verify import verify

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Code = Attention.Code


def actions(case: Attention) -> tuple[str, ...]:
    """The actions on offer now; ``decide`` stands for ``happened`` and ``did_not_happen``."""
    if not case.is_open:
        return ()
    offered = []
    for action in case.rule.actions:
        offered += ["happened", "did_not_happen"] if action == "decide" else [action]
    return tuple(offered)


def act(case: Attention, action: str, *, by: AbstractBaseUser, note: str = "") -> Attention:
    """Do it; the case is closed if that resolved it. ``refund`` is done on the refund page, not here.

    :param note: what the person wrote; for ``adopt`` Sadad's id of the object.

    :raises InsideTransaction: a transaction is open.
    :raises Refused: not on offer, somebody was quicker, or it did not work. :raises TryAgain: Sadad could
        not be asked.
    """
    transactions.ensure_outside()
    if action not in actions(case) or action not in _DO:
        raise Refused("no_longer_waiting")
    _DO[action](case, by, note)
    case.refresh_from_db()
    return case


def _verify(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    if case.invoice is not None:
        verify(case.invoice, by=by)
        return
    try:
        gateway.client_of(case).warm()
    except SadadError as error:
        raise TryAgain("keys_refused") from error
    keys.accepted(case)


def _apply(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    if case.invoice is not None:
        applying.apply_anyway(case.invoice.pk, _origin(by))


def _retry(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    if case.event is not None:
        inbox.retry(case.event.pk)
    elif case.refund is not None:
        refunds.retry_hook(case.refund.pk)
    elif case.invoice is not None:
        applying.retry(case.invoice.pk, _origin(by))
    elif (mirror := case.mirror) is not None:
        _retry_mirror(mirror, case.code)


def _retry_mirror(mirror: Mirror, code: str) -> None:
    """Bills are read and told again; of others the wanted state is sent."""
    of_bills = code in (Code.BILL_DIFFERS, Code.BILL_UNKNOWN, Code.SIGNAL_FAILED)
    if of_bills and isinstance(mirror, Subscription):
        subscriptions.check(mirror.pk)
    elif of_bills and isinstance(mirror, InstallmentPlan):
        plans.check(mirror.pk)
    else:
        push.row(mirror)


def _mirror(case: Attention) -> Mirror:
    """:raises Refused: the object is no longer there to decide about."""
    if case.mirror is None:
        raise Refused("object_gone")
    return case.mirror


def _adopt(case: Attention, by: AbstractBaseUser, note: str) -> None:
    deciding.adopt(_mirror(case), note, _origin(by))


def _send_again(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    deciding.send_again(_mirror(case), _origin(by))


def _take_theirs(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    deciding.take_theirs(_mirror(case), _origin(by))


def _keep_ours(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    deciding.keep_ours(_mirror(case), _origin(by))


def _happened(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    if case.refund is not None:
        refunds.decide(case.refund.pk, happened=True, by=by)


def _did_not_happen(case: Attention, by: AbstractBaseUser, _note: str) -> None:
    if case.refund is not None:
        refunds.decide(case.refund.pk, happened=False, by=by)


def _dismiss(case: Attention, by: AbstractBaseUser, note: str) -> None:
    _close(case, by, f"{attention.DISMISSED}: {note}" if note else attention.DISMISSED)


def _close(case: Attention, by: AbstractBaseUser, resolution: str) -> None:
    if not transactions.run(lambda: attention.dismiss(case, clock.now(), _origin(by), resolution)):
        raise Refused("no_longer_waiting")


def _origin(by: AbstractBaseUser) -> Origin:
    return Origin(InvoiceEvent.Source.STAFF, by)


_DO: dict[str, Callable[[Attention, AbstractBaseUser, str], None]] = {
    "verify": _verify,
    "apply": _apply,
    "retry": _retry,
    "happened": _happened,
    "did_not_happen": _did_not_happen,
    "adopt": _adopt,
    "send_again": _send_again,
    "take_theirs": _take_theirs,
    "keep_ours": _keep_ours,
    "dismiss": _dismiss,
}
