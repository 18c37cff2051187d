"""Each test that injects a fault leaves its row; ``--table`` writes them all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facesecure.app.demo.demo import enrol
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER
from support.faults.film import Caller, film
from support.faults.household import Home
from support.faults.table import Row, keep
from support.service.journey import config_for

_rows = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--table", action="store_true", help="write what was seen to out/faults.md and docs/reliability.md"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_rows] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for row in config.stash[_rows]:
        terminalreporter.write_line(f"{row.fault}: {row.seen}")
    if config.getoption("--table", default=False):
        terminalreporter.write_line(keep(config.stash[_rows]))


@pytest.fixture
def saw(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Say what was seen of the fault that the test injects; more than once makes one row. Kept if the test passes."""
    fault, words = request.function.fault, list[str]()
    yield lambda text: words.append(text.replace(str(tmp_path), ""))
    call = request.node.stash.get(_passed, False)
    if words and call:
        request.config.stash[_rows].append(Row(fault.name, fault.how, "; ".join(words)))


_passed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[_passed] = report.passed
    return report


@pytest.fixture(scope="session")
def strangers_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A door at which a stranger comes after a second and then every ten, for two minutes."""
    path = tmp_path_factory.mktemp("film") / "strangers.mp4"
    film(path, 120, [Caller(EILEEN_COLLINS, at) for at in range(1, 115, 10)])
    return path


@pytest.fixture(scope="session")
def family_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A door at which Grace Hopper comes after a second and then every ten, for two minutes."""
    path = tmp_path_factory.mktemp("film") / "family.mp4"
    film(path, 120, [Caller(GRACE_HOPPER, at) for at in range(1, 115, 10)])
    return path


@pytest.fixture(scope="session")
def household(tmp_path_factory: pytest.TempPathFactory, strangers_film: Path) -> Path:
    """A state directory in which Grace Hopper is enrolled."""
    state_dir = tmp_path_factory.mktemp("household")
    enrol(config_for(strangers_film), state_dir)
    return state_dir


@pytest.fixture
def home(tmp_path: Path, strangers_film: Path, household: Path) -> Iterator[Home]:
    """A home of its own, whose door the film of strangers shows."""
    shutil.copytree(household, tmp_path / "state")
    (tmp_path / "state").chmod(0o700)
    home = Home(tmp_path, strangers_film)
    yield home
    home.kill()
