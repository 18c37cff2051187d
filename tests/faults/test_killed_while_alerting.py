"""kill -9 at any moment, 200 times over: no alert is lost, and none is told again once it is known to be told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.faults.table import fault
from support.store import environment


@pytest.fixture(scope="module", params=[20, pytest.param(200, marks=pytest.mark.slow)])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What so many lives and deaths came to (``support.faults.kills``)."""
    return killed(tmp_path_factory.mktemp("household"), request.param)


def killed(folder: Path, kills: int, *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "support.faults.kills", folder, str(kills), "4", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, env=environment(), check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    print(done.stdout)
    return dict(json.loads(done.stdout))


@fault(
    "kill -9 while alerts are on their way",
    how="SIGKILL 200 times to a process that sends alerts along chains of plugins which fail now and then",
)
def test_no_alert_that_was_sent_is_lost(seen: dict[str, Any], saw: Callable[[str], None]) -> None:
    assert seen["lost"] == []
    assert seen["accepted"] > seen["kills"], "too few alerts were sent to prove anything"
    saw(
        f"{seen['accepted']} alerts sent, {len(seen['lost'])} lost; {seen['repeated']} told twice, cut off between the "
        f"telling and the mark; {len(seen['repeated_after_mark'])} told again after the mark"
    )


def test_none_is_told_again_after_it_was_marked(seen: dict[str, Any]) -> None:
    assert seen["repeated_after_mark"] == []


def test_a_kill_repeats_at_most_what_each_plugin_was_saying(seen: dict[str, Any]) -> None:
    assert seen["repeated"] <= 2 * seen["kills"], "one alert in each of two chains"


def test_the_kills_came_while_alerts_were_under_way(seen: dict[str, Any]) -> None:
    assert min(seen["killed_in"]["attempting"], seen["killed_in"]["pending"]) > 20
    if seen["kills"] >= 200:
        assert seen["repeated"] > 0, "none came between the hearing and the mark"


@pytest.mark.parametrize("kills", [15, pytest.param(100, marks=pytest.mark.slow)])
def test_no_alert_is_lost_or_told_after_its_mark_while_another_process_locks_the_database(
    kills: int, tmp_path: Path
) -> None:
    seen = killed(tmp_path, kills, "locks")
    assert (seen["lost"], seen["repeated_after_mark"]) == ([], [])
    assert seen["repeated"] <= 2 * seen["kills"]
    assert seen["deferred"] > 0, "no death left anything in the journal"
