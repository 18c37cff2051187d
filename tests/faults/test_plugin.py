"""A plugin misbehaves in the daemon's own process: what it does to itself, it does to nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.faults.household import Home
from support.faults.plugins import install
from support.faults.table import fault

pytestmark = pytest.mark.slow


@pytest.fixture
def misbehaving(home: Home) -> Home:
    """The home, in which they are installed."""
    home.environment["PYTHONPATH"] = str(install(home.folder / "site"))
    return home


@fault("plugin raises", how="an installed plugin whose check ends Python and whose every send raises")
def test_a_plugin_that_raises(misbehaving: Home, saw: Callable[[str], None]) -> None:
    misbehaving.configure("[plugins.raises]\n")
    with misbehaving.watched() as daemon:
        misbehaving.wait_for_alerts(3, 60)
        assert "Traceback" not in daemon.said
        said = daemon.line_with("a mistake of the plugin's")
    assert said
    saw(f"3 of 3 alerts told by the others; the log: “{said}”")


@fault("plugin hangs", how="an installed plugin whose check and whose every send sleep for an hour")
def test_a_plugin_that_hangs(misbehaving: Home, saw: Callable[[str], None]) -> None:
    misbehaving.configure("[plugins.hangs]\nattempt_seconds = 5\n")
    daemon = misbehaving.begin()
    ready = daemon.wait_ready()
    misbehaving.wait_for_alerts(3, 60)
    daemon.wait_for("no answer within 5 s")
    said = daemon.line_with("no answer within 5 s")
    took = daemon.stop()
    saw(
        f"it watches after {ready:.1f} s, 3 of 3 alerts told by the others, it ends {took:.1f} s after SIGTERM; "
        f"the log: “{said}”"
    )


@fault(
    "plugin leaks",
    how="an installed plugin that keeps 1 MB, 10 threads and 10 open files of every alert; 64 files may be open",
)
def test_a_plugin_that_leaks(misbehaving: Home, saw: Callable[[str], None]) -> None:
    misbehaving.configure("[plugins.leaks]\n")
    misbehaving.environment["WATCHDOG_USEC"] = "2000000"  # as systemd sets it, which then would start it anew
    daemon = misbehaving.begin("prlimit", "--nofile=64:64")
    daemon.wait_ready()
    misbehaving.wait_for_alerts(1)
    before = daemon.figures.num_threads(), daemon.figures.num_fds()
    daemon.wait_for("has to be restarted", 90)
    after = daemon.figures.num_threads(), daemon.figures.num_fds()
    told, said = len(misbehaving.alerts()), daemon.line_with("has to be restarted")
    daemon.stop()
    saw(
        f"threads {before[0]} to {after[0]}, files {before[1]} to {after[1]}, {told} alerts told by others; "
        f"then the watchdog has it restarted: “{said}”"
    )
