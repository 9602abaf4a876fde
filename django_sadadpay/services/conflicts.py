"""What a person decides about an object that was changed here and at Sadad (``PULL_CONFLICT = "ask"``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import attention, clock, gateway, kinds, pulling, transactions
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.told import Reader

State, Code = Mirror.State, Attention.Code


def take_theirs(row: Mirror, origin: Origin | None = None) -> Mirror:
    """Sadad's change counts, as the pull that asked has read it.

    :raises Refused: ``no_longer_waiting``, or ``parked``.
    """
    kind, client = kinds.of(row), gateway.client_of(row)
    place = pulling.Place(kind, row.account, row.environment, Reader(kind, client))
    return transactions.run(
        partial(_decided, row, origin, "Sadad's was taken", partial(pulling.follow_stored, place))
    )


def keep_ours(row: Mirror, origin: Origin | None = None) -> Mirror:
    """Our change counts: it is due to be sent.

    :raises Refused: ``no_longer_waiting``.
    """
    return transactions.run(partial(_decided, row, origin, "ours was kept", _due))


def _decided(row: Mirror, origin: Origin | None, words: str, act: Callable[[Any], None]) -> Mirror:
    row, now = transactions.lock(type(row), row.pk), clock.now()
    if row.state != State.FAILED or row.error != pulling.CONFLICT:
        # It was wanted otherwise since, which is a decision too.
        if not attention.close((Code.MIRROR_CONFLICT,), now, words, mirror=row, origin=origin):
            raise Refused("no_longer_waiting")
        return row
    act(row)
    attention.close((Code.MIRROR_CONFLICT,), now, words, mirror=row, origin=origin)
    return row


def _due(row: Any) -> None:
    row.state, row.error, row.error_params, row.tries = State.PENDING, "", {}, 0
    row.next_try_at = clock.now()
    row.save(update_fields=["state", "error", "error_params", "tries", "next_try_at"])
