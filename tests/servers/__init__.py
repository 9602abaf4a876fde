"""Private PostgreSQL, MariaDB and Redis servers for tests: free port, temporary folder, gone afterwards.

``python -m tests.servers.postgres -- pytest tests`` starts one, hands its address to the command in the
environment and ends with its exit code; ``with postgres.server() as address:`` does the same from Python.
"""

from __future__ import annotations
