"""Staff refund through the shop's REST API, as a back-office system does, and some in Sadad's panel."""

from __future__ import annotations

import threading
import time
import uuid

import requests

from benchmarks.soak.buyers import TIMEOUT, new_session
from benchmarks.soak.load import Desk, RefundJob, Tally
from example_project.demo.visitor import Visitor

#: How often staff come back to a refund that could not be asked for yet.
TRIES = 30
PAUSE = 2.0  # seconds in between


class Staff:
    """``refund`` is called from several threads; each is one logged-in person."""

    def __init__(self, shop: str, sadad: str, password: str, tally: Tally, desk: Desk) -> None:
        self.shop, self.sadad, self._password = shop, sadad, password
        self.tally, self.desk = tally, desk
        self._own = threading.local()

    def refund(self, job: RefundJob) -> None:
        """One try; what the shop does not know yet, or did not answer, is tried again with the same key."""
        if not job.key:
            self._in_panel(job)
            return
        try:
            answer = self._ask(job)
        except requests.RequestException as error:
            self.tally.add(f"no answer to staff: {type(error).__name__}")
            self._later(job)
            return
        told = answer.json()
        word = told.get("state") or told.get("code")
        self.tally.add(f"refund answered {answer.status_code} {word}")
        if answer.status_code in (200, 201):
            self._seen(job, str(word))
        elif word not in ("exceeds_left", "nothing_left", "key_used"):
            self._later(job)

    def _seen(self, job: RefundJob, state: str) -> None:
        """A refused one was not made: a person makes a new one, once."""
        self.tally.add("refunds asked for")
        if state == "refused" and job.tries < TRIES:
            self.desk.put(
                RefundJob(
                    time.monotonic() + PAUSE,
                    job.reference,
                    job.sadad_id,
                    job.amount,
                    uuid.uuid4().hex,
                    TRIES,
                )
            )

    def _later(self, job: RefundJob) -> None:
        if job.tries >= TRIES:
            self.tally.add("refund given up")
            return
        job.tries, job.due = job.tries + 1, time.monotonic() + PAUSE
        self.desk.put(job)

    def _ask(self, job: RefundJob) -> requests.Response:
        session = self._session()
        body: dict[str, str] = {"reason": "The buyer sent it back"}
        if job.amount is not None:
            body["amount"] = f"{job.amount:.3f}"
        return session.post(
            f"{self.shop}/payments/api/invoices/{job.reference}/refunds/",
            json=body,
            headers={
                "Idempotency-Key": job.key,
                "X-CSRFToken": session.cookies.get("csrftoken", ""),
                "Referer": self.shop,
            },
            timeout=TIMEOUT,
        )

    def _in_panel(self, job: RefundJob) -> None:
        """Without any word to the shop: Sadad sends no webhook for it."""
        answer = new_session().post(
            f"{self.sadad}/control/refund",
            json={"invoice_id": job.sadad_id, "amount": f"{job.amount:.3f}"},
            timeout=TIMEOUT,
        )
        self.tally.add(f"panel refund answered {answer.status_code}")

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = self._log_in()
        session: requests.Session = self._own.session
        return session

    def _log_in(self) -> requests.Session:
        visitor = Visitor(self.shop)
        page = visitor.get("/admin/login/?next=/admin/")
        page = visitor.submit(page, page.form(has="password"), username="admin", password=self._password)
        if "logout-form" not in page.attributes:
            raise requests.RequestException(f"not logged in: {page.status}")
        return visitor.session
