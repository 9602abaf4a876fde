"""Calls of the probe: through the client, with the raw replies, timed, and written down masked."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.endpoints import Endpoint
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.errors import InvalidRequest, RateLimited, SadadError, shown
from django_sadadpay.gateway.hidden import Hidden
from django_sadadpay.probe.looking import carries
from django_sadadpay.probe.masking import Masker
from django_sadadpay.probe.options import Account, Options
from django_sadadpay.probe.report import Probed

#: Credentials that nobody has: to see how a wrong one is refused.
_WRONG = {
    "bearer": Hidden("Bearer probe-no-such-token"),
    "basic": Hidden(f"Basic {b64encode(b'probe:probe').decode()}"),
}
#: Rows that are kept of a list that holds none of the probe's own: enough to show their shape.
_FEW = 3
#: Calls that were turned away unread (HTTP 429) are made again so often; seconds to wait at most.
_TURNED_AWAY, _LONGEST_WAIT = 4, 60.0


class Recorder:
    """Replies as masked files: ``Product-getbyid--as-it-should-be.json``, the next of that name ``…-2``."""

    def __init__(self, folder: Path, ours: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._masker = Masker(ours)
        self._names: dict[str, int] = {}
        self._prefix = ours

    def keep(self, endpoint: Endpoint, step: str, reply: Reply) -> None:
        name = f"{endpoint.name}--{step}".replace("/", "-").replace(" ", "-")
        self._names[name] = count = self._names.get(name, 0) + 1
        body = {
            "isValid": reply.is_valid,
            "errorKey": shown(reply.error_key) if reply.error_key else None,
            "response": self._masker.reply(self._ours(reply.response)),
        }
        kept = {
            "endpoint": endpoint.name,
            "step": step,
            "status": reply.status,
            "body": body if reply.readable else None,
        }
        path = self._folder / f"{name}{f'-{count}' if count > 1 else ''}.json"
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _ours(self, response: Any) -> Any:
        """Of a list, the probe's own rows: the merchant's others are nobody's business. Else the first."""
        if not isinstance(response, list):
            return response
        return [row for row in response if carries(row, self._prefix)] or response[:_FEW]


class Caller:
    """The client of a run.

    :ivar step: the step that is being tried, for the recorder.
    :ivar unrecorded: why replies are no longer recorded, else ``""``.
    """

    def __init__(
        self,
        account: Account,
        options: Options,
        rows: Mapping[str, Probed],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.step = ""
        self.unrecorded = ""
        self.sleep = sleep
        self._rows = rows
        self._recorder = Recorder(options.record, options.prefix) if options.record else None
        self._last: tuple[str, Reply] | None = None
        self.client = SadadClient(
            account.key,
            account.secret,
            account.environment,
            api_url=account.api_url,
            pay_url=account.pay_url,
            fields=account.fields,
            deadline=options.timeout,
            before_call=self._asking,
            on_reply=self._heard,
        )
        self.endpoints = self.client.endpoints

    def send(
        self,
        name: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        credential: str = "",
    ) -> Reply | None:
        """One call; its reply, whatever it says. None: no answer came, or there was no token to ask with.

        Made again only when it was turned away unread (HTTP 429).
        """
        for attempt in range(_TURNED_AWAY):
            self._last = None
            try:
                self._call(name, query, body, credential)
            except InvalidRequest:
                raise
            except RateLimited as error:
                if attempt + 1 < _TURNED_AWAY:
                    self.sleep(min(error.retry_after or 2.0 * (attempt + 1), _LONGEST_WAIT))
                    continue
            except SadadError:
                pass  # the reply says more than the error; without one there was no answer
            break
        return self._last[1] if self._last is not None and self._last[0] == name else None

    def stop_recording(self) -> None:
        """Cleaning up must not be kept from it by a folder that cannot be written to."""
        self._recorder = None

    def _call(self, name: str, query: Mapping[str, Any] | None, body: Any, credential: str) -> None:
        if credential in _WRONG:
            self.client.call_with(name, _WRONG[credential])
        else:
            self.client.call(name, query=query, body=body, token=credential != "none")

    def _asking(self, _: str) -> None:
        """What was heard before is no answer to what is asked now, be it a repeat or a new token."""
        self._last = None

    def _heard(self, endpoint: Endpoint, reply: Reply, seconds: float) -> None:
        self._last = endpoint.name, reply
        row = self._rows[endpoint.name]
        row.seconds.append(seconds)
        row.sizes.append(reply.size)
        if self._recorder is not None:
            self._record(self._recorder, endpoint, reply)

    def _record(self, recorder: Recorder, endpoint: Endpoint, reply: Reply) -> None:
        """A recording that fails is no reason to lose a reply: what it made must still be deleted."""
        try:
            recorder.keep(endpoint, self.step, reply)
        except (OSError, ValueError, RecursionError) as error:
            self.unrecorded = type(error).__name__
            self.stop_recording()
