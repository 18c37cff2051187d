"""Fixtures that every suite may use."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from facesecure.hub import connecting
from facesecure.storage import database
from facesecure.util import redaction
from support.databases.compiled import CompiledOnce
from support.databases.new import MigratedOnce

with suppress(ImportError):
    import psycopg  # noqa: F401 - its TLS aborts the process where TensorFlow was loaded first

settings.register_profile("ours", deadline=None)  # no test fails because a machine was slow
settings.load_profile("ours")

ROOT = Path(__file__).resolve().parents[1]

pytest_plugins = ["support.faults.homes", "support.faults.recording", "support.service.fixtures"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin every network of ``item``, and of the fixtures made for it, with the same weights in each run."""
    if item.get_closest_marker("tensorflow") and "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Research photos and clips that the project uses but does not ship; see the README."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the research data folder ../shared/data is not on this machine")
    return path


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk() -> Iterator[None]:
    """What the tests' own process writes is not synced: no power fails meanwhile, and the store's take 12 % less.

    Processes that they start sync as ever.
    """
    configure = database._configure

    @wraps(configure)
    def configured(connection: Any, record: Any) -> None:
        configure(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "_configure", configured)
        for name in ("fsync", "fdatasync"):
            patched.setattr(os, name, lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """Programs that are started hear Ctrl-C, also where the tests run in the background of a shell that ignores it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def _a_new_database_is_migrated_once() -> Iterator[None]:
    """The tests' own process makes new databases like its first; processes that they start migrate every one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "_migrate", MigratedOnce(database._migrate))
        yield


@pytest.fixture(scope="session", autouse=True)
def _statements_are_compiled_once() -> Iterator[None]:
    """The tests' own process compiles each statement once; processes that they start do so for every store."""
    with pytest.MonkeyPatch.context() as patched:
        once = CompiledOnce()
        for module in (database, connecting):
            patched.setattr(module, "create_engine", once(module.create_engine))
        yield


@pytest.fixture(autouse=True)
def _no_command_logs_after_its_test() -> Iterator[None]:
    """A command that a test ran logs to a stderr that is closed: each later line of the log would be a traceback."""
    yield
    root = logging.getLogger()
    for handler in [one for one in root.handlers if getattr(one, "facesecure", False)]:
        root.removeHandler(handler)


@pytest.fixture(autouse=True)
def _no_secret_is_remembered() -> Iterator[None]:
    """What one test calls a secret is an ordinary word in the next."""
    yield
    redaction.forget()
