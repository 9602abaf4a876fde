"""Sphinx: ``./run docs``. Warnings are errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings.memory")
django.setup()

from django_sadadpay import __version__  # noqa: E402 - found by the path above

project = "django-sadadpay"
author = "the django-sadadpay contributors"
copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "generated"]
nitpicky = False

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

html_theme = "furo"
html_title = f"django-sadadpay {version}"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["docs.css"]
