"""The Debian package as a file: lintian's view, what lies in it, and that it is built to the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from support.service.packages import ROOT, Packages, build, own_architecture, require

SOURCES = ("daemon", "plugins", "training", "deb", "docs", "systemd", "requirements", "supply_chain", "tests/chroots")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE")
ELSEWHERE = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7", "COMPRESSION": "none"}


@pytest.fixture(scope="module")
def package(packages: Packages) -> Path:
    require("lintian")
    return packages.built("bookworm")


def _members(package: Path, part: str) -> str:
    """Return the SHA-256 of one of the two archives in ``package``, unpacked: ``fsys`` or ``ctrl``."""
    with subprocess.Popen(["dpkg-deb", f"--{part}-tarfile", package], stdout=subprocess.PIPE) as unpacking:
        assert unpacking.stdout is not None
        return hashlib.file_digest(unpacking.stdout, "sha256").hexdigest()  # type: ignore[arg-type]


def test_lintian_finds_no_error_and_no_warning(package):
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", package],
        capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_file_is_root_s_and_no_key_no_bytecode_and_no_data_lie_in_it(package):
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive,
    ):
        members = list(archive)
    assert {(one.uname, one.gname, one.uid, one.gid) for one in members} == {("root", "root", 0, 0)}
    assert {oct(one.mode) for one in members if not one.issym()} == {"0o644", "0o755"}
    names = {one.name.removeprefix("./") for one in members}
    assert {name.split("/")[0] for name in names} == {".", "usr", "etc"}
    assert [name for name in names if name.endswith((".pyc", "/key", ".key", ".db", "direct_url.json"))] == []
    assert len({one.mtime for one in members if one.isfile() and "site-packages/facesecure/" in one.name}) == 1


def test_built_again_in_another_folder_with_another_umask_time_zone_and_language_it_is_the_same(package, tmp_path):
    copy = _copied_tree(tmp_path / "elsewhere")
    with package.open("rb") as archive:
        seconds = int(archive.read(36)[24:])  # the time in its first header
    before = os.umask(0o077)
    try:
        again = build("bookworm", own_architecture(), {**ELSEWHERE, "SOURCE_DATE_EPOCH": str(seconds)}, copy)
    finally:
        os.umask(before)
    assert _members(again, "ctrl") == _members(package, "ctrl")
    assert _members(again, "fsys") == _members(package, "fsys")
    shutil.rmtree(copy)


def _copied_tree(to: Path) -> Path:
    """Copy what a package is built of, with files that others may not read."""
    leave_out = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        shutil.copytree(ROOT / name, to / name, ignore=leave_out)
    for name in FILES:
        shutil.copy(ROOT / name, to / name)
    (to / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(["chmod", "-R", "go-rwx", to], check=True)
    return to
