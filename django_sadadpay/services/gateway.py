"""The client of an account, guarded: no transaction is open while Sadad is asked (DESIGN rule 1)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django_sadadpay import conf
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.models.base import AccountRow
from django_sadadpay.services import tokens, transactions
from django_sadadpay.services.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_sadadpay.gateway.tokens import TokenStore

_watchers: ContextVar[tuple[Callable[[str], None], ...]] = ContextVar("sadadpay_watchers", default=())


def client_for(account: conf.Account, store: TokenStore | None = None) -> SadadClient:
    """A client for the account's environment; cheap, since connections are pooled below it.

    :param store: where its token is kept, if not in our table.
    """
    return SadadClient(
        account.client_key,
        account.client_secret,
        account.environment,
        api_url=account.api_url,
        pay_url=account.pay_url,
        store=store or tokens.store_for(account),
        before_call=before_call,
        fields=account.fields,
    )


def client_of(row: AccountRow) -> SadadClient:
    """The client for a stored row.

    :raises Refused: ``parked``: the account is gone or works in another environment now (money-flow 1).
    """
    if is_parked(row):
        raise Refused("parked")
    return client_for(conf.current().accounts[row.account])


def is_parked(row: AccountRow) -> bool:
    account = conf.current().accounts.get(row.account)
    return account is None or account.environment != row.environment


@contextmanager
def watch(watcher: Callable[[str], None]) -> Iterator[None]:
    """Call ``watcher(endpoint)`` before every call of this thread (budgets of background work)."""
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


def before_call(endpoint: str) -> None:
    """Runs before every call: refuses it inside a transaction, and tells who counts.

    :raises InsideTransaction: a fault of ours or the shop's; Sadad is not called.
    """
    transactions.ensure_outside()
    for watcher in _watchers.get():
        watcher(endpoint)
