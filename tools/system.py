"""Servers, a browser and the other programs that come from the system's packages."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from typing import NamedTuple

from tools.python import interpreter, say


class Need(NamedTuple):
    """What an environment needs: programs on the PATH or files (globs) that show it; its Debian packages."""

    name: str
    programs: tuple[str, ...]
    files: tuple[str, ...]
    packages: tuple[str, ...]

    def found(self) -> bool:
        """Is it on this machine?"""
        return any(map(shutil.which, self.programs)) or any(map(glob.glob, self.files))

    @property
    def cure(self) -> str:
        """The command that mends it."""
        return "apt-get install -y " + " ".join(self.packages)


class Python(Need):
    """An interpreter, which Debian has in one or two series only."""

    def found(self) -> bool:
        """Does one answer, in a folder that we know or on the PATH?"""
        return interpreter(self._series) is not None

    @property
    def _series(self) -> str:
        return self.name.split()[1]

    @property
    def cure(self) -> str:
        """Debian's package, or the two usual builders."""
        return f"pyenv install {self._series}, or: uv python install {self._series}, or: {super().cure}"


_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FONTS = ("/usr/share/fonts/*/*/DejaVuSans.ttf", "/usr/share/fonts/*/*/Noto*Arabic*")
NEEDS: dict[str, Need] = {
    need.name: need
    for need in (
        *(Python(f"Python {n}", (), (), (f"python{n}", f"python{n}-venv")) for n in ("3.11", "3.12", "3.13")),
        Need("PostgreSQL", ("postgres",), ("/usr/lib/postgresql/*/bin/postgres",), ("postgresql",)),
        Need("MariaDB", ("mariadbd",), ("/usr/sbin/mariadbd",), ("mariadb-server", "tzdata")),
        Need("Redis", ("redis-server",), ("/usr/sbin/redis-server",), ("redis-server",)),
        Need("a Chromium browser", _BROWSERS, (), ("chromium",)),
        Need("an Arabic font", (), _FONTS, ("fonts-dejavu-core",)),
        Need("gettext", ("xgettext",), (), ("gettext",)),
    )
}


def install_missing(names: set[str]) -> list[Need]:
    """Install what is missing of ``names`` when we may; what is still missing afterwards."""
    missing = [NEEDS[name] for name in sorted(names) if not NEEDS[name].found()]
    if missing and _may_install():
        _apt([package for need in missing for package in need.packages])
    return [need for need in missing if not need.found()]


def _may_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt(packages: list[str]) -> None:
    _quiet("apt-get", "update", "-qq")
    known = [name for name in packages if _quiet("apt-cache", "show", name).returncode == 0]
    if not known:
        return
    say("installing Debian's " + " ".join(known))
    done = _quiet("apt-get", "install", "-y", "-qq", "--no-install-recommends", *known)
    if done.returncode:
        say(f"apt-get failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _quiet(*command: str) -> subprocess.CompletedProcess[str]:
    # RUNLEVEL=1 keeps Debian from starting the servers that it installs: the tests start their own.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
