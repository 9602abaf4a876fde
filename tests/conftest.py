"""What the whole suite shares. Fixtures for one subject stand in that subject's own conftest.py."""

from __future__ import annotations
