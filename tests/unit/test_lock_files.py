"""The lock files of requirements/: complete, with hashes, and what pip and the Makefile really enforce."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.faults.table import ROOT

FOLDER = ROOT / "requirements"
EXTRAS = ("training", "charts", "docs", "offline-voice", "heic", "s3", "gdrive", "notify", "hub")
HASHED = sorted(path.stem for path in FOLDER.glob("*.txt") if path.stem != "versions")
_ENTRY = re.compile(r"^(?P<what>[a-z0-9-]+==[^\\\n]+?)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", re.M)


def entries(name: str) -> dict[Requirement, int]:
    """Return what the lock file lists, each with the number of its hashes; it has no other lines than comments."""
    text = "".join(line for line in (FOLDER / f"{name}.txt").read_text().splitlines(True) if not line.startswith("#"))
    found = {Requirement(match["what"]): match["hashes"].count("--hash") for match in _ENTRY.finditer(text)}
    assert _ENTRY.sub("", text).strip() == "", f"{name}.txt has lines that are no entries"
    return found


def environments() -> list[dict[str, str]]:
    """Return the markers' values on the machines that are supported."""
    linux = {"sys_platform": "linux", "implementation_name": "cpython", "platform_python_implementation": "CPython"}
    return [
        {**default_environment(), **linux, "python_version": python, "python_full_version": f"{python}.2",
         "platform_machine": machine}
        for python in ("3.11", "3.13") for machine in ("x86_64", "aarch64")
    ]  # fmt: skip


def wanted(extra: str = "") -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [
        Requirement(line) for line in (project["optional-dependencies"][extra] if extra else project["dependencies"])
    ]


def missing(requirements: list[Requirement], *locks: str) -> list[str]:
    """Return which of ``requirements`` the lock files do not meet, on any supported machine."""
    listed = [entry for lock in locks for entry in entries(lock)]
    found = []
    for environment in environments():
        here = {canonicalize_name(e.name): e for e in listed if e.marker is None or e.marker.evaluate(environment)}
        for one in requirements:
            if one.marker is None or one.marker.evaluate({**environment, "extra": ""}):
                entry = here.get(canonicalize_name(one.name))
                version = next(iter(entry.specifier)).version if entry else None
                if version is None or not one.specifier.contains(version, prereleases=True):
                    found.append(
                        f"{one} on {environment['python_version']} {environment['platform_machine']}: {version}"
                    )
    return found


@pytest.mark.parametrize("name", HASHED)
def test_every_entry_is_one_version_with_hashes(name: str) -> None:
    for entry, hashes in entries(name).items():
        assert hashes > 0, entry
        assert [one.operator for one in entry.specifier] == ["=="], entry


def test_the_lock_files_meet_pyproject_on_every_supported_machine() -> None:
    hint = "run `make lock`"
    assert missing(wanted(), "base") == [], hint
    assert missing([*wanted("dev"), *wanted("training"), *wanted("offline-voice")], "base", "setup") == [], hint
    for extra in EXTRAS:
        assert missing(wanted(extra), "base", extra) == [], hint
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert missing([Requirement(line) for line in build], "build") == [], hint
    assert missing(wanted("systemd"), "systemd") == [], hint


def test_the_older_interpreter_is_locked_for_its_python() -> None:
    python = [one for one in wanted("tflite-runtime") if not one.marker]
    assert missing(python, "tflite") == []
    assert "tflite-runtime" in {entry.name for entry in entries("tflite")}


def test_no_two_lock_files_disagree() -> None:
    versions: dict[str, set[str]] = {}
    for name in set(HASHED) - {"tflite"}:
        for entry in entries(name):
            versions.setdefault(f"{entry.name} {entry.marker}", set()).add(str(entry.specifier))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_no_lock_file_names_a_server() -> None:
    for path in FOLDER.iterdir():
        assert "://" not in path.read_text(), path
        assert not re.search(r"--(extra-)?index-url|--find-links", path.read_text().replace("--no-emit-", "")), path


def test_what_is_installed_is_what_is_locked() -> None:
    """A new environment of `make setup` is as locked; fails where pyproject.toml is newer than the environment."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_another_package_under_a_locked_name_is_not_installed(tmp_path: Path) -> None:
    """An index or a proxy that serves something else for ifaddr is refused, with the flags of the Makefile."""
    name = "ifaddr-0.2.0"
    with zipfile.ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("ifaddr.py", "raise SystemExit('foreign code')\n")
        wheel.writestr(f"{name}.dist-info/METADATA", "Metadata-Version: 2.1\nName: ifaddr\nVersion: 0.2.0\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    lock = (FOLDER / "base.txt").read_text()
    (entry,) = re.findall(r"^ifaddr==0\.2\.0 \\\n(?:    --hash=\S+(?: \\)?\n)+", lock, re.M)
    (tmp_path / "lock.txt").write_text(entry)
    flags = _makefile_flags()
    assert {"--no-deps", "--require-hashes", "--only-binary"} <= set(flags)
    outcome = _pip(tmp_path, *flags, "-r", str(tmp_path / "lock.txt"))
    assert outcome.returncode != 0
    assert "DO NOT MATCH THE HASHES" in outcome.stderr
    assert not (tmp_path / "target").exists()
    unlocked = _pip(tmp_path, "install", "--no-deps", "ifaddr==0.2.0")
    assert unlocked.returncode == 0, "without the lock it would have been installed"
    assert (tmp_path / "target" / "ifaddr.py").exists()


def _makefile_flags() -> list[str]:
    makefile = (ROOT / "Makefile").read_text()
    pip = re.search(r"^PIP := -m pip (.*)$", makefile, re.M)
    locked = re.search(r"^LOCKED := \$\(PIP\) (.*)$", makefile, re.M)
    assert pip is not None
    assert locked is not None
    return [*pip[1].split(), *locked[1].split()]


def _pip(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", *arguments, "--no-index", "--find-links", str(folder)]
    command += ["--target", str(folder / "target"), "--no-cache-dir"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("path", ["Makefile", "systemd/install.sh"])
def test_nothing_is_installed_without_a_lock(path: str) -> None:
    """Every installation from an index goes through the locks; the benchmark's other systems apart."""
    text = (ROOT / path).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if re.search(r"\$\(PIP\)|\bpip install\b", line) and ":=" not in line and not line.startswith("#"):
            assert "--no-deps" in line or ".venv-bench" in line, line
