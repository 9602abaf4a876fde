"""Are the translations whole, and the committed ``.mo`` files made from the ``.po`` files beside them?

Texts are compared, not bytes: files differ between releases of gettext, and by the time that they carry.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("django_sadadpay", "example_project")


def main() -> int:
    """Print what is wrong, a line each; 1 when there is something."""
    catalogues = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.po"))]
    wrong = [line for path in catalogues for line in (*_unfinished(path), *_stale(path))]
    wrong += [line for package in PACKAGES for line in _differs_from_sources(ROOT / package)]
    print(*wrong, f"{len(catalogues)} catalogues, {len(wrong)} problems", sep="\n")
    return int(bool(wrong) or not catalogues)


def _unfinished(path: Path) -> list[str]:
    catalogue = polib.pofile(str(path))
    entries = [*catalogue.untranslated_entries(), *catalogue.fuzzy_entries()]
    return [f"{path.relative_to(ROOT)}: not translated: {entry.msgid!r}" for entry in entries]


def _stale(path: Path) -> list[str]:
    compiled = path.with_suffix(".mo")
    name = compiled.relative_to(ROOT)
    if not compiled.exists():
        return [f"{name} is missing: django-admin compilemessages"]
    if _texts(polib.pofile(str(path)).translated_entries()) == _texts(polib.mofile(str(compiled))):
        return []
    return [f"{name} is older than its .po: django-admin compilemessages"]


def _texts(entries: Iterable[polib.POEntry | polib.MOEntry]) -> dict[tuple[str | None, str], object]:
    return {(one.msgctxt, one.msgid): (one.msgstr, one.msgstr_plural) for one in entries}


def _differs_from_sources(package: Path) -> list[str]:
    """Texts in code and templates that a catalogue lacks, or has though they are gone."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(package, Path(folder) / package.name))
        made = [path.parent for path in copy.rglob("locale")]
        for app in made:
            command = [sys.executable, "-m", "django", "makemessages", "--all", "--no-obsolete"]
            subprocess.run(command, cwd=app, check=True, stdout=subprocess.DEVNULL, env=_plain())
        pairs = [(ROOT / path.relative_to(folder), path) for path in sorted(copy.rglob("*.po"))]
        return [line for old, new in pairs for line in _differences(old, new)]


def _plain() -> dict[str, str]:
    """makemessages needs no settings; from a copied folder it could not import ours."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def _differences(old: Path, new: Path) -> list[str]:
    have, want = _ids(old), _ids(new)
    name = old.relative_to(ROOT)
    return [
        *(f"{name}: lacks {text!r}: django-admin makemessages" for text in sorted(want - have)),
        *(f"{name}: no longer used: {text!r}" for text in sorted(have - want)),
    ]


def _ids(path: Path) -> set[str]:
    return {f"{one.msgctxt or ''}|{one.msgid}" for one in polib.pofile(str(path)) if not one.obsolete}


if __name__ == "__main__":
    sys.exit(main())
