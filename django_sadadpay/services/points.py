"""The moments at which a process may die: each has a name, so that the crash tests can kill one there.

A point stands at every boundary of money-flow: before and after a commit, before and after a call to Sadad.
In production none is armed, and a point costs the look at an empty dict.
"""

from __future__ import annotations

from collections.abc import Callable

#: Every point, with what the process has done when it is there. ``tests/fire`` kills one at each, and holds
#: the code to this table: a point that is not in it, or stands nowhere, fails a test.
POINTS: dict[str, str] = {
    "insert.reserved": "the row holds the open slot; Sadad was not asked",
    "insert.answered": "Sadad made the invoice; its id is not stored",
    "insert.learned": "the id is stored; the pay link is not",
    "insert.lost": "the answer to the insert was lost; nobody has looked for it",
    "insert.unknown": "the row has given up its slot; nobody has looked for the orphan",
    "delete.calling": "the invoice is marked for deletion; Sadad was not asked",
    "delete.answered": "Sadad has deleted the invoice; it was not read back",
    "delete.read": "the deletion was read back; what Sadad kept is not given up",
    "settle.fetched": "Sadad's reply is here; nothing was settled",
    "settle.applied": "the paid slot is taken, paid() was not called; nothing is committed",
    "settle.told": "paid() has run; nothing is committed",
    "settle.settled": "all is written; nothing is committed",
    "settle.committed": "the payment is committed; the object's other invoice is open",
    "settle.withdrawn": "the object's other invoice is marked for deletion, and still payable",
    "refund.requested": "the refund is stored; nothing was asked",
    "refund.prepared": "Sadad was asked what was refunded; the refund is not claimed",
    "refund.claimed": "the row says sending; nothing was sent",
    "refund.answered": "Sadad has answered; the row says sending",
    "refund.ended": "the outcome is committed; Sadad's own figure was not read",
    "refund.abandoned": "a dead process's refund is unknown; nobody has looked",
    "inbox.stored": "the call is committed; it was not answered",
    "inbox.claimed": "the event is this process's; Sadad was not asked",
    "inbox.handled": "the invoice is settled; the event says working",
    "inbox.finished": "the event is done; the call was not answered",
    "reconcile.claimed": "the row's due time was moved on; nothing was done",
    "reconcile.worked": "the row's work is done; the run goes on",
    "reconcile.expiring": "the invoice is marked as run out; Sadad was not asked to delete it",
    "push.claimed": "the rows are claimed and say what will be sent; nothing was sent",
    "push.answered": "Sadad has answered, or has not; nothing of it is stored",
    "push.stored": "what came of one row is committed; the run goes on",
    "token.leased": "the lease is taken; no token was asked for",
    "token.fetched": "the token is here; it is not stored",
    "token.stored": "the token is stored and the lease ended",
}

#: What happens at a point instead of nothing: tests put it here, in a process of their own.
armed: dict[str, Callable[[], None]] = {}


def point(label: str) -> None:
    """The process is at ``label`` (a key of ``POINTS``)."""
    if armed and label in armed:
        armed[label]()
