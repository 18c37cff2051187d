"""Package indexes that serve something else under the names that facesecure installs."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support.faults.table import ROOT, attack

NAME, VERSION = "ifaddr", "0.2.0"
MARK = "import pathlib; pathlib.Path({!r}).write_text('foreign code ran')\n"


def foreign_wheel(folder: Path, mark: Path) -> None:
    """A wheel of the locked name and version that is not the locked one."""
    info = f"{NAME}-{VERSION}.dist-info"
    with zipfile.ZipFile(folder / f"{NAME}-{VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{NAME}.py", MARK.format(str(mark)))
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def foreign_source(folder: Path, mark: Path) -> None:
    """A source package whose setup.py would run while it is installed."""
    text = (
        MARK.format(str(mark)) + f"from setuptools import setup; setup(name={NAME!r}, version={VERSION!r})"
    ).encode()
    with tarfile.open(folder / f"{NAME}-{VERSION}.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo(f"{NAME}-{VERSION}/setup.py")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))


def newer_wheel(folder: Path, mark: Path) -> None:
    """A wheel of a version that a range would prefer."""
    foreign_wheel(folder, mark)
    old = folder / f"{NAME}-{VERSION}-py3-none-any.whl"
    old.rename(folder / f"{NAME}-99.0-py3-none-any.whl")


def flags(of: str) -> list[str]:
    """Return the words after ``pip`` with which the Makefile or install.sh install what is locked."""
    text = (ROOT / of).read_text()
    pattern = r"^LOCKED := \$\(PIP\) (.*)$" if of == "Makefile" else r'^locked\(\) \{\n    pip install (.*) "\$@"$'
    found = re.search(pattern, text, re.MULTILINE)
    assert found is not None
    return ["install", *found[1].split()]


def pip(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words, "--no-index", "--no-cache-dir"]
    command += ["--find-links", str(folder / "index"), "--target", str(folder / "installed")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@attack(
    "another package under a locked name",
    how="the index serves a wheel of the same name and version with other content, a newer version, a source package "
    "whose setup.py would run while it is installed",
)
@pytest.mark.parametrize("of", ["Makefile", "systemd/install.sh"])
def test_only_the_locked_bytes_are_installed(tmp_path: Path, of: str, saw: Callable[[str], None]) -> None:
    lock = (ROOT / "requirements" / "base.txt").read_text()
    (entry,) = re.findall(rf"^{NAME}=={re.escape(VERSION)} \\\n(?:    --hash=\S+(?: \\)?\n)+", lock, re.MULTILINE)
    for number, plant in enumerate((foreign_wheel, newer_wheel, foreign_source)):
        folder = tmp_path / str(number)
        (folder / "index").mkdir(parents=True)
        (folder / "lock.txt").write_text(entry)
        plant(folder / "index", folder / "ran")
        refused = pip(folder, *flags(of), "--requirement", str(folder / "lock.txt"))
        assert refused.returncode != 0
        assert re.search("DO NOT MATCH THE HASHES|No matching distribution", refused.stderr), refused.stderr
        assert not (folder / "ran").exists(), "foreign code ran"
        assert not (folder / "installed").exists()
    saw(f"{of}: 3 of 3 refused, none of their code ran")


def test_without_a_lock_they_would_have_come_in(tmp_path: Path) -> None:
    """The attacks are real: the same pip installs the newer version, and runs the source package's code."""
    (tmp_path / "index").mkdir()
    newer_wheel(tmp_path / "index", tmp_path / "ran")
    foreign_source(tmp_path / "index", tmp_path / "ran")
    pip(tmp_path, "install", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", f"{NAME}=={VERSION}")
    assert (tmp_path / "ran").read_text() == "foreign code ran"
