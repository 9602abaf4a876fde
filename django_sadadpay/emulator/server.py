"""The emulator as one object: a world, an API, pages and webhooks behind a real HTTP server."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Any, Literal, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from django_sadadpay.emulator import control_http, link_pages, overview, pages, recurring_pages
from django_sadadpay.emulator.api import Api
from django_sadadpay.emulator.control import Control
from django_sadadpay.emulator.state import Settings, World
from django_sadadpay.emulator.webhooks import Postman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIEnvironment

logger = logging.getLogger("django_sadadpay.emulator")

#: What a server that listens everywhere is called by those on the same machine.
EVERYWHERE = ("", "0.0.0.0")  # noqa: S104 (compared with, never the default)

#: Address → page of the object with that key. All but the first are ours: Sadad's are not known.
PAGES: dict[str, Callable[[World, Request, str], Response]] = {
    "pay": pages.pay,
    "paymentlink": link_pages.payment_link,
    "productlink": link_pages.product_link,
    "installmentplan": recurring_pages.installment_plan,
    "subscriptionlink": recurring_pages.subscription_link,
}


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log: query strings and pay keys are nobody's business. ``Api`` logs each call."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (Werkzeug's own name)
        if type == "error":
            logger.error(message, *args)


class Emulator:
    """A stateful stand-in for SadadPay on its own HTTP server.

    ``port`` 0 takes a free one and keeps it over stop and start. ``state_file`` keeps the world over
    restarts. ``webhook_interval`` is in seconds. ``deliver`` "thread" sends webhooks by itself, "manual"
    waits for ``control.deliver_webhooks()``. ``settings`` are further fields of ``state.Settings``.
    """

    def __init__(
        self,
        port: int = 0,
        webhook_url: str | None = None,
        state_file: str | Path | None = None,
        seed: int = 0,
        webhook_interval: float = 180.0,
        deliver: Literal["thread", "manual"] = "thread",
        *,
        host: str = "127.0.0.1",
        client_key: str = "ck_emulator",
        client_secret: str = "cs_emulator",  # noqa: S107 (a made-up key of a stand-in)
        **settings: Any,
    ) -> None:
        if deliver not in ("thread", "manual"):
            raise ValueError(f"deliver is thread or manual, not {deliver!r}")
        chosen = Settings(
            client_key=client_key,
            client_secret=client_secret,
            webhook_url=webhook_url,
            webhook_interval=webhook_interval,
            **settings,
        )
        self.world = World(chosen, seed=seed, state_file=state_file)
        self.api = Api(self.world)
        self.control = Control(self.world, self.api)
        self.host = host
        self.port = port
        self.deliver = deliver
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._postman: Postman | None = None

    # Running

    def start(self) -> Self:
        """Listen, and answer in threads of this process. Raises OSError when the port is taken."""
        if self._server is not None:
            raise RuntimeError("the emulator is running already")
        with socket.create_server((self.host, self.port)) as listener:
            self._server = make_server(
                self.host, self.port, self, threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
            )
        self.port = self._server.port
        self.world.base_url = self.base_url
        self.api.stopping.clear()
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.01},
            name="sadadpay-emulator",
            daemon=True,
        )
        self._thread.start()
        if self.deliver == "thread":
            self._postman = Postman(self.world)
            self._postman.start()
        return self

    def stop(self) -> None:
        """Stop listening; the world stays, so ``start()`` goes on with it. Does nothing when not running."""
        if self._server is None or self._thread is None:
            return
        self.api.stopping.set()
        if self._postman is not None:
            self._postman.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = self._postman = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Where it is and what it accepts

    @property
    def base_url(self) -> str:
        host = "127.0.0.1" if self.host in EVERYWHERE else self.host
        return f"http://{host}:{self.port}"

    @property
    def api_url(self) -> str:
        return f"{self.base_url}/api"

    @property
    def pay_url(self) -> str:
        return f"{self.base_url}/pay"

    @property
    def client_key(self) -> str:
        return self.world.settings.client_key

    @property
    def client_secret(self) -> str:
        return self.world.settings.client_secret

    @property
    def webhook_url(self) -> str | None:
        """Where payments are reported; may be set at any time, for payments from then on."""
        return self.world.settings.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.control.settings(webhook_url=url)

    # WSGI

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        match request.path.strip("/").split("/"):
            case [api, *rest] if api.lower() == "api":
                return self.api.answer(request, "/" + "/".join(rest))
            case ["control", *rest]:
                return control_http.answer(self.control, request, "/".join(rest))
            case [""]:
                return overview.overview(self.world, self.api)
            case [page, key] if page in PAGES:
                return PAGES[page](self.world, request, key)
            case ["pay", key, "Success" | "Failed" as ending]:
                return pages.result(self.world, request, key, ending)
            case ["qr", key, "download"]:
                return pages.qr(self.world, key)
        return Response("not found", 404)
