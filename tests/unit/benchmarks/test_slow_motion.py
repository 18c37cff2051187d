"""In slow motion, clock and waits of a bench go slower by the factor."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
    from benchmarks import slow_motion
    import multiprocessing, select, threading, time

    began, slow = time.perf_counter(), time.monotonic()
    {wait}
    print(time.perf_counter() - began, time.monotonic() - slow)
"""
WAITS = [
    "time.sleep(0.1)",
    "select.select([], [], [], 0.1)",
    "threading.Event().wait(0.1)",
    "multiprocessing.get_context('spawn').Event().wait(timeout=0.1)",
]


def run(program: str, factor: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT, env={"SLOW_MOTION": factor}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_lasts_longer_and_the_clock_goes_slower(wait: str) -> None:
    real, slow = map(float, run(PROGRAM.format(wait=wait), "5").stdout.split())
    assert real >= 0.5
    assert 0.1 <= slow < real / 2


def test_without_a_factor_everything_is_as_it_is() -> None:
    real, slow = map(float, run(PROGRAM.format(wait=WAITS[0]), "1").stdout.split())
    assert slow > real / 2


def test_a_factor_that_makes_no_sense_is_refused() -> None:
    done = run("from benchmarks import slow_motion", "0")
    assert done.returncode == 1
    assert "how many times slower" in done.stderr
