"""Refused keys and missing rights stop the payments of a whole account: a person must hear of it, once."""

from __future__ import annotations

from functools import partial

from django_sadadpay.gateway.errors import AuthenticationError, SadadError
from django_sadadpay.models import Attention
from django_sadadpay.models.base import AccountRow
from django_sadadpay.services import attention, clock, transactions

Code = Attention.Code


def note(row: AccountRow, error: BaseException) -> None:
    """Ask a person if ``error`` says that the account's keys, or its right to one endpoint, are refused."""
    if not isinstance(error, AuthenticationError):
        return
    ask = partial(attention.ask, now=clock.now(), row=row, account=row.account)
    if _is_about_keys(error):
        transactions.run(partial(ask, Code.KEYS_REFUSED))
    else:
        denied = {"endpoint": error.endpoint, "error_key": error.error_key or "UnauthorizedAccess"}
        transactions.run(partial(ask, Code.ACCESS_DENIED, **denied))


def accepted(row: AccountRow) -> None:
    """The token calls work again: the case about the keys closes by itself."""
    transactions.run(lambda: attention.close_account(Code.KEYS_REFUSED, row, clock.now()))


def _is_about_keys(error: SadadError) -> bool:
    return error.endpoint.startswith("User/")
