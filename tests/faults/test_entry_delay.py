"""An alarm that waits for somebody to disarm is not lost, whatever happens meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.faults.household import Home, wait_until
from support.faults.table import fault

pytestmark = pytest.mark.slow
DELAY = 25.0


def armed(home: Home) -> None:
    """Configure an entry delay; the house is armed away from the start."""
    home.configure()
    settings = f'[policy]\nmode = "away"\nentry_delay = {DELAY}\n'
    home.config.write_text(home.config.read_text().replace("[policy]\n", settings))


def status(home: Home) -> dict[str, Any]:
    return dict(json.loads(home.run("status", "--json").stdout))


def pending(home: Home) -> bool:
    return str(status(home)["alarm"]) == "pending"


@fault(
    "kill -9 while an alarm waits for somebody to disarm",
    how="a stranger comes while armed away, with an entry delay of 25 s; SIGKILL, and a restart; then the same, with "
    "`arm home` before the restart",
)
def test_a_kill_during_the_entry_delay_loses_no_alarm(home: Home, saw: Callable[[str], None]) -> None:
    armed(home)
    first = home.begin()
    first.wait_ready()
    wait_until(lambda: pending(home), "alarm that waits")
    assert home.alerts() == []
    first.kill()
    second = home.begin()
    second.wait_ready()
    alerts = home.wait_for_alerts(1, 60)
    assert "stranger" in str(alerts[0]["text"])
    assert status(home)["alarm"] == "triggered"
    second.kill()
    sent = home.rows("SELECT count(*) FROM deliveries WHERE channel = 'entry_delay' AND state = 'delivered'")[0][0]
    assert sent >= 1

    third = home.begin()
    third.wait_ready()
    wait_until(lambda: pending(home), "another alarm that waits", 60)
    third.kill()
    assert home.run("arm", "home").returncode == 0
    fourth = home.begin()
    fourth.wait_ready()
    withdrawn = "SELECT count(*) FROM deliveries WHERE channel = 'entry_delay' AND state = 'withdrawn'"
    wait_until(lambda: home.rows(withdrawn)[0][0] > 0, "alarm that was taken back", 60)
    fourth.kill()
    saw("the alarm came after the restart; the one that was disarmed before the restart was taken back")
