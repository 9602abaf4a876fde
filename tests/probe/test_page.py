"""The page about the probe says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "probe.md").read_text("utf-8")


def test_the_example_from_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(block, "docs/probe.md", "exec"), names)
    assert names["report"].same  # type: ignore[attr-defined]  # the block's own
    assert list(tmp_path.iterdir()) == []
