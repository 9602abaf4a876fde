"""The admin's own words: the ledger, what an action will do, why a webhook call or a refund waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, DecimalException
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_sadadpay import texts
from django_sadadpay.admin import shown
from django_sadadpay.models import Invoice, InvoiceEvent, Refund
from django_sadadpay.services import attention

Words = dict[str, "str | Promise"]

#: ``InvoiceEvent.kind`` in words.
KINDS: Words = {
    "created": _("Made here"),
    "claimed": _("It was found out what made it"),
    "identified": _("Sadad gave it an id"),
    "opened": _("Open for payment"),
    "refused": _("Not made at Sadad"),
    "unknown": _("Nobody knows whether Sadad made it"),
    "given_up": _("Given up"),
    "set_aside": _("Set aside: Sadad may have been paid for it"),
    "withdrawn": _("To be cancelled at Sadad"),
    "not_cancelled": _("Sadad did not cancel it"),
    "parked": _("Belongs to another Sadad environment"),
    "cancelled": _("Cancelled"),
    "expired": _("Expired unpaid"),
    "read": _("Sadad was asked"),
    "paid": _("Payment recorded"),
    "applied": _("Counts for the order"),
    "handled": _("The order was told"),
    "not_applied": _("Does not count for the order"),
    "hook_failed": _("Telling the order failed"),
    "released": _("The order may be paid anew"),
    "refunded": _("Sadad shows a refund"),
    "doubt": _("Sadad says less than before"),
    "mismatch": _("Differs at Sadad"),
    "fact_refused": _("Sadad reports an impossible amount"),
    "refund_requested": _("Refund asked for"),
    "refund_sending": _("Refund is being sent"),
    "refund_done": _("Refund done"),
    "refund_refused": _("Refund refused"),
    "refund_unknown": _("Nobody knows whether the refund happened"),
    "refund_did_not_happen": _("Refund did not happen"),
    "refund_panel": _("Refund made in Sadad's panel"),
    "purged": _("Customer's data erased"),
}

#: Facts without a title of their own on the model.
_FACTS: Words = {"open_slot": _("can be paid"), "paid_slot": _("counts for the order")}
_WHEN, _MONEY = ("paid_at", "handled_at"), ("paid_amount", "refunded_amount")

#: What happens when staff confirm an action of ``services.cases``.
ACTION_HELP: Words = {
    "verify": _("Sadad is asked now. If both sides agree again, the case closes by itself."),
    "apply": _("The order is told that it is paid, whatever it asks for now."),
    "retry": _("It is tried once more. If it works, the case closes by itself."),
    "happened": _("The refund is booked as done and the order is told. Look in Sadad's panel first."),
    "did_not_happen": _(
        "The refund is booked as not done, and its amount can be refunded again. Look in Sadad's panel first."
    ),
    "adopt": _("Sadad is asked for this id. The row takes it, and what is wanted is sent as a change."),
    "send_again": _(
        "It is sent as new. Look in Sadad's panel first: if it is there, it will be there twice."
    ),
    "take_theirs": _("What Sadad has is wanted here from now on. Our change is lost."),
    "keep_ours": _("What is wanted here is sent. Sadad's change is lost."),
    "dismiss": _("The case is closed and nothing else changes."),
}

#: How a case ended, where it ended by itself or by an action.
RESOLUTIONS: Words = {
    attention.DISMISSED: _("Dealt with by a person"),
    "applied": _("Counted for the order"),
    "both sides agree": _("Both sides agree again"),
    "did_not_happen": _("The refund did not happen"),
    "done": _("The refund happened"),
    "handled": _("The webhook call was handled"),
    "keys accepted": _("Sadad accepts the keys again"),
    "refunded": _("Refunded"),
    "refused": _("The refund was refused"),
    "Sadad's was taken": _("Sadad's was taken"),
    "adopted": _("It was at Sadad"),
    "deleted": _("Deleted at Sadad"),
    "inserted": _("In step with Sadad"),
    "mended": _("Mended"),
    "ours was kept": _("Ours was kept"),
    "sent again": _("Sent again"),
    "unchanged": _("In step with Sadad"),
    "updated": _("In step with Sadad"),
    "the order was told": _("The order was told"),
}

#: Why a webhook call is not handled yet: our codes and the gateway's errors.
EVENT_ERRORS: Words = {
    "names_nothing": _("It names no invoice"),
    "without_row": _("Its invoice is not stored here"),
    "unknown_id": _("Sadad does not know its invoice"),
    "NotFound": _("Sadad does not know its invoice yet"),
    "AuthenticationError": _("Sadad refused the keys"),
    "Unavailable": _("Sadad could not be reached"),
    "RateLimited": _("Sadad asked us to slow down"),
    "OutcomeUnknown": _("Sadad's answer could not be used"),
    "TryAgain": _("The database was busy"),
    "Refused": _("It belongs to another Sadad environment"),
}

#: Why the outcome of a refund is unknown.
REFUND_DOUBTS: Words = {
    "OutcomeUnknown": _("Sadad's answer was lost"),
    "RateLimited": _("Sadad asked us to slow down"),
    "abandoned": _("The process that sent it was stopped"),
}

#: ``Mark.name`` in words.
MARKS: Words = {
    "reconcile": _("Background work (reconcile)"),
    "lock_reruns": _("Transactions run again after a lock"),
    "purge": _("Personal data erased (purge)"),
}

_FOUND: Words = {
    "looked": _("seen in Sadad's figures"),
    "decided": _("decided by a person"),
}


def kind(event: InvoiceEvent) -> str:
    return str(KINDS.get(event.kind, event.kind))


def resolution(text: str) -> str:
    """How a case ended; a person's note is shown as it was written."""
    head, colon, note = text.partition(": ")
    words = str(RESOLUTIONS.get(head, head))
    return f"{words}{colon}{note}"


def event_error(code: str) -> str:
    return str(EVENT_ERRORS.get(code, code)) if code else shown.NOTHING


def refund_error(refund: Refund) -> str:
    if not refund.error_code:
        return shown.NOTHING
    if refund.error_code in REFUND_DOUBTS:
        return str(REFUND_DOUBTS[refund.error_code])
    return texts.error_sentence(refund.error_code)


def details(event: InvoiceEvent) -> Iterator[str]:
    """What the ledger row changed and what it adds, a line each."""
    yield from _params(event.kind, event.params)
    for name, (old, new) in event.changes.items():
        if not (event.kind == "created" and new in (None, "", "0.000")):
            yield _change(name, old, new)


def _change(name: str, old: Any, new: Any) -> str:
    old_shown, new_shown = (shown.isolated(_value(name, value)) for value in (old, new))
    values = {"fact": _fact(name), "old": old_shown, "new": new_shown}
    if old in (None, ""):
        return _now("%(fact)s: %(new)s") % values
    return _now("%(fact)s: %(old)s → %(new)s") % values


def _fact(name: str) -> str:
    if name in _FACTS:
        return str(_FACTS[name])
    return shown.title(Invoice, name)


def _value(name: str, value: Any) -> str:
    if name in _FACTS:
        return str(_now("yes") if value else _now("no"))
    if value in (None, ""):
        return shown.NOTHING
    if name == "state":
        return str(dict(Invoice.State.choices).get(value, value))
    if name in _MONEY:
        return _amount(value)
    if name in _WHEN:
        return shown.moment(datetime.fromisoformat(value))
    return texts.error_sentence(value) if name == "error_code" else str(value)


def _amount(value: Any) -> str:
    try:
        return shown.plain_money(Decimal(str(value)))
    except DecimalException:
        return str(value)


def _params(what: str, params: dict[str, Any]) -> Iterator[str]:
    if what in ("mismatch", "fact_refused"):
        yield texts.attention_sentence(what, params)
    elif what == "withdrawn":
        yield str(dict(Invoice.Closing.choices).get(str(params.get("why")), shown.NOTHING))
    elif what == "doubt" and "what" in params:
        yield str(texts.FACTS.get(params["what"], params["what"]))
    elif what.startswith("refund_"):
        yield from _refund_params(what, params)


def _refund_params(what: str, params: dict[str, Any]) -> Iterator[str]:
    if "amount" in params:
        yield _amount(params["amount"])
    if params.get("reason"):
        yield str(params["reason"])
    if params.get("code"):
        code = str(params["code"])
        yield str(REFUND_DOUBTS[code]) if code in REFUND_DOUBTS else texts.error_sentence(code)
    if params.get("found"):
        yield str(_FOUND.get(params["found"], params["found"]))


#: What became of a refund that staff asked for, by its state.
REFUND_ENDS: dict[str, tuple[str, str | Promise]] = {
    Refund.State.DONE: ("success", _("%(amount)s refunded.")),
    Refund.State.REQUESTED: ("info", _("The refund of %(amount)s waits and is sent by itself.")),
    Refund.State.REFUSED: ("error", _("The refund of %(amount)s was refused. %(why)s")),
    Refund.State.DID_NOT_HAPPEN: ("warning", _("The refund of %(amount)s did not happen.")),
}
_UNKNOWN = (
    "warning",
    _(
        "Nobody knows yet whether the refund of %(amount)s happened. "
        "It is looked into by itself; do not refund it again."
    ),
)


def refund_end(refund: Refund) -> tuple[str, str]:
    """The message's level and words."""
    level, text = REFUND_ENDS.get(refund.state, _UNKNOWN)
    values = {"amount": shown.plain_money(refund.amount), "why": refund_error(refund)}
    return level, str(text) % values
