"""Background work that is not reconcile: tokens kept warm, the inbox emptied."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django_sadadpay import conf
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.models import GatewayToken, WebhookEvent
from django_sadadpay.services import clock, gateway, inbox, keys, transactions
from django_sadadpay.services.errors import TryAgain

logger = logging.getLogger("django_sadadpay")
_BATCH = 500


@dataclass
class Handled:
    """How many stored webhook calls were handled, and how many are tried again later."""

    handled: int = 0
    waiting: int = 0


def process_inbox(limit: int = _BATCH) -> Handled:
    """Handle the stored webhook calls that are due, oldest first.

    :raises InsideTransaction: a transaction is open.
    """
    transactions.ensure_outside()
    due = WebhookEvent.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
    result = Handled()
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        if _process(pk):
            result.handled += 1
        else:
            result.waiting += 1
    return result


def _process(pk: int) -> bool:
    """One call; a failure is its own and never stops the others."""
    try:
        return inbox.process(pk)
    except Exception as error:  # noqa: BLE001 - one poisoned row must not end every run at the same place
        logger.warning("webhook event %s waits: %s", pk, type(error).__name__)
        return False


def refresh_tokens() -> dict[str, bool]:
    """Make sure that every account has a token that lasts; by account, whether it worked.

    Refused keys ask a person; keys that are accepted again close that case.

    :raises InsideTransaction: a transaction is open.
    """
    transactions.ensure_outside()
    return {name: _refresh(account) for name, account in conf.current().accounts.items()}


def _refresh(account: conf.Account) -> bool:
    row = GatewayToken(account=account.name, environment=account.environment)
    try:
        gateway.client_for(account).warm()
    except (SadadError, TryAgain) as error:
        keys.note(row, error)
        return False
    keys.accepted(row)
    return True
