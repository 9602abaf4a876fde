"""Finds the interpreters of this machine and makes the checkout's own environment, ``.venv``."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SERIES = ("3.12", "3.13", "3.11")  # the first that is found carries .venv
PYENV = os.environ.get("PYENV_ROOT") or os.path.join("~", ".pyenv")
# pyenv's shims and uv's links answer for versions that are not selected: look into the real folders.
FOLDERS = (
    os.path.join(PYENV, "versions", "{}.*", "bin"),
    "~/.local/share/uv/python/cpython-{}.*/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "~/.local/bin",
)  # the PATH itself comes last


class Missing(Exception):
    """Something that cannot be had here; the message is the command that mends it."""


def interpreter(series: str) -> str | None:
    """The path of a working ``python<series>``, or None."""
    for folder in (*FOLDERS, *os.environ.get("PATH", "").split(os.pathsep)):
        for found in sorted(glob.glob(os.path.expanduser(folder.format(series))), key=_patch, reverse=True):
            path = os.path.join(found, f"python{series}")
            if os.access(path, os.X_OK) and _works(path, series):
                return path
    return None


def _patch(folder: str) -> list[int]:
    return [int(part) for part in folder.replace("-", ".").split(".") if part.isdigit()]


def _works(path: str, series: str) -> bool:
    # A Python built without these headers at hand runs, but neither Django nor pip does.
    code = "import sys, ssl, sqlite3, venv; print('.'.join(map(str, sys.version_info[:2])))"
    done = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == series


def surroundings() -> dict[str, str]:
    """Environment variables for uv and tox: the real interpreters first, none downloaded."""
    found = [os.path.dirname(path) for path in map(interpreter, SERIES) if path]
    path = os.pathsep.join([*found, os.environ.get("PATH", os.defpath)])
    # The system's certificates, as pip takes them: behind a company's proxy uv's own know nobody.
    return {"UV_SYSTEM_CERTS": "1", **os.environ, "PATH": path, "UV_PYTHON_DOWNLOADS": "never"}


def environment(*requirements: str) -> Path:
    """The folder of ``.venv``'s programs, with ``requirements`` installed; quick when nothing changed."""
    programs = VENV / ("Scripts" if os.name == "nt" else "bin")
    stamp = VENV / "installed.txt"
    wanted = _fingerprint()
    have = stamp.read_text().splitlines() if stamp.exists() else []
    if have[:1] != [wanted] or not (programs / "python").exists():  # or its interpreter was removed
        _make()
        have = [wanted]
    missing = [one for one in requirements if one not in have]
    if missing:
        _install(programs, missing)
        stamp.write_text("\n".join([*have, *missing]) + "\n")
    return programs


def _fingerprint() -> str:
    text = "".join((ROOT / name).read_text() for name in ("setup.cfg", "pyproject.toml"))
    return hashlib.sha256(f"{text}{ROOT}".encode()).hexdigest()


def _make() -> None:
    python = next(filter(None, map(interpreter, SERIES)), None)
    if python is None:
        raise Missing("Python 3.11 or later: apt-get install python3 python3-venv")
    say(f"making .venv with {python}")
    shutil.rmtree(VENV, ignore_errors=True)
    own = str(VENV / "bin" / "python")
    # Without pip, and uv put in from outside: 2 seconds instead of 6.
    quick = [python, "-m", "pip", "--python", own, "install", "-q", "--disable-pip-version-check", "uv"]
    subprocess.run([python, "-m", "venv", "--without-pip", str(VENV)], check=True)
    if subprocess.run(quick, capture_output=True, check=False).returncode == 0:
        return
    slow = subprocess.run([python, "-m", "venv", "--clear", str(VENV)], capture_output=True, check=False)
    if slow.returncode:
        raise Missing(f"pip for {python}: apt-get install python3-venv")
    subprocess.run([own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "uv"], check=True)


def _install(programs: Path, requirements: list[str]) -> None:
    say("installing " + " ".join(requirements))
    options = [part for one in requirements for part in (("-e", one) if one.startswith(".") else (one,))]
    command = [str(programs / "uv"), "pip", "install", "-q", "--python", str(programs / "python"), *options]
    if subprocess.run(command, cwd=ROOT, env=surroundings(), check=False).returncode:
        raise Missing("the packages above: see what uv said, then start again")


def say(text: str) -> None:
    """A line about what ./run itself is doing."""
    print(f"./run: {text}", file=sys.stderr, flush=True)
