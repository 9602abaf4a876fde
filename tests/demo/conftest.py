"""The example shop is a project of its own: its tests run with its own settings, in a run of their own.

``test_shop.py`` starts that run; alone it is
``DJANGO_SETTINGS_MODULE=example_project.settings python -m pytest tests/demo/shop``.
"""

from __future__ import annotations

import os

SETTINGS = "example_project.settings"
collect_ignore = [] if os.environ.get("DJANGO_SETTINGS_MODULE") == SETTINGS else ["shop"]
