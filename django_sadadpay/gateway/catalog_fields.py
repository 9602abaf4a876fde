"""Fields of the groups that are known by path only (contract 10): every one is assumed.

They come from a relative of Sadad's code, which dropped underscores from many names, or from words of its
panel; those of plans and subscriptions are a guess. A merchant whose account spells one differently says so
in settings; what is not listed goes through as it is. ``embedded`` alone is documented (8.2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django_sadadpay.gateway.fields import ITEM, Field, listed, positive, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

_ID = rows("assumed", "id=id:integer", required=True)
_SEEN = rows("assumed", "id=id:integer", required=True) + rows(
    "assumed", "code=code created_at=createDate:moment"
)
_KEY = rows("assumed", "key=key", required=True)
OPTIONS = rows("assumed", "list_options=listOptions:any")
_TERMS = rows("assumed", "terms_condition_enabled=termsConditionEnabled:flag terms_condition=termsCondition")
_NAMES = rows("assumed", "name_en=nameEn:text:250", required=True) + rows(
    "assumed", "name_ar=nameAr:text:250"
)
_INACTIVE = rows("assumed", "inactive=inActive:flag")
_PAYER = rows("assumed", "customer_name=customerName:text:500", required=True) + rows(
    "assumed", "customer_mobile=customerMobile:text:50 customer_email=customerEmail:text:254"
)
# Contract 3.7 and 3.8 want a phone number too.
_BUYER = tuple(replace(field, required=field.name != "customer_email") for field in _PAYER)
_ORDER = rows("assumed", "ref_number=ref_Number:text:250 lang=lang:language comment=comment")


def _update(fields: Iterable[Field], *more: Field) -> tuple[Field, ...]:
    """The fields of an insert, none of them needed, with the id."""
    return (*_ID, *(replace(field, required=False) for field in fields), *more)


def _optional(fields: Iterable[Field]) -> tuple[Field, ...]:
    return tuple(replace(field, required=False) for field in fields)


# The answer to an insert is not known: an id, or an object with it.
STORED = rows("assumed", "id=id:any key=key:any")

PAYMENT_LINK = (
    *rows("assumed", "title=title:text:250", required=True),
    *rows(
        "assumed",
        "amount=amount:kwd currency=currency:currency lang=lang:language is_open_amount=isOpenAmount:flag"
        " min_amount=minAmount:kwd max_amount=maxAmount:kwd comment=comment",
    ),
    *_TERMS,
    *_INACTIVE,
)
PAYMENT_LINK_UPDATE = _update(PAYMENT_LINK)
PAYMENT_LINK_FILTERS = (*rows("assumed", "title=title"), *OPTIONS)
PAYMENT_LINK_ROW = (
    *_SEEN,
    *_KEY,
    *rows(
        "assumed",
        "title=title lang=lang:language amount=amount:kwd is_open_amount=isOpenAmount:flag"
        " min_amount=minAmount:kwd max_amount=maxAmount:kwd inactive=inActive:flag",
    ),
)
PAYMENT_LINK_REPLY = (
    *PAYMENT_LINK_ROW,
    *rows("assumed", "currency=currency:currency comment=comment"),
    *_TERMS,
)
PAYMENT_LINK_PAYER = (
    *PAYMENT_LINK_REPLY,
    *rows("assumed", "vendor_company=vendorCompany vendor_logo=vendorLogo vendor_logo_path=vendorLogoPath"),
)

CATEGORY = (*_NAMES, *rows("assumed", "sort=sort:integer"))
CATEGORY_UPDATE = _update(CATEGORY, *_INACTIVE)
CATEGORY_REPLY = (*_SEEN, *_optional(CATEGORY), *_INACTIVE)

PRODUCT = (
    *rows("assumed", "category_id=categoryId:integer", required=True),
    *_NAMES,
    *rows(
        "assumed",
        "desc_en=descEn desc_ar=descAr quantity=quantity:integer price=price:kwd stockable=stockable:flag"
        " stockable_show=stockableShow:flag attachments=attachments:any",
    ),
)
PRODUCT_UPDATE = _update(PRODUCT)
PRODUCT_FILTERS = (*rows("assumed", "category_id=categoryId:integer name=name desc=desc"), *OPTIONS)
PRODUCT_ROW = rows("assumed", "id=id:integer", required=True) + rows(
    "assumed",
    "code=code name_en=nameEn name_ar=nameAr category_name_en=categoryNameEn category_name_ar=categoryNameAr"
    " quantity=quantity:integer price=price:kwd stockable=stockable:flag",
)
PRODUCT_REPLY = (
    *PRODUCT_ROW,
    *rows(
        "assumed",
        "category_id=categoryId:integer desc_en=descEn desc_ar=descAr stockable_show=stockableShow:flag"
        " attachments=attachments:any",
    ),
)

PRODUCT_LINK = (
    *rows("assumed", "name_en=nameEn:text:250 name_ar=nameAr:text:250", required=True),
    *_TERMS,
    *rows("assumed", "products=products:any"),
)
PRODUCT_LINK_UPDATE = _update(PRODUCT_LINK, *_INACTIVE)
PRODUCT_LINK_ROW = (*_SEEN, *_KEY, *rows("assumed", "name_en=nameEn name_ar=nameAr"), *_INACTIVE)
_LINKED_PRODUCT = rows(
    "assumed",
    "id=id:integer code=code name_en=nameEn name_ar=nameAr desc_en=descEn desc_ar=descAr price=price:kwd"
    " quantity=quantity:integer stockable=stockable:flag",
)
_LINKED_CATEGORY = (
    *rows("assumed", "id=id:integer name_en=nameEn name_ar=nameAr"),
    listed("products", "products", "assumed", _LINKED_PRODUCT),
)
PRODUCT_LINK_REPLY = (
    *PRODUCT_LINK_ROW,
    *_TERMS,
    listed("categories", "categories", "assumed", _LINKED_CATEGORY),
)

CUSTOMER = (
    *rows("assumed", "name=name:text:500", required=True),
    *rows(
        "assumed",
        "ref_number=ref_Number:text:250 mobile=mobile:text:50 email=email:text:254 bank_id=bank_Id:integer"
        " account_holder_name=account_Holder_Name:text:500 account_number=account_Number:text:100"
        " iban=iban:text:100 other=other",
    ),
)
CUSTOMER_UPDATE = _update(CUSTOMER)
CUSTOMER_FILTERS = (*rows("assumed", "name=name mobile=mobile email=email ref_number=refNumber"), *OPTIONS)
CUSTOMER_REPLY = (*_SEEN, *_optional(CUSTOMER))

_DUE = positive(rows("assumed", "amount=amount:kwd due_date=dueDate:date", required=True))
PLAN = (
    *_PAYER,
    *_ORDER,
    *positive(
        rows(
            "assumed",
            "amount=amount:kwd installment_count=installmentCount:integer start_date=startDate:date"
            " pay_per=payPer:word",
            required=True,
        )
    ),
    *rows(
        "assumed",
        "down_amount=downAmount:kwd balloon_amount=balloonAmount:kwd is_flexible=isFlexible:flag"
        " late_fees_type=lateFeesType:word late_fees_value=lateFeesValue:number"
        " grace_period=gracePeriod:integer",
    ),
    listed("installments", "installments", "assumed", _DUE),
)
PLAN_UPDATE = _update(PLAN)
PLAN_FILTERS = (
    *rows("assumed", "customer_name=customerName status=status:word ref_number=refNumber"),
    *OPTIONS,
)
_INSTALLMENT_REPLY = rows(
    "assumed",
    "id=id:integer number=number:integer amount=amount:kwd due_date=dueDate:moment status=status:word"
    " invoice_id=invoiceId:any late_fees=lateFees:kwd",
)
PLAN_REPLY = (
    *_SEEN,
    *_KEY,
    *rows("assumed", "status=status:word paid_amount=paidAmount:kwd remaining_amount=remainingAmount:kwd"),
    *(
        replace(field, required=False, kind="moment" if field.kind == "date" else field.kind)
        for field in PLAN
        if field.kind != "rows"
    ),
    listed("installments", "installments", "assumed", _INSTALLMENT_REPLY),
)

TEMPLATE = (
    *_NAMES,
    *rows("assumed", "amount=amount:kwd bill_period=billPeriod:word", required=True),
    *rows(
        "assumed",
        "bill_no=billNo:integer duration_period=durationPeriod:word duration_no=durationNo:integer"
        " auto_renew=autoRenew:flag can_be_suspended=canBeSuspended:flag"
        " closed_by_customer=closedByCustomer:flag"
        " max_suspend_cycle=maxSuspendCycle:integer auto_close_after=autoCloseAfter:integer"
        " cancel_fees=cancelFees:kwd suspend_fees=suspendFees:kwd free_trial_period=freeTrialPeriod:word"
        " free_trial_no=freeTrialNo:integer free_trial_position=freeTrialPosition:word"
        " is_internal=isInternal:flag inactive=inActive:flag",
    ),
)
TEMPLATE_UPDATE = _update(TEMPLATE)
TEMPLATE_REPLY = (*_SEEN, *_optional(TEMPLATE))

SUBSCRIPTION = (
    *rows("assumed", "template_id=templateId:integer", required=True),
    *rows("assumed", "customer_id=customerId:integer"),
    *_optional(_PAYER),
    *_ORDER,
    *rows("assumed", "start_date=startDate:date"),
)
SUBSCRIPTION_UPDATE = _update(SUBSCRIPTION, *rows("assumed", "status=status:word"))
SUBSCRIPTION_FILTERS = (
    *rows(
        "assumed",
        "customer_name=customerName status=status:word ref_number=refNumber template_id=templateId:integer",
    ),
    *OPTIONS,
)
SUBSCRIPTION_REPLY = (
    *_SEEN,
    *_KEY,
    *rows(
        "assumed",
        "status=status:word template_id=templateId:integer customer_id=customerId:integer"
        " customer_name=customerName customer_mobile=customerMobile customer_email=customerEmail"
        " ref_number=ref_Number lang=lang:language amount=amount:kwd start_date=startDate:moment"
        " end_date=endDate:moment next_bill_date=nextBillDate:moment comment=comment",
    ),
)
PERIOD_REPLY = rows(
    "assumed",
    "number=number:integer bill_date=billDate:moment amount=amount:kwd status=status:word",
    required=True,
) + rows("assumed", "invoice_id=invoiceId:any")

SUBSCRIPTION_LINK = (
    *rows("assumed", "template_id=templateId:integer", required=True),
    *_NAMES,
    *_TERMS,
    *_INACTIVE,
)
SUBSCRIPTION_LINK_UPDATE = _update(SUBSCRIPTION_LINK)
SUBSCRIPTION_LINK_REPLY = (*_SEEN, *_KEY, *_optional(SUBSCRIPTION_LINK))

# 3.7
PAYMENT_LINK_INVOICE = (
    *rows("assumed", "payment_link_key=paymentLinkKey amount=amount:kwd", required=True),
    *_BUYER,
    *rows("assumed", "comment=comment lang=lang:language"),
)
# 3.8
PRODUCT_LINK_INVOICE = (
    *rows("assumed", "product_link_key=productLinkKey total_amount=totalAmount:kwd", required=True),
    *_BUYER,
    *rows("assumed", "comment=comment lang=lang:language"),
    listed(
        "products",
        "products",
        "assumed",
        rows(
            "assumed",
            "product_id=productId:integer quantity=quantity:integer amount=amount:kwd",
            required=True,
        ),
        required=True,
    ),
)
# 3.9
INSTALLMENT_INVOICE = rows(
    "assumed", "installment_plan_key=installmentPlanKey installment_id=installmentId:integer", required=True
)
TYPE_KEY = rows("assumed", "type=type:word key=key", required=True)

# 8
DOMAIN = rows("assumed", "domain=domain:text:253", required=True)
SESSION = (
    *positive(
        rows(
            "doc",
            "ref_number=ref_Number:text:250 amount=amount:kwd currency_code=currency_Code:currency"
            " customer_name=customer_Name:text:500 payment_gateway_code=PaymentGatewayCode:text:100",
            required=True,
        )
    ),
    *rows("doc", "customer_mobile=customer_Mobile:text:50 customer_email=customer_Email:text:254"),
    listed("items", "Items", "doc", ITEM),
)
SESSION_REPLY = rows("doc", "session_id=session_Id", required=True)
NAMED_BY_ID = _ID
NAMED_BY_KEY = _KEY
