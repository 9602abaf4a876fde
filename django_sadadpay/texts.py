"""Every sentence that a person reads, by what is stored: a code and parameters, never a translated text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_sadadpay import money

#: Our own refusals and the public errors: what the buyer, staff or developer is told.
ERRORS: dict[str, str | Promise] = {
    "error": _("Something went wrong. Nothing was charged."),
    "already_paid": _("This order is already paid."),
    "nothing_to_pay": _("There is nothing to pay for this order."),
    "needs_attention": _(
        "We are looking into a payment for this order. Please do not pay again; we will contact you."
    ),
    "refused": _("The payment could not be started."),
    "try_again": _(
        "The payment service cannot be reached just now. Nothing was charged; please try again in a moment."
    ),
    "rates_old": _(
        "Exchange rates are not up to date just now. Nothing was charged; please try again later."
    ),
    "database_busy": _("We are very busy just now. Nothing was changed; please try again in a moment."),
    "outcome_pending": _("Your payment page is being prepared. Please try again in a few seconds."),
    "inside_transaction": _("Call this outside a transaction, or use checkout_url()."),
    "not_payable": _("This order cannot be paid now."),
    "object_gone": _("This order no longer exists."),
    "link_invalid": _("This payment link is not valid. Please start again from the shop."),
    "link_expired": _("This payment link is too old. Please start again from the shop."),
    "not_paid": _("Only a paid invoice can be refunded."),
    "exceeds_left": _("This is more than what is left to refund."),
    "nothing_left": _("Nothing is left to refund."),
    "bad_key": _("The key must be printable text of at most 100 characters."),
    "key_used": _("This key belongs to a refund of another amount."),
    "cannot_cancel": _("Sadad did not cancel the invoice; it can still be paid."),
    "not_open": _("Only an open invoice can be cancelled."),
    "parked": _("This row belongs to another Sadad environment than the account uses now; it is left alone."),
    "no_sadad_id": _("Sadad has not confirmed this invoice yet."),
    "no_longer_waiting": _("Somebody has dealt with this already."),
    "not_sent": _("Nothing was sent: Sadad could not be reached. You may try again."),
    "not_found": _("Sadad does not know this invoice."),
    "keys_refused": _("Sadad refused the account's keys."),
    "bad_amount": _("The amount must be a number above zero with at most three places."),
    "bad_mirror": _("This cannot be sent to Sadad; mend %(field)s."),
    "adopt_amount": _("The invoice asks for another amount than the order."),
    "adopt_currency": _("The invoice asks for another currency than the order."),
    "adopt_reference": _("The invoice carries another reference than the order's."),
    "adopt_held": _("The invoice belongs to something else already."),
    "adopt_settled": _(
        "The invoice was paid or ended before it belonged to an order; it cannot be linked now."
    ),
    "needed": _("Others at Sadad need this: %(field)s. Delete those first."),
    "outcome_unknown": _("Sadad did not answer. It is looked at before anything is sent again."),
    "unavailable": _("Sadad could not be reached. It is tried again by itself."),
    "rate_limited": _("Sadad asked for a pause. It is tried again by itself."),
    "waits": _("It waits for what it needs at Sadad."),
    "program": _("A fault in the program; the log names it. It is tried again by itself."),
    "merged": _("Another row mirrors the same object; this one is done with."),
    "mirror_unknown": _("Nobody knows whether Sadad has it. Look in Sadad's panel and decide."),
    "mirror_gone": _("Sadad does not have it."),
    "mirror_conflict": _("Changed here and at Sadad. It is not sent until a person has decided."),
    "subscription_over": _("The subscription has ended."),
    "no_such_part": _("The plan has no such instalment."),
    "bad_id": _("A Sadad id is a number."),
    "id_held": _("Another row has this Sadad id."),
    "bad_draft": _("The order's data cannot be used for a payment: %(field)s."),
}

#: Sadad's error keys (contract 11). Unknown keys pass through as they are.
ERROR_KEYS: dict[str, str | Promise] = {
    "UnauthorizedAccess": _("Sadad does not allow access to this."),
    "WrongClientKeyOrClientSecret": _("The client key or secret is wrong."),
    "TokenExpired": _("The access token has expired."),
    "InvalidToken": _("The access token is not valid."),
    "AccessPermissionDenied": _("The account lacks the permission for this."),
    "UnderReview": _("The account is still under review at Sadad."),
    "WrongUserType": _("The account is of the wrong type for this."),
    "WrongObject": _("Sadad could not read the request."),
    "ObjectIsEmpty": _("Sadad received an empty request."),
    "AmountRequired": _("The amount is missing."),
    "CustomerNameRequired": _("The customer's name is missing."),
    "CustomerMobileRequired": _("The customer's phone number is missing."),
    "CustomerEmailRequired": _("The customer's e-mail address is missing."),
    "InvalidSendType": _("The way of sending the invoice is not valid."),
    "InvalidLanguageCode": _("The language is not valid."),
    "InvalidCurrencyCode": _("The currency is not valid."),
    "InvalidInvoiceDiscountType": _("The type of discount is not valid."),
    "DiscountAmountRequired": _("The discount is missing."),
    "InvalidDateFormat": _("A date is not valid."),
    "InvoiceAmountMustEqualsToTotalItemsAmount": _("The lines do not add up to the amount."),
    "AllowedExtension": _("The attachment's type is not allowed."),
    "AllowedSize": _("The attachment is too large."),
    "InvoiceIdRequired": _("The invoice id is missing."),
    "InvoiceNotExist": _("The invoice does not exist."),
    "InvalidInvoiceStatus": _("The invoice's status does not allow this."),
    "InvoiceCannotBeUpdated": _("The invoice can no longer be changed."),
    "InvoiceCannotBeDeleted": _("The invoice can no longer be deleted."),
    "InvoiceAlreadyPaid": _("The invoice is already paid."),
    "InvoiceExpired": _("The invoice has expired."),
    "InvoiceNotPaidYet": _("The invoice is not paid yet."),
    "EmptyResult": _("Sadad found nothing."),
    "InvalidRefundAmount": _("The amount cannot be refunded."),
    "RefundAmountExceedBalance": _("The refund is more than your balance at Sadad."),
    "VendorBalanceLessThanInvoiceAmount": _("Your balance at Sadad is less than the amount."),
    "InvalidAmount": _("The amount is not valid."),
    "InvalidKey": _("Sadad does not know this key."),
    "KeyRequired": _("The key is missing."),
    "PaymentLinkKeyRequired": _("The payment link's key is missing."),
    "ProductLinkKeyRequired": _("The product link's key is missing."),
    "TotalAmountRequired": _("The total amount is missing."),
    "ProductsRequired": _("The products are missing."),
    "ProductQuantityRequired": _("A product's quantity is missing."),
    "ProductAmountRequired": _("A product's price is missing."),
    "ProductNotExist": _("A product does not exist."),
    "InvalidProductAmount": _("A product's price is not the one at Sadad."),
    "YouExceededAvailableQuantity": _("There are not so many of a product left."),
    "TitleRequired": _("The title is missing."),
    "CategoryIdRequired": _("The category is missing."),
    "NameEnRequired": _("The English name is missing."),
    "NameArRequired": _("The Arabic name is missing."),
    "InstallmentPlanCannotBeUpdated": _("The instalment plan can no longer be changed."),
    "DueDateNotComeYet": _("The instalment is not due yet."),
    "ScheduleTotalNotEqualInstalllemntTotal": _("The instalments do not add up to the plan's amount."),
    "IdRequired": _("The id is missing."),
    "BillPeriodRequired": _("How often it is billed is missing."),
    "TemplateIdRequired": _("The subscription template is missing."),
    "InstallmentIdRequired": _("The instalment is missing."),
    "InstallmentPlanKeyRequired": _("The instalment plan's key is missing."),
    "DomainRequired": _("The domain is missing."),
    "InvalidPaymentMethod": _("This payment method is not open to the account."),
    "PaymentLinkCannotBeDeleted": _("The payment link is in use and cannot be deleted."),
    "ProductLinkCannotBeDeleted": _("The product link is in use and cannot be deleted."),
    "ProductCannotBeDeleted": _("The product is in use and cannot be deleted."),
    "ProductCategoryCannotBeDeleted": _("The category still has products and cannot be deleted."),
    "CustomerCannotBeDeleted": _("The customer has a subscription and cannot be deleted."),
    "InstallmentPlanCannotBeDeleted": _("The instalment plan has begun and cannot be deleted."),
    "SubscriptionCannotBeDeleted": _("The subscription has begun and cannot be deleted."),
    "SubscriptionTemplateCannotBeDeleted": _("The subscription template is in use and cannot be deleted."),
    "SubscriptionLinkCannotBeDeleted": _("The subscription link is in use and cannot be deleted."),
}

#: Why a person is needed, in words; ``%(name)s`` is filled from the row's parameters.
ATTENTION: dict[str, str | Promise] = {
    "mismatch": _(
        "Sadad's invoice differs from ours in %(what)s: %(theirs)s at Sadad, %(ours)s here. "
        "Nothing was applied."
    ),
    "id_conflict": _("Sadad gave two ids for one invoice: %(theirs)s, but %(ours)s is stored."),
    "paid_twice": _(
        "This order was paid before with another invoice. The order was not told; refund one of the two."
    ),
    "amount_changed": _(
        "Paid, but the order now asks for %(due)s instead of %(asked)s. The order was not told."
    ),
    "paid_after_cancel": _(
        "A payment arrived on a cancelled invoice, and the order now asks for %(due)s instead of %(asked)s."
    ),
    "refund_seen_first": _(
        "The payment was already refunded at Sadad when it was first seen. Check the order."
    ),
    "cannot_fulfil": _("Paid, but the shop cannot deliver: %(reason)s. Refund it, or try the order again."),
    "hook_failed": _("Paid, but telling the order failed (%(error)s). It is tried again by itself."),
    "object_gone": _("Paid, but the order no longer exists."),
    "not_registered": _("Paid, but no payable named %(name)s is registered. It is tried again by itself."),
    "refund_hook_failed": _(
        "Refunded, but telling the order failed (%(error)s). It is tried again by itself."
    ),
    "end_hook_failed": _("The invoice ended unpaid, but telling the order failed (%(error)s)."),
    "unknown_status": _("Sadad says “%(status)s”, a word that we do not know. Nothing was changed."),
    "invoice_not_found": _("Sadad says that it does not know this invoice."),
    "facts_fell": _(
        "Sadad now says less than before (%(what)s): twice in a row. The stored payment was kept."
    ),
    "fact_refused": _(
        "Sadad reports an amount that cannot be (%(what)s: %(theirs)s). The last valid one was kept."
    ),
    "pay_url_host": _(
        "Sadad's pay link points to %(host)s instead of the configured address; our own link was used."
    ),
    "refund_unknown": _(
        "Nobody knows whether this refund of %(amount)s happened. Look in Sadad's panel and decide."
    ),
    "refund_refused": _("A refund of %(amount)s was refused: %(error_key)s"),
    "event_names_nothing": _("A webhook call named no invoice."),
    "event_without_row": _("A webhook call is for our reference %(reference)s, which is not stored here."),
    "event_unknown_id": _("A webhook call named the invoice %(sadad_id)s, which Sadad does not know."),
    "cancel_refused": _("The invoice was to be cancelled, but Sadad keeps it open; it can still be paid."),
    "access_denied": _("Sadad does not let account %(account)s use %(endpoint)s: %(error_key)s"),
    "keys_refused": _(
        "Sadad refused the keys of account %(account)s. No payment can be taken until they are mended."
    ),
    "mirror_bad": _(
        "Not sent to Sadad (%(kind)s): the field %(field)s cannot be used. Mend it and save again."
    ),
    "mirror_refused": _("Not in step with Sadad (%(kind)s): %(error_key)s"),
    "mirror_unknown": _(
        "Sadad did not answer when this was sent (%(kind)s), and nothing tells whether it is there. Look in "
        "Sadad's panel: give its id, or send it again."
    ),
    "mirror_gone": _("This was changed here, but Sadad has it no more (%(kind)s)."),
    "mirror_twice": _(
        "Sadad may have this twice (%(kind)s): as %(ours)s and as %(theirs)s. Delete one there."
    ),
    "mirror_needed": _(
        "This is to be deleted at Sadad (%(kind)s), but others there still need it: %(others)s. It waits "
        "until they are changed or deleted."
    ),
    "mirror_conflict": _(
        "Changed here and at Sadad (%(kind)s): %(fields)s. Nothing is sent until you decide which counts."
    ),
    "work_failed": _(
        "Background work on this fails with an error that is not Sadad's (%(error)s). It is tried again by "
        "itself, later and later."
    ),
    "bill_differs": _(
        "Sadad's invoice %(sadad_id)s is no bill of part %(number)s (%(kind)s): %(what)s here %(ours)s, "
        "there %(theirs)s. Nothing was counted; look at it in Sadad's panel."
    ),
    "bill_unknown": _(
        "An invoice was asked for part %(number)s (%(kind)s), and nobody knows whether Sadad made it. Look "
        "in Sadad's panel."
    ),
    "signal_failed": _(
        "Telling the shop of %(signal)s failed (%(kind)s, part %(number)s: %(error)s). It is tried again by "
        "itself."
    ),
    "reconcile_late": _(
        "Background work has not run for %(minutes)s minutes, and something is due. Start sadadpay_reconcile."
    ),
    "push_late": _(
        "Nothing was sent to Sadad for %(minutes)s minutes, and something is due. Start sadadpay_push, or "
        "sadadpay_reconcile with --loop."
    ),
}

#: What resolves a case, as a button's label.
ACTIONS: dict[str, str | Promise] = {
    "verify": _("Ask Sadad now"),
    "apply": _("Count it for the order all the same"),
    "refund": _("Refund it"),
    "retry": _("Try again"),
    "happened": _("The refund happened"),
    "did_not_happen": _("The refund did not happen"),
    "adopt": _("It is there, under this id"),
    "send_again": _("It is not there: send it again"),
    "take_theirs": _("Sadad's counts: take it"),
    "keep_ours": _("Ours counts: send it"),
    "dismiss": _("Dealt with"),
}

#: Kinds of mirrored objects.
KINDS: dict[str, str | Promise] = {
    "customer": _("customer"),
    "productcategory": _("product category"),
    "product": _("product"),
    "productlink": _("product link"),
    "paymentlink": _("payment link"),
    "installmentplan": _("instalment plan"),
    "subscriptiontemplate": _("subscription template"),
    "subscription": _("subscription"),
    "subscriptionlink": _("subscription link"),
}


@dataclass(frozen=True)
class PageText:
    """A buyer's page: heading, sentence, and the label of its button, if it has one."""

    title: str | Promise
    sentence: str | Promise
    again: str | Promise = ""


#: What buyers read when they come back from Sadad, or cannot be sent there. Keyed by the page's state.
PAGES: dict[str, PageText] = {
    "paid": PageText(_("Payment received"), _("Thank you. Your payment has arrived.")),
    "not_yet": PageText(
        _("Not paid yet"),
        _("We have not received a payment. If you have just paid, this page will show it in a moment."),
        _("Pay now"),
    ),
    "failed": PageText(
        _("Payment failed"),
        _("The bank did not accept the payment, and nothing was charged. You can try again."),
        _("Try again"),
    ),
    "confirming": PageText(
        _("Confirming your payment"),
        _("We are waiting for the bank to confirm. Please do not pay again; this page will show the result."),
        _("Check again"),
    ),
    "waiting": PageText(_("We are checking your payment"), ERRORS["needs_attention"], _("Check again")),
    "ended": PageText(
        _("This payment link is closed"),
        _("It can no longer be used. To pay this order, start again."),
        _("Start again"),
    ),
    "unknown": PageText(
        _("Payment not found"), _("This address does not belong to a payment. Please go back to the shop.")
    ),
    "preparing": PageText(
        _("Preparing your payment"),
        _("Your payment page is being prepared. It opens by itself in a few seconds."),
        _("Continue"),
    ),
    "sorry": PageText(_("The payment could not be started"), ERRORS["error"], _("Try again")),
}

#: Facts that a mismatch can name.
FACTS: dict[str, str | Promise] = {
    "amount": _("the amount"),
    "reference": _("the reference"),
    "refunded": _("the refunded amount"),
    "paid": pgettext_lazy("fact", "paid"),
    "invoice": _("the invoice"),
    "part": _("the part"),
    "made_from": _("what made it"),
}


def error_sentence(code: str, field: str = "") -> str:
    """The sentence for one of our codes or Sadad's error keys; an unknown key passes through unchanged."""
    text = ERRORS.get(code) or ERROR_KEYS.get(code)
    if text is None:
        return f"{_now('Sadad refused it')}: {code}" if code else str(ERRORS["error"])
    return str(text) % {"field": field or "–"}


def attention_sentence(code: str, params: object) -> str:
    """Why a person is needed, in the active language. Missing parameters show as a dash; nothing raises."""
    text = ATTENTION.get(code)
    return code if text is None else str(text) % _Shown(params if isinstance(params, Mapping) else {})


class _Shown(dict[str, str]):
    """Parameters as text: facts by name, ``[amount, currency]`` pairs as money."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__({name: _shown(name, value) for name, value in params.items()})

    def __missing__(self, key: str) -> str:
        return "–"


def _shown(name: str, value: Any) -> str:
    if isinstance(value, list) and len(value) == 2:
        try:
            return money.show(Decimal(str(value[0])), str(value[1]), get_language() or "en")
        except DecimalException:
            return str(value[0])
    if name == "error_key":
        return error_sentence(str(value))
    if name == "others" and isinstance(value, Mapping):
        return ", ".join(f"{count} × {KINDS.get(str(kind), kind)}" for kind, count in value.items())
    if name == "kind":
        return str(KINDS.get(str(value), value))
    return str(FACTS.get(str(value), value)) if name == "what" else str(value)
