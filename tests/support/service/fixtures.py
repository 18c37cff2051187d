"""The pytest plugin with facesecure installed by `make install` on a system that is really booted.

One system serves a whole run: booting is quick, installing is not. Every test finds the service stopped, with nobody
enrolled and the journal's past behind it.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.service.booted import BootedSystem, unavailable
from support.service.installed import DIST_PACKAGES, SOURCE, WHEEL, Service

ROOT = Path(__file__).resolve().parents[3]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Whatever fails is told with what the service said."""
    report = yield
    service = getattr(item, "funcargs", {}).get("service")
    if report.failed and isinstance(service, Service):
        report.sections.append(("journal", service.system.journal_text()))
        report.sections.append(("journal of the page", service.system.journal_text("facesecure-web")))
    return report


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """facesecure as a wheel, built here and without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def booted() -> Iterator[BootedSystem]:
    """A system that has this project and what it needs, and no network to fetch more from."""
    why = unavailable()
    if why is None and Path(sys.base_prefix) != Path("/usr"):
        why = f"this environment is made of {sys.base_prefix}, not of Debian's own Python: make clean setup"
    if why:
        pytest.skip(why)
    with BootedSystem({ROOT: SOURCE, Path(sysconfig.get_path("purelib")): DIST_PACKAGES}) as system:
        yield system


@pytest.fixture(scope="session")
def installed(booted: BootedSystem, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> BootedSystem:
    """That system after `make install`, with a clip of somebody known, a stranger and one too blurred to tell."""
    booted.write(WHEEL.format(wheel.name), wheel.read_bytes())
    service = Service(booted, WHEEL.format(wheel.name))
    service.install()
    clip = make_clip_in(tmp_path_factory.mktemp("clip"))
    booted.write("/srv/door.mp4", clip.read_bytes())
    return booted


def make_clip_in(folder: Path) -> Path:
    from facesecure.camera.synthetic.clip import make_clip

    make_clip(folder / "door.mp4")
    return folder / "door.mp4"


@pytest.fixture
def service(installed: BootedSystem, wheel: Path) -> Iterator[Service]:
    """The service, stopped and new; stopped again afterwards."""
    service = Service(installed, WHEEL.format(wheel.name))
    service.reset()
    yield service
    service.reset()
