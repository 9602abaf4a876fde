from __future__ import annotations

from hypothesis import settings

# How long one example takes says something about the machine only.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
