"""Celery's messages as files in a folder: the demo needs no server. A real shop has Redis or RabbitMQ.

kombu's own ``filesystem://`` shows a message while it is being written, and a worker that reads it then dies
(kombu's issue 1551). Here a message appears when it is complete.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: Any, payload: Any, **_: Any) -> None:  # type: ignore[override]  # kombu's two differ
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        draft = folder / f"{name}.draft"
        draft.write_text(dumps(payload), "utf-8")  # type: ignore[no-untyped-call]  # kombu's types are not whole
        draft.rename(folder / name)


class Transport(filesystem.Transport):
    Channel = Channel


TRANSPORT_ALIASES["folder"] = "example_project.broker:Transport"
