"""The Debian package for tests: built once a run, an older one made of it, and the small Debians that it is tried on.

``FACESECURE_DEBS=FOLDER`` takes the packages in that folder instead of building them.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deb.version import program_version
from support.service.booted import BootedSystem, unavailable

ROOT = Path(__file__).resolve().parents[3]
RELEASES = {"bookworm": 12, "trixie": 13}
DEB = "/srv/facesecure.deb"
OLDER_DEB = "/srv/facesecure-older.deb"
OLDER = "0.0.9"
_TOOLS = ("mmdebstrap", "dpkg-deb")


@dataclass(frozen=True)
class Packages:
    """What is built in a run of tests; several processes share ``folder``."""

    folder: Path

    def built(self, suite: str, architecture: str = "") -> Path:
        """Return the package of this tree for ``suite`` (bookworm, trixie), built with quick compression."""
        architecture = architecture or own_architecture()
        if given := os.environ.get("FACESECURE_DEBS"):
            return Path(given).resolve() / f"facesecure_{program_version()}~deb{RELEASES[suite]}_{architecture}.deb"
        done = self.folder / f"deb-{suite}-{architecture}"
        with self._locked(done.name):
            if not done.exists():
                done.write_text(str(build(suite, architecture, {"COMPRESSION": "gzip", "LEVEL": "1"})))
        return Path(done.read_text())

    def older(self, suite: str) -> Path:
        """Return the package of ``suite`` as one of version ``OLDER``, which shipped other settings."""
        package, made = self.built(suite), self.folder / f"older-{suite}.deb"
        with self._locked(made.name):
            if not made.exists():
                _repack(package, self.folder / f"unpacked-{suite}", made)
        return made

    def debian(self, suite: str) -> Path:
        """Return the files of a small Debian, made by mmdebstrap and kept outside of the tree."""
        with self._locked("debian"):
            made = _run([ROOT / "tests/chroots/deb.sh", suite], {}, timeout=900)
        return Path(made.splitlines()[-1])

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def require(*tools: str) -> None:
    """Skip the test where no package can be built, or none of ``tools`` is there; where CI is true, fail instead."""
    if missing := [tool for tool in (*_TOOLS, *tools) if shutil.which(tool) is None]:
        why = f"{', '.join(missing)} is missing: make setup"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    if why := _unreachable():
        pytest.skip(why)


def require_booting() -> None:
    """Skip the test where no package can be built or no system be booted."""
    if why := unavailable():
        pytest.skip(why)
    require()


def build(suite: str, architecture: str, environment: Mapping[str, str], root: Path = ROOT) -> Path:
    """Build the package of the tree in ``root``."""
    said = _run([root / "deb/build.sh", suite, architecture], environment, timeout=1200)
    return root / said.splitlines()[-1].partition(":")[0]


def apt(system: BootedSystem, *words: str, stdin: str = "", check: bool = True) -> str:
    """Run apt-get without a terminal, and return all that it printed; ``stdin`` answers dpkg's questions."""
    quiet = ("apt-get", "-y", "--allow-downgrades")
    done = system.run(*quiet, *words, timeout=400, check=check, stdin=stdin, DEBIAN_FRONTEND="noninteractive")
    return done.stdout + done.stderr


def answer_about_state(system: BootedSystem, remove: str) -> None:
    """Answer in advance whether a purge removes people, visits and key: ``true`` or ``false``."""
    system.run("debconf-set-selections", stdin=f"facesecure facesecure/remove-state boolean {remove}\n")


def state_of(system: BootedSystem) -> str:
    """Return dpkg's word for the package: ``installed``, ``config-files``, ``half-configured``; nothing if unknown."""
    return system.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "facesecure", check=False).stdout


def own_architecture() -> str:
    """Return Debian's name for the architecture of this machine."""
    return subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


def _repack(package: Path, folder: Path, to: Path) -> None:
    """Unpack ``package``, and pack it as ``OLDER`` without one line of the settings that it ships."""
    _run(["dpkg-deb", "--raw-extract", package, folder], {})
    control = folder / "DEBIAN/control"
    (version,) = re.findall(r"^Version: (.*)$", control.read_text(), re.MULTILINE)
    program, _, release = version.rpartition("~")
    for script in (control, folder / "DEBIAN/preinst"):
        script.write_text(script.read_text().replace(version, f"{OLDER}~{release}"))
    (metadata,) = folder.glob("usr/lib/facesecure/lib/*/site-packages/facesecure-*.dist-info/METADATA")
    metadata.write_text(metadata.read_text().replace(f"\nVersion: {program}\n", f"\nVersion: {OLDER}\n", 1))
    settings = folder / "etc/facesecure/facesecure.toml"
    settings.write_text(settings.read_text().partition("\n")[2])
    _run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", folder, to], {})
    shutil.rmtree(folder)


def _run(command: list[object], environment: Mapping[str, str], timeout: float = 300) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=timeout, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _unreachable() -> str:
    """Return why neither packages of Python's nor of Debian's can be had; nothing if they can."""
    try:
        for host in ("deb.debian.org", "pypi.org"):
            socket.getaddrinfo(host, 443)
    except OSError as error:
        return f"a package is built with the network: {error}"
    return ""
