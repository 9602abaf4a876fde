"""The whole shop under fire for a while: gunicorn, Celery, Redis, PostgreSQL, and an emulator that fails."""
