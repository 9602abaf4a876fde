"""The sdist and the wheel, built once, and a shop in another folder that has installed the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = Path(__file__).with_name("elsewhere")
collect_ignore = ["elsewhere"]

Run = Callable[..., str]


def run(*command: str, cwd: Path) -> str:
    """What the command printed; its whole output when it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} gave {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what ``python -m build`` made."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--installer", "uv", "--outdir", str(folder), cwd=ROOT)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="session")
def shop(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a command's words with the shop's own Python, in the shop's folder, far from the checkout."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copytree(ELSEWHERE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, "venv", cwd=folder)
    python = str(folder / "venv" / "bin" / "python")
    wanted = f"{wheel}[celery,emulator,api]"
    run(sys.executable, "-m", "uv", "pip", "install", "-q", "--python", python, wanted, cwd=folder)
    return lambda *words: run(python, *words, cwd=folder)
