"""The demo's messages: each is whole when a worker can see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from example_project import broker


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    options = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path / "control"),
    }
    with Connection("folder://", transport_options=options) as connection:
        assert isinstance(connection.transport, broker.Transport)
        with connection.SimpleQueue(tmp_path.name) as made:  # kombu remembers queues for the whole process
            yield made


def test_every_message_comes_whole(queue: Any) -> None:
    for number in range(3):
        queue.put({"number": number, "name": "نور"})
    got = [queue.get(timeout=5) for _ in range(3)]
    assert sorted(message.payload["number"] for message in got) == [0, 1, 2]
    assert {message.payload["name"] for message in got} == {"نور"}
    for message in got:
        message.ack()


def test_nobody_sees_a_message_that_is_still_being_written(
    queue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, seen = Path.write_text, []

    def slowly(self: Path, text: str, encoding: str) -> int:
        write(self, text[:10], encoding)
        seen.append(queue.qsize())
        return write(self, text, encoding)

    monkeypatch.setattr(Path, "write_text", slowly)
    queue.put("all of it")
    assert (seen, queue.qsize()) == ([0], 1)
    assert queue.get(timeout=5).payload == "all of it"
