"""The documentation as tests read it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def pages() -> list[Path]:
    """Every page that is written by hand or generated, the README among them."""
    texts = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *texts]


def blocks(path: Path, language: str = "python") -> list[str]:
    """The fenced blocks of a page in one language."""
    return [text for name, text in _BLOCK.findall(path.read_text(encoding="utf-8")) if name == language]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, headings and rulers left out."""
    found = []
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-: "):
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    plain = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
