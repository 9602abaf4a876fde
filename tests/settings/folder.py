"""One temporary folder for a whole test run, shared by every process that the run starts."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

VARIABLE = "SADADPAY_TEST_FOLDER"
#: Linux's folder in memory. On a disk a fifth of the run is waiting for what nobody will read again.
_IN_MEMORY = Path("/dev/shm")
_ENOUGH = 2 * 1024**3


def scratch() -> str | None:
    """Where temporary folders are made; None: where the system makes them."""
    if not os.access(_IN_MEMORY, os.W_OK) or shutil.disk_usage(_IN_MEMORY).free < _ENOUGH:
        return None
    return str(_IN_MEMORY)


@cache
def run_folder() -> Path:
    """The run's folder. Who makes it hands it on in the environment and removes it at its end."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    made = tempfile.mkdtemp(prefix="sadadpay-tests-", dir=scratch())
    os.environ[VARIABLE] = made
    atexit.register(_remove, made, os.getpid())
    return Path(made)


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # a forked child runs the same exit handlers
        shutil.rmtree(folder, ignore_errors=True)
