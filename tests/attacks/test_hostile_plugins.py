"""A plugin that ends Python, never returns, floods, or forks: the daemon starts, watches and says so."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import psutil
import pytest

from support.faults.household import Home, wait_until
from support.faults.plugins import FORKED_SLEEPER, install
from support.faults.table import attack

pytestmark = pytest.mark.slow


@pytest.fixture
def hostile(home: Home) -> Home:
    """The home, in which hostile plugins are installed."""
    home.environment["PYTHONPATH"] = str(install(home.folder / "site"))
    return home


@attack(
    "plugin ends Python",
    how="plugins that raise KeyboardInterrupt, SystemExit, GeneratorExit or BaseException from each of their methods",
)
def test_a_plugin_that_ends_python(hostile: Home, saw: Callable[[str], None]) -> None:
    hostile.configure("[plugins.interrupts]\n[plugins.interrupts_at_once]\n")
    with hostile.watched() as daemon:
        hostile.wait_for_alerts(3, 60)
        daemon.wait_for("plugin interrupts failed to send")
        assert "Traceback" not in daemon.said
        said = daemon.line_with("plugin interrupts_at_once: load error")
    assert said
    saw(f"3 of 3 alerts told by the others, and it ends at SIGTERM; the log: “{said}”")


@attack("plugin never starts", how="a plugin whose construction sleeps for an hour")
def test_a_plugin_that_never_starts(hostile: Home, saw: Callable[[str], None]) -> None:
    hostile.configure("[plugins.stuck]\n")
    daemon = hostile.begin()
    ready = daemon.wait_ready(60)
    hostile.wait_for_alerts(2, 60)
    said = daemon.line_with("plugin stuck: load error")
    took = daemon.stop()
    assert "no answer within 10 s" in said
    saw(f"it watches after {ready:.0f} s, alerts are told by the others, it ends {took:.1f} s after SIGTERM: “{said}”")


@attack("plugin floods", how="a plugin whose errors are 20 MB, or raise again when they are printed")
def test_a_plugin_that_floods(hostile: Home, saw: Callable[[str], None]) -> None:
    hostile.configure("[plugins.floods]\n")
    with hostile.watched() as daemon:
        hostile.wait_for_alerts(3, 60)
        daemon.wait_for("its message cannot be read", 60)
        told = len(hostile.alerts())
    stored = sum(len(error or "") for (error,) in hostile.rows("SELECT last_error FROM deliveries"))
    size = len(daemon.said)
    assert size < 100_000
    assert stored < 20_000
    saw(f"{told} alerts told by the others; {size / 1000:.0f} kB in the log, {stored / 1000:.1f} kB in the database")


@attack("plugin forks", how="a plugin that forks for each alert: a child that sleeps, one that returns from `send`")
def test_a_plugin_that_forks(hostile: Home, saw: Callable[[str], None]) -> None:
    hostile.configure("[plugins.forks]\n")
    daemon = hostile.begin()
    daemon.wait_ready()
    hostile.wait_for_alerts(3, 60)
    wait_until(lambda: len(living(daemon.figures)) >= 3, "sleeping child", 60)
    children = living(daemon.figures)
    assert all(child.num_threads() == 1 for child in children)
    told = Counter(one["alert"] for one in hostile.alerts())
    assert set(told.values()) == {1}, "the child that returned is no second daemon"
    os.kill(daemon.process.pid, 9)
    daemon.process.wait()
    assert all(child.is_running() for child in children)
    with hostile.watched() as second:
        assert "already running" not in second.said
    for child in children:
        child.kill()
    saw(f"{len(children)} children left behind; each alert told once; killed, the daemon starts again beside them")


def living(process: psutil.Process) -> list[psutil.Process]:
    """The children that sleep; of those that return from ``send``, one may be about to end."""
    return [child for child in process.children() if child.name() == FORKED_SLEEPER]
