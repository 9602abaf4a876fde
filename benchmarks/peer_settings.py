"""What dj-stripe wants to know before its app can be loaded. Its keys are none."""

from __future__ import annotations

STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_" + "x" * 24
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
