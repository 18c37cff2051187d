"""What people do to a running daemon: an edit that breaks the configuration, a second daemon."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from support.faults.household import Home
from support.faults.table import fault

pytestmark = pytest.mark.slow
REFUSED = "the new configuration was rejected"


@fault(
    "configuration broken by an edit",
    how="a misspelt setting and a bracket that is not closed, each followed by SIGHUP; then mended",
)
def test_an_edit_that_breaks_the_configuration(home: Home, saw: Callable[[str], None]) -> None:
    good = home.config.read_text()
    with home.watched() as daemon:
        for edit in ("\n[detector]\nintervall = 1\n", "\n[detector\n"):
            home.config.write_text(good + edit)
            refusals = daemon.said.count(REFUSED)
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for(REFUSED, beyond=refusals)
        told = len(home.alerts())
        home.wait_for_alerts(told + 1)
        home.config.write_text(good + "\n[detector]\ninterval = 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for("restarting with it")
        home.wait_for_alerts(told + 2)
    lines = [line.partition(f"{REFUSED}, the old one stays in use: ")[2] for line in daemon.said.splitlines()]
    problems = [line.strip() for line in lines if "line " in line]
    assert len(problems) == 2, lines
    words = "”, “".join(problems)
    saw(f"the old one is kept and goes on telling; the log: “{words}”; mended, it is taken up without a restart")


@fault("two daemons", how="a second one started on the same state folder")
def test_a_second_daemon(home: Home, saw: Callable[[str], None]) -> None:
    with home.watched():
        began = time.monotonic()
        second = home.run("run")
        took = time.monotonic() - began
        told = len(home.alerts())
        home.wait_for_alerts(told + 1)
    assert second.returncode == 1
    error = second.stderr.splitlines()[0].replace(str(home.state), "STATE")
    assert "already running" in error
    saw(f"the second ends after {took:.1f} s with 1: “{error}”; the first goes on telling")
